"""torch.hub: weights from addresses, and models from folders of code.

Files come to a cache folder and stay there. Without network, put them there by hand, or name a
folder or `file://` address that mirrors addresses in KAGARI_HUB_MIRROR.
"""

import hashlib
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError
from urllib.parse import urlparse
from urllib.request import Request, urlopen

__all__ = [
    "download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url",
    "set_dir",
]  # fmt: skip

HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")
READ_DATA_CHUNK = 128 * 1024
MODULE_HUBCONF = "hubconf.py"
_chosen: str | None = None


def _get_torch_home() -> str:
    cache = os.getenv("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.getenv("TORCH_HOME", os.path.join(cache, "torch")))


def get_dir() -> str:
    """The folder of what has been fetched: set_dir's, else "hub" in $TORCH_HOME or the cache."""
    return _chosen or os.path.join(_get_torch_home(), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Chooses that folder."""
    global _chosen
    _chosen = os.path.expanduser(d)


def _address(url: str) -> str:
    """Where to read it: in the mirror if there is one and it has it."""
    mirror = os.getenv("KAGARI_HUB_MIRROR")
    if mirror and not url.startswith("file:"):
        folder = Path(mirror.removeprefix("file://"))
        parts = urlparse(url)
        for place in (
            folder / parts.netloc / parts.path.lstrip("/"),
            folder / Path(parts.path).name,
        ):
            if place.is_file():
                return place.resolve().as_uri()
    return url


def _open(url: str, start: int) -> Any:
    address = _address(url)
    headers = {"User-Agent": "kagari.hub"}
    if start and not address.startswith("file:"):
        headers["Range"] = f"bytes={start}-"
    try:
        answer = urlopen(Request(address, headers=headers))
    except URLError as error:
        raise URLError(f"{url}: {error.reason}; without network set KAGARI_HUB_MIRROR") from error
    if start and address.startswith("file:"):
        answer.read(start)
    return answer


def download_url_to_file(
    url: str, dst: str, hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Fetches a file, whole or not at all: it has its name only once it is complete and right.

    What an earlier call left half done (`dst`.part) is gone on with where the server can.

    Args:
        hash_prefix: how its SHA-256 begins, in hexadecimal; RuntimeError if it does not.
        progress: show how far it is on the standard error.
    """
    dst = os.path.expanduser(dst)
    part = Path(dst + ".part")
    start = part.stat().st_size if part.exists() else 0
    with _open(url, start) as answer:
        if start and not url.startswith("file:") and getattr(answer, "status", 206) == 200:
            start = 0  # the server sends all of it again
        size = int(answer.headers.get("Content-Length") or 0)
        if size and not answer.url.startswith("file:"):
            size += start  # the server counts what it sends
        with open(part, "ab" if start else "wb") as file:
            _copy(answer, file, start, size, progress)
            file.flush()
            os.fsync(file.fileno())
    if hash_prefix is not None:
        digest = hashlib.sha256(part.read_bytes()).hexdigest()
        if not digest.startswith(hash_prefix):
            part.unlink()
            raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{digest}")')
    os.replace(part, dst)


def _copy(answer: Any, file: Any, done: int, size: int, progress: bool) -> None:
    while chunk := answer.read(READ_DATA_CHUNK):
        file.write(chunk)
        done += len(chunk)
        if progress and sys.stderr.isatty():
            share = f"{100 * done / size:5.1f}% of " if size else ""
            sys.stderr.write(f"\r{share}{max(done, size) / 2**20:.1f} MB")
    if progress and sys.stderr.isatty():
        sys.stderr.write("\n")


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
) -> dict[str, Any]:
    """Loads weights from an address, or from the cache where they have been fetched already.

    Args:
        model_dir: the folder for the file; "checkpoints" in get_dir() if None.
        check_hash: does the file's name end in "-" and the beginning of its SHA-256, to check?
        file_name: its name in the folder; the address's if None.
        weights_only: refuse all but tensors and plain values.
    """
    import kagari

    folder = Path(model_dir or os.path.join(get_dir(), "checkpoints"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (file_name or Path(urlparse(url).path).name)
    if not path.exists():
        sys.stderr.write(f'Downloading: "{url}" to {path}\n')
        found = HASH_REGEX.search(path.name) if check_hash else None
        download_url_to_file(url, str(path), found[1] if found else None, progress)
    return kagari.load(path, map_location=map_location, weights_only=weights_only)


# --- models from code ----------------------------------------------------------------------------


def _hubconf(repo: str, source: str) -> ModuleType:
    if source != "local":
        raise NotImplementedError(
            "hub: kagari does not run code it has fetched itself; clone the repository and say "
            "source='local' with the folder"
        )
    path = Path(repo).expanduser() / MODULE_HUBCONF
    if not path.is_file():
        raise FileNotFoundError(f"hub: there is no {path}")
    spec = importlib.util.spec_from_file_location("hubconf", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    missing = [name for name in getattr(module, "dependencies", [])
               if importlib.util.find_spec(name) is None]  # fmt: skip
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}")
    return module


def _entry(module: ModuleType, name: str) -> Callable[..., Any]:
    entry = getattr(module, name, None)
    if not callable(entry):
        raise RuntimeError(f"Cannot find callable {name} in hubconf")
    return entry


def load(
    repo_or_dir: str, model: str, *args: Any, source: str = "github", trust_repo: Any = None,
    force_reload: bool = False, verbose: bool = True, skip_validation: bool = False, **kwargs: Any,
) -> Any:  # fmt: skip
    """What the function `model` of a folder's hubconf.py gives; `source` has to be "local"."""
    return _entry(_hubconf(repo_or_dir, source), model)(*args, **kwargs)


def list(
    github: str, force_reload: bool = False, skip_validation: bool = False,
    trust_repo: Any = None, verbose: bool = True, *, source: str = "local",
) -> Any:  # fmt: skip
    """The names of the functions of a folder's hubconf.py."""
    module = _hubconf(github, source)
    return [name for name, value in vars(module).items()
            if callable(value) and not name.startswith("_")]  # fmt: skip


def help(
    github: str, model: str, force_reload: bool = False, skip_validation: bool = False,
    trust_repo: Any = None, *, source: str = "local",
) -> str | None:  # fmt: skip
    """The docstring of one of them."""
    return _entry(_hubconf(github, source), model).__doc__


def __getattr__(name: str) -> Any:
    if name == "tqdm":  # libraries take their progress bar from here
        return importlib.import_module("tqdm").tqdm
    raise AttributeError(f"module 'kagari.hub' has no attribute '{name}'")
