"""torch.accelerator: what programs ask of an accelerator. There is none, and it says so."""

from typing import Any, NoReturn

from kagari import device as _device

__all__ = [
    "current_accelerator", "current_device_index", "current_stream", "device_count",
    "empty_cache", "get_device_capability", "get_memory_info", "is_available",
    "max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved",
    "memory_stats", "reset_accumulated_memory_stats", "reset_peak_memory_stats",
    "set_device_index", "set_stream", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """Is there an accelerator? No.

    >>> is_available()
    False
    """
    return False


def current_accelerator(check_available: bool = False) -> _device | None:
    """The kind of accelerator kagari was built for: None.

    >>> current_accelerator() is None
    True
    """
    return None


def device_count() -> int:
    """How many there are: none.

    >>> device_count()
    0
    """
    return 0


def _absent(*args: Any, **kwargs: Any) -> NoReturn:
    """An error: there is no accelerator."""
    raise RuntimeError(
        "Cannot access accelerator device when none is available; "
        "ask torch.accelerator.is_available() first"
    )


current_device_index = current_stream = empty_cache = get_device_capability = _absent
get_memory_info = max_memory_allocated = max_memory_reserved = memory_allocated = _absent
memory_reserved = memory_stats = reset_accumulated_memory_stats = _absent
reset_peak_memory_stats = set_device_index = set_stream = synchronize = _absent
