"""Older names of kagari.profiler: what runs without a profiler is there, the rest refuses."""

from typing import Any

from kagari.profiler import profile, record_function, refuse

__all__ = ["EventList", "emit_nvtx", "profile", "record_function"]


class EventList(list[Any]):
    """What a profiler has seen: no list is one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        refuse("EventList")


class emit_nvtx:
    """Would name ops for NVIDIA's profiler: refuses."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        refuse("emit_nvtx")
