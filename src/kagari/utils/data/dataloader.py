"""DataLoader and its iterators under the names PyTorch's file has."""

from .collate import default_collate, default_convert
from .loader import DataLoader
from .loader import _Pass as _BaseDataLoaderIter
from .worker import get_worker_info

__all__ = [
    "DataLoader", "_BaseDataLoaderIter", "_MultiProcessingDataLoaderIter", "default_collate",
    "default_convert", "get_worker_info",
]  # fmt: skip


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """For isinstance: no iterator is one, as workers belong to the loader and end with it."""
