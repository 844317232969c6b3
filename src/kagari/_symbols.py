"""The sym_ functions on plain numbers, which is what sizes are here: programs that also run under a
tracer call them instead of Python's own."""

import math
import numbers
from typing import Any


def _numbers(op: str, *values: Any) -> None:
    for value in values:
        if not isinstance(value, numbers.Real):  # NumPy's scalars are real numbers too
            raise AssertionError(f"{op}: expected an int or a float, got {type(value).__name__}")


def _common(found: Any, a: Any, b: Any) -> Any:
    whole = isinstance(a, numbers.Integral) and isinstance(b, numbers.Integral)
    return found if whole else float(found)


def sym_int(a: Any) -> int:
    """The integer towards zero.

    >>> kagari.sym_int(-3.7)
    -3
    """
    return math.trunc(a)


def sym_float(a: Any) -> float:
    """The number as a float.

    >>> kagari.sym_float(3)
    3.0
    """
    return float(a)


def sym_not(a: Any) -> bool:
    """not a.

    >>> kagari.sym_not(True)
    False
    """
    return not a


def sym_ite(b: Any, t: Any, f: Any) -> Any:
    """t if b else f, which must be of one type.

    >>> kagari.sym_ite(True, 1, 2)
    1
    """
    if type(t) is not type(f):
        raise AssertionError(f"sym_ite: t and f: expected one type, got {type(t)} and {type(f)}")
    return t if b else f


def sym_max(a: Any, b: Any) -> Any:
    """The larger number; a float if either is one.

    >>> kagari.sym_max(3, 2.5)
    3.0
    """
    _numbers("sym_max", a, b)
    return _common(max(a, b), a, b)


def sym_min(a: Any, b: Any) -> Any:
    """The smaller number; a float if either is one.

    >>> kagari.sym_min(3, 2)
    2
    """
    _numbers("sym_min", a, b)
    return _common(min(a, b), a, b)


def sym_sqrt(a: Any) -> float:
    """The square root.

    >>> kagari.sym_sqrt(4)
    2.0
    """
    return math.sqrt(a)


def sym_sum(*args: Any) -> Any:
    """The sum of the arguments, or of the items of one list.

    >>> kagari.sym_sum([1, 2, 3])
    6
    """
    items = args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args
    return sum(items)


def sym_constrain_range(size: Any, *, min: int | None = None, max: int | None = None) -> None:
    """Checks that min <= size <= max; RuntimeError otherwise.

    >>> kagari.sym_constrain_range(3, min=1, max=5)
    """
    if (min is not None and size < min) or (max is not None and size > max):
        raise RuntimeError(f"sym_constrain_range: size: expected {min} to {max}, got {size}")


__all__ = [
    "sym_constrain_range", "sym_float", "sym_int", "sym_ite", "sym_max", "sym_min", "sym_not",
    "sym_sqrt", "sym_sum",
]  # fmt: skip
