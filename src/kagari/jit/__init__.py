"""torch.jit as PyTorch has it with PYTORCH_JIT=0: programs run as Python.

What marks code for the TorchScript compiler is here and changes nothing, as there; `script` gives
the function or module back, as there. What only a compiled program could do (save, trace, graph)
is not here. See docs/not_supported.md.
"""

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar
from typing import Final as Final

_T = TypeVar("_T")

__all__ = [
    "Final", "annotate", "export", "ignore", "is_scripting", "is_tracing", "isinstance",
    "script", "script_if_tracing", "unused",
]  # fmt: skip

_isinstance = isinstance


def is_scripting() -> bool:
    """Is this code compiled by TorchScript? Never.

    >>> is_scripting()
    False
    """
    return False


def is_tracing() -> bool:
    """Is this call being traced? Never.

    >>> is_tracing()
    False
    """
    return False


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Marks a function that TorchScript leaves to Python; used bare or with arguments.

    >>> ignore(len) is len
    True
    """
    return drop if callable(drop) else lambda function: function


def unused(fn: _T) -> _T:
    """Marks a function that TorchScript replaces by an error.

    >>> unused(len) is len
    True
    """
    return fn


def export(fn: _T) -> _T:
    """Marks a method that TorchScript compiles besides `forward`.

    >>> export(len) is len
    True
    """
    return fn


def annotate(the_type: Any, the_value: _T) -> _T:
    """The value: its type is for TorchScript.

    >>> annotate(list, [1])
    [1]
    """
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:
    """Python's isinstance, for generic types by what they are made of.

    >>> isinstance([1, 2], list[int])
    True
    """
    origin = getattr(target_type, "__origin__", None)
    if origin is None:
        return _isinstance(obj, target_type)
    arguments = [arg for arg in target_type.__args__ if arg is not ...]
    if not _isinstance(origin, type):  # Union, Optional
        return any(isinstance(obj, arg) for arg in arguments)
    if not _isinstance(obj, origin):
        return False
    if origin is dict:
        key, value = arguments
        return all(isinstance(k, key) and isinstance(v, value) for k, v in obj.items())
    if origin is tuple and len(arguments) > 1:
        return len(obj) == len(arguments) and all(map(isinstance, obj, arguments))
    return all(isinstance(item, arguments[0]) for item in obj)


def script(
    obj: Any,
    optimize: Any = None,
    _frames_up: int = 0,
    _rcb: Any = None,
    example_inputs: Any = None,
) -> Any:
    """The function, class or module itself, as in PyTorch with PYTORCH_JIT=0.

    TorchScript promises the results of the Python it compiles, so this is the same program. What
    only a compiled one has (`save`, `graph`, `code`) raises AttributeError.

    >>> @script
    ... def double(x):
    ...     return x + x
    >>> double(2)
    4
    """
    return obj


def script_if_tracing(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function: it would be compiled inside a trace, and nothing is traced.

    >>> script_if_tracing(len)([1])
    1
    """

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    return call


def _overload(fn: _T) -> _T:
    """Marks a declaration of other argument types."""
    return fn


_overload_method = _overload


_script_if_tracing = script_if_tracing


def __getattr__(name: str) -> Any:
    if name in ("RecursiveScriptModule", "ScriptFunction", "ScriptModule"):
        return getattr(import_module("kagari.jit.script_module"), name)
    raise AttributeError(f"module 'kagari.jit' has no attribute '{name}'")
