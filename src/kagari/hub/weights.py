"""Weights by URL, kept under the hub's folder."""

import os
import re
import urllib.parse
from typing import Any

import kagari

from .download import download_url_to_file
from .repositories import get_dir

_HASH = re.compile(r"-([a-f0-9]*)\.")  # as in resnet18-bfd8deac.pth


def load_state_dict_from_url(
    url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True,
    check_hash: bool = False, file_name: str | None = None, weights_only: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """Load what a URL points to; it is downloaded the first time only.

    Args:
        url: http, https or file; see `download_url_to_file` for mirrors.
        model_dir: where it is kept; by default `get_dir()/checkpoints`.
        map_location: as for `load`.
        progress: show a bar on the terminal.
        check_hash: the file's name has the form NAME-SHA256PREFIX.EXT, and has to be true.
        file_name: the name under which it is kept; by default the URL's.
        weights_only: as for `load`; False lets the file run any code.

    Raises:
        RuntimeError: the checksum differs, or the file is no checkpoint.
        urllib.error.URLError: the server cannot be reached or has no such file.

    Example:
        >>> kagari.save({"w": kagari.ones(2)}, folder / "w.pt")
        >>> url = (folder / "w.pt").as_uri()
        >>> kagari.hub.load_state_dict_from_url(url, model_dir=str(folder / "kept"))["w"]
        tensor([1., 1.])
    """
    folder = model_dir or os.path.join(get_dir(), "checkpoints")
    name = file_name or os.path.basename(urllib.parse.urlsplit(url).path)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        found = _HASH.search(name) if check_hash else None
        download_url_to_file(url, path, found[1] if found else None, progress)
    return kagari.load(path, map_location=map_location, weights_only=weights_only)
