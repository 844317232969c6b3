"""The CPU that kernels were chosen for."""

from kagari import _C

__all__ = ["get_cpu_capability"]

_NAMES = {"x86-64-v4": "AVX512", "x86-64-v3": "AVX2"}


def get_cpu_capability() -> str:
    """Either "AVX512", "AVX2" or, for other processors, "DEFAULT"."""
    return _NAMES.get(_C.cpu_level(), "DEFAULT")
