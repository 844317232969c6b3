"""Switches for writing and reading checkpoints, under PyTorch's names."""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager

_checksums = True
_mapping = mmap.MAP_PRIVATE
_without_data = False


def set_crc32_options(compute_crc32: bool) -> None:
    """Whether `save` computes checksums. Without them the file says 0, which `load` does not check;
    other programs may take the archive for damaged."""
    global _checksums
    _checksums = bool(compute_crc32)


def get_crc32_options() -> bool:
    """Whether `save` computes checksums."""
    return _checksums


def set_default_mmap_options(flags: int) -> None:
    """How `load(mmap=True)` maps a file: `mmap.MAP_PRIVATE`, so that writing to a tensor does not
    change the file, or `mmap.MAP_SHARED`, so that it does.

    Raises:
        ValueError: other flags.
    """
    global _mapping
    if flags not in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
        raise ValueError(
            f"Invalid argument in function set_default_mmap_options, expected mmap.MAP_PRIVATE or "
            f"mmap.MAP_SHARED, but got {flags}"
        )
    _mapping = flags


def get_default_mmap_options() -> int:
    """How `load(mmap=True)` maps a file."""
    return _mapping


@contextmanager
def skip_data(materialize_fake_tensors: bool = False) -> Iterator[None]:
    """Within the block, `save` writes zeros for the elements of tensors: the file has its final
    size and places, for somebody else to fill. On most file systems the zeros take no room.

    Args:
        materialize_fake_tensors: accepted; there are no fake tensors.
    """
    global _without_data
    before, _without_data = _without_data, True
    try:
        yield
    finally:
        _without_data = before


def writes_data() -> bool:
    """Whether the elements of tensors are written."""
    return not _without_data
