"""Node, one operation of a graph: to name, as there is no tracer that makes one."""

from collections.abc import Callable
from typing import Any, NoReturn

Target = Callable[..., Any] | str
Argument = Any


class Absent:
    """A class whose objects only a tracer could make; making one is an error."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        refuse(type(self))


def refuse(kind: type) -> NoReturn:
    """Says that an object of a class cannot be made."""
    raise NotImplementedError(
        f"fx.{kind.__name__}: kagari has no tracer (docs/not_supported.md); run the module itself"
    )


class Node(Absent):
    """An operation of a graph."""
