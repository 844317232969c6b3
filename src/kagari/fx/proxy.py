"""Proxy, which stands for a value while a program is traced, and `wrap`, a mark for the tracer."""

from typing import TypeVar

from .node import Absent

_T = TypeVar("_T")


class Proxy(Absent):
    """Stands for a value of a traced program: no value is one, as nothing is traced."""


def wrap(fn_or_name: _T) -> _T:
    """Marks a function that a tracer calls without looking into it, and gives it back.

    >>> wrap(len) is len
    True
    """
    if not callable(fn_or_name) and not isinstance(fn_or_name, str):
        raise RuntimeError(
            "wrap: expected a function or the name of one in this module, got "
            f"{type(fn_or_name).__name__}"
        )
    return fn_or_name
