"""Settings of the process that PyTorch has, kept for programs that read them back. kagari's results
never depend on the number of threads, so asking for determinism changes nothing."""

import warnings

PRECISIONS = ("highest", "high", "medium")

_precision = "highest"
_deterministic, _warn_only, _warn_always = False, False, False


def set_float32_matmul_precision(precision: str) -> None:
    """One of "highest", "high", "medium"; kagari always computes at the highest."""
    global _precision
    if precision not in PRECISIONS:
        raise ValueError(
            f"set_float32_matmul_precision: precision: expected one of {PRECISIONS}, "
            f"got {precision!r}"
        )
    _precision = precision


def get_float32_matmul_precision() -> str:
    """What was set last."""
    return _precision


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """All algorithms are deterministic anyway."""
    global _deterministic, _warn_only
    if not isinstance(mode, bool):
        raise TypeError(
            f"use_deterministic_algorithms: mode: expected a bool, got {type(mode).__name__}"
        )
    _deterministic, _warn_only = mode, warn_only


def are_deterministic_algorithms_enabled() -> bool:
    """Has the program asked for them?"""
    return _deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Has it asked for warnings only?"""
    return _deterministic and _warn_only


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """0 or "default", 1 or "warn", 2 or "error"."""
    names: dict[int | str, int] = {"default": 0, "warn": 1, "error": 2, 0: 0, 1: 1, 2: 2}
    if debug_mode not in names:
        raise RuntimeError(
            f"set_deterministic_debug_mode: debug_mode: expected one of {list(names)}, "
            f"got {debug_mode!r}"
        )
    level = names[debug_mode]
    use_deterministic_algorithms(level > 0, warn_only=level == 1)


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2."""
    return 0 if not _deterministic else 1 if _warn_only else 2


def set_warn_always(b: bool) -> None:
    """Repeats warnings that are otherwise given once."""
    global _warn_always
    _warn_always = b
    warnings.simplefilter("always" if b else "default", UserWarning)


def is_warn_always_enabled() -> bool:
    """What was set last."""
    return _warn_always


def set_flush_denormal(mode: bool) -> bool:
    """Not supported: subnormal numbers are always kept. False says so."""
    return False


__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_warn_always",
    "use_deterministic_algorithms",
]
