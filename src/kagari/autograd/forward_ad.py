"""Forward-mode differentiation: tensors that carry a tangent, the derivative along one direction.

>>> import kagari.autograd.forward_ad as fwAD
>>> with fwAD.dual_level():
...     x = fwAD.make_dual(kagari.tensor(3.0), kagari.tensor(1.0))
...     fwAD.unpack_dual(x * x).tangent
tensor(6.)
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, Self

from .. import _C
from .._C import Tensor
from . import forward_rules  # noqa: F401  registers itself

_ops = _C.places["ops"]
_current_level = -1  # as in PyTorch: how deep the levels entered here are, -1 for none
_entered: list[int] = []


class UnpackedDualTensor(NamedTuple):
    """What a dual tensor is made of; `tangent` is None for a plain one."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level() -> int:
    """Starts a level in which tensors may have tangents, and returns its number."""
    global _current_level
    _entered.append(_C._enter_dual_level())
    _current_level += 1
    return _current_level


def exit_dual_level(*, level: int | None = None) -> None:
    """Ends the innermost level; its tangents are gone. RuntimeError for another `level`."""
    global _current_level
    if level is None:
        level = _current_level
    if level != _current_level or not _entered:
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This "
            "is not supported."
        )
    _C._exit_dual_level(_entered[-1])
    _entered.pop()
    _current_level -= 1


def _id_of(level: int | None, what: str) -> int | None:
    """The core's number of a level; None for no level at all."""
    number = _current_level if level is None else level
    return _entered[number] if 0 <= number < len(_entered) else None


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """A tensor on the same memory that carries `tangent`, of its shape, inside this level.

    ValueError unless both are of a floating or complex dtype, RuntimeError for another shape or
    outside of any level.
    """
    found = _id_of(level, "make_dual")
    if found is None:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    if _C._tangent(tensor, found) is not None:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the "
            f"same level {_current_level if level is None else level} is not supported."
        )
    return dual(tensor, tangent, found)


def dual(tensor: Tensor, tangent: Tensor, level: int) -> Tensor:
    """make_dual for a level of the core."""
    for name, value in (("primal", tensor), ("tangent", tangent)):
        if not (value.dtype.is_floating_point or value.dtype.is_complex):
            raise ValueError(
                f"Expected {name} to be floating point or complex, but got: {value.dtype}"
            )
    if tensor.shape != tangent.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported. Tensor is of size {list(tensor.shape)} while the "
            f"given forward gradient is of size {list(tangent.shape)}."
        )
    before = _C._enable_dual_level(level, False)
    try:
        made = _ops["_same_memory"](tensor)
    finally:
        _C._enable_dual_level(level, before)
    _C._set_tangent(made, tangent, level)
    return made


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """(primal, tangent) of a tensor at this level."""
    found = _id_of(level, "unpack_dual")
    if found is None:
        return UnpackedDualTensor(tensor, None)
    return UnpackedDualTensor(*parts(tensor, found))


def parts(tensor: Tensor, level: int) -> tuple[Tensor, Tensor | None]:
    """unpack_dual for a level of the core."""
    tangent = _C._tangent(tensor, level)
    if tangent is None:
        return tensor, None
    before = _C._enable_dual_level(level, False)
    try:
        return _ops["_same_memory"](tensor), _ops["_alias"](tangent)
    finally:
        _C._enable_dual_level(level, before)


class _Block:
    """A context manager that also decorates functions."""

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return wrapped

    def _again(self) -> Any:
        return type(self)()


class dual_level(_Block):
    """Inside, tensors may have tangents; they end with the block."""

    def __enter__(self) -> int:
        self.level = enter_dual_level()
        return self.level

    def __exit__(self, *exception: object) -> None:
        exit_dual_level(level=self.level)


class _set_fwd_grad_enabled(_Block):
    """Whether tangents are computed, from now on or until the end of the block."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self.before = _C._set_fwd_grad_enabled(mode)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        _C._set_fwd_grad_enabled(self.before)

    def _again(self) -> "_set_fwd_grad_enabled":
        return _set_fwd_grad_enabled(self.mode)


def _is_fwd_grad_enabled() -> bool:
    return _C._is_fwd_grad_enabled()


set_fwd_grad_enabled = _set_fwd_grad_enabled
is_fwd_grad_enabled = _is_fwd_grad_enabled
