"""torch.hub: models by name from repositories, and weights by URL, kept in a folder."""

from importlib import import_module
from typing import Any

from .download import download_url_to_file
from .repositories import _get_torch_home, get_dir, help, list, load, set_dir
from .weights import _HASH as HASH_REGEX
from .weights import load_state_dict_from_url

__all__ = [
    "HASH_REGEX", "_get_torch_home", "download_url_to_file", "get_dir", "help", "list", "load",
    "load_state_dict_from_url", "set_dir",
]  # fmt: skip

# what libraries import from torch.hub that is not its own
_TAKEN_FROM_HERE = {"tqdm": "tqdm", "urlparse": "urllib.parse"}


def __getattr__(name: str) -> Any:
    if name in _TAKEN_FROM_HERE:
        return getattr(import_module(_TAKEN_FROM_HERE[name]), name)
    raise AttributeError(f"module 'kagari.hub' has no attribute '{name}'")
