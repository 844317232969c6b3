"""What programs ask and tell the compiler. There is none yet, and the answers say so.

`compile` itself refuses: see docs/not_supported.md.
"""

from collections.abc import Callable
from typing import Any

__all__ = [
    "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable",
    "is_compiling", "is_dynamo_compiling", "is_exporting", "list_backends", "reset",
]  # fmt: skip


def is_compiling() -> bool:
    """Is this code being compiled or exported? Never.

    >>> is_compiling()
    False
    """
    return False


def is_dynamo_compiling() -> bool:
    """Is this code being read by PyTorch's compiler front end? Never.

    >>> is_dynamo_compiling()
    False
    """
    return False


def is_exporting() -> bool:
    """Is this code being exported? Never.

    >>> is_exporting()
    False
    """
    return False


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """The names that `compile(backend=...)` takes: none.

    >>> list_backends()
    []
    """
    return []


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Marks a function that is not to be compiled, and gives it back; used bare or with arguments.

    >>> disable(len) is len
    True
    """
    return (lambda function: function) if fn is None else fn


def allow_in_graph(fn: Any) -> Any:
    """Marks functions that a compiler calls without reading them, and gives them back.

    >>> allow_in_graph(len) is len
    True
    """
    return fn


def assume_constant_result(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a function whose result a compiler may keep, and gives it back.

    >>> assume_constant_result(len) is len
    True
    """
    return fn


def reset() -> None:
    """Forgets what has been compiled: nothing has.

    >>> reset()
    """


def cudagraph_mark_step_begin() -> None:
    """Tells CUDA graphs that a step begins: there are none.

    >>> cudagraph_mark_step_begin()
    """


def compile(
    model: Any = None, *, fullgraph: bool = False, dynamic: bool | None = None,
    backend: Any = "inductor", mode: str | None = None, options: Any = None,
    disable: bool = False, **kwargs: Any,
) -> Any:  # fmt: skip
    """Would make a function or module faster: NotImplementedError. With `disable` it gives the
    model back, as in PyTorch.

    >>> compile(len, disable=True) is len
    True
    """
    if disable:
        return (lambda function: function) if model is None else model
    raise NotImplementedError(
        "compile: kagari has no compiler yet (docs/not_supported.md); run the function itself"
    )
