"""torch.hub: models by name from repositories, and weights by URL, kept in a folder."""

from .download import download_url_to_file
from .repositories import get_dir, help, list, load, set_dir
from .weights import load_state_dict_from_url

__all__ = [
    "download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url",
    "set_dir",
]  # fmt: skip
