"""Arguments and results of transforms: which are differentiated, and what they must be."""

from collections.abc import Iterable
from typing import Any

from .._C import Tensor

Argnums = int | tuple[int, ...]


def checked_argnums(argnums: Any, count: int) -> Argnums:
    """The argument numbers, none negative. RuntimeError unless they are among `count`."""
    if isinstance(argnums, int):
        return _checked_argnum(argnums, count)
    if not isinstance(argnums, tuple) or not all(isinstance(n, int) for n in argnums):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if not argnums:
        raise RuntimeError("argnums must be non-empty")
    found = tuple(_checked_argnum(n, count) for n in argnums)
    if len(set(found)) != len(found):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return found


def _checked_argnum(argnum: int, count: int) -> int:
    if not -count <= argnum < count:
        raise RuntimeError(f"Got argnum={argnum}, but only {count} positional inputs")
    return argnum % count


def chosen(args: tuple[Any, ...], argnums: Argnums) -> Any:
    """The arguments with these numbers: one, or a tuple."""
    return args[argnums] if isinstance(argnums, int) else tuple(args[n] for n in argnums)


def replaced(args: tuple[Any, ...], argnums: Argnums, values: Any) -> list[Any]:
    """The arguments with others at these numbers."""
    result = list(args)
    numbers = (argnums,) if isinstance(argnums, int) else argnums
    given = (values,) if isinstance(argnums, int) else values
    for n, value in zip(numbers, given, strict=True):
        result[n] = value
    return result


def split_aux(output: Any, name: str) -> tuple[Any, Any]:
    """(value, aux) as a function with has_aux returns it."""
    if not isinstance(output, tuple) or len(output) != 2:
        raise RuntimeError(
            f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True"
        )
    return output


def tensors_only(values: Iterable[Any], what: str) -> None:
    """RuntimeError if one of them is no tensor."""
    for value in values:
        if not isinstance(value, Tensor):
            raise RuntimeError(f"{what}, got unsupported type {type(value)}")
