"""Checks that libraries make of arguments with PyTorch's private functions: an error if False."""

from collections.abc import Callable
from typing import Any

import kagari
from kagari import Tensor

_Message = Callable[[], object] | None


def _assert(condition: Any, message: str) -> None:
    """`assert` as a function; a tensor may have one element."""
    assert condition, message


def _check_with(error_type: type[Exception], cond: bool, message: _Message) -> None:
    """An error of that type, with what `message()` gives, unless `cond` is True."""
    if isinstance(cond, Tensor):
        raise TypeError(
            "_check: cond: expected a bool, got a tensor; _check_tensor_all says it of all elements"
        )
    if not isinstance(cond, bool):
        raise TypeError(f"_check: cond: expected a bool, got {type(cond).__name__}")
    if cond:
        return
    if message is None:
        raise error_type("expected cond to be True, got False")
    if not callable(message):
        raise TypeError(f"_check: message: expected a function, got {type(message).__name__}")
    raise error_type(str(message()))


def _check(cond: bool, message: _Message = None) -> None:
    """RuntimeError unless `cond`.

    >>> kagari._check(True, lambda: "never said")
    """
    _check_with(RuntimeError, cond, message)


def _check_index(cond: bool, message: _Message = None) -> None:
    """IndexError unless `cond`."""
    _check_with(IndexError, cond, message)


def _check_value(cond: bool, message: _Message = None) -> None:
    """ValueError unless `cond`."""
    _check_with(ValueError, cond, message)


def _check_type(cond: bool, message: _Message = None) -> None:
    """TypeError unless `cond`."""
    _check_with(TypeError, cond, message)


def _check_not_implemented(cond: bool, message: _Message = None) -> None:
    """NotImplementedError unless `cond`."""
    _check_with(NotImplementedError, cond, message)


def _check_is_size(i: int, message: _Message = None, *, max: int | None = None) -> None:
    """RuntimeError unless `i` is 0 or more, and `max` or less."""
    _check(i >= 0 and (max is None or i <= max), message)


def _check_tensor_all_with(error_type: type[Exception], cond: Tensor, message: _Message) -> None:
    """An error of that type unless every element is True."""
    if not isinstance(cond, Tensor):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    if cond.dtype is not kagari.bool:
        raise TypeError(f"cond tensor must have dtype torch.bool, but got {cond.dtype}")
    _check_with(error_type, bool(cond.all()), message)


def _check_tensor_all(cond: Tensor, message: _Message = None) -> None:
    """RuntimeError unless every element is True."""
    _check_tensor_all_with(RuntimeError, cond, message)


def _assert_async(condition: Tensor, message: str = "Assertion failed") -> None:
    """RuntimeError unless the one element is not zero."""
    if not bool(condition):
        raise RuntimeError(message)


def _shape_as_tensor(self: Tensor) -> Tensor:
    """The sizes as a tensor.

    >>> kagari._shape_as_tensor(kagari.ones(2, 3))
    tensor([2, 3])
    """
    return kagari.tensor(list(self.shape))
