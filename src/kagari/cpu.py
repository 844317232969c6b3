"""The CPU as a device: memory statistics and limits, and what programs ask of any device."""

from typing import Any

from kagari import _C


def memory_stats() -> dict[str, int]:
    """Bytes that tensors hold (now, at most), bytes kept for reuse, requests, hits, the limit."""
    return _C._memory_stats()


def memory_allocated() -> int:
    """Bytes that tensors hold."""
    return memory_stats()["allocated"]


def max_memory_allocated() -> int:
    """The most bytes that tensors have held since the last reset."""
    return memory_stats()["peak_allocated"]


def memory_cached() -> int:
    """Bytes that tensors have freed and that are kept for reuse."""
    return memory_stats()["cached"]


def reset_peak_memory_stats() -> None:
    """Starts counting the maximum anew."""
    _C._reset_peak_memory()


def empty_cache() -> None:
    """Gives the memory kept for reuse back to the system."""
    _C._empty_cache()


def set_memory_limit(bytes: int) -> None:
    """Bounds what tensors hold and what is kept for reuse together; 0 lifts the limit."""
    _C._set_memory_limit(bytes)


def is_available() -> bool:
    """Always: there is a CPU."""
    return True


def device_count() -> int:
    """One."""
    return 1


def current_device() -> str:
    """Its name."""
    return "cpu"


def synchronize(device: Any = None) -> None:
    """Nothing to wait for: CPU work is done when a call returns."""
