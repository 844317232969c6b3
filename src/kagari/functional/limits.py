"""One-sided clamps and powers of a vector: clamp_max, clamp_min, vander."""

from typing import Any

import kagari
from kagari import Tensor
from kagari._outputs import write_out


def _clamped(op: str, input: Tensor, bound: Any, out: Tensor | None) -> Tensor:
    if not isinstance(bound, (Tensor, int, float, complex)):
        raise TypeError(f"{op}(): expected a tensor or a number as bound, got {bound!r}")
    if input.is_complex() or (isinstance(bound, Tensor) and bound.is_complex()):
        raise NotImplementedError(f"{op} is not supported for complex types")
    if isinstance(bound, complex):
        raise NotImplementedError(f"{op} is not supported for complex types")
    if input.dtype is kagari.bool and isinstance(bound, Tensor) and bound.dtype is kagari.bool:
        made = input & bound if op == "clamp_max" else input | bound
        if out is input:
            return input.copy_(made)
        return made if out is None else write_out(out, made, op)
    if out is input:
        return input.clamp_(**{op[-3:]: bound})
    options: dict[str, Any] = {op[-3:]: bound} if out is None else {op[-3:]: bound, "out": out}
    return kagari.clamp(input, **options)


def clamp_max(input: Tensor, max: Any, *, out: Tensor | None = None) -> Tensor:
    """The smaller of each element and `max`, a number or a tensor that broadcasts.

    >>> kagari.clamp_max(kagari.tensor([1, 5]), 3)
    tensor([1, 3])
    """
    return _clamped("clamp_max", input, max, out)


def clamp_min(input: Tensor, min: Any, *, out: Tensor | None = None) -> Tensor:
    """The larger of each element and `min`, a number or a tensor that broadcasts.

    >>> kagari.clamp_min(kagari.tensor([1, 5]), 3)
    tensor([3, 5])
    """
    return _clamped("clamp_min", input, min, out)


def clamp_max_(input: Tensor, max: Any) -> Tensor:
    """`clamp_max` in place: RuntimeError where the result has another dtype.

    >>> kagari.clamp_max_(kagari.tensor([1, 5]), 3)
    tensor([1, 3])
    """
    return _clamped("clamp_max", input, max, input)


def clamp_min_(input: Tensor, min: Any) -> Tensor:
    """`clamp_min` in place: RuntimeError where the result has another dtype.

    >>> kagari.clamp_min_(kagari.tensor([1, 5]), 3)
    tensor([3, 5])
    """
    return _clamped("clamp_min", input, min, input)


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The Vandermonde matrix: the powers of each element of `x`, from N - 1 down to 0.

    Args:
        N: how many, as many as elements by default.
        increasing: from 0 up.

    >>> kagari.vander(kagari.tensor([1, 2, 3]))
    tensor([[1, 1, 1],
            [4, 2, 1],
            [9, 3, 1]])
    """
    if x.dim() != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, got {x.dim()} dimensions")
    count = x.numel() if N is None else N
    if count < 0:
        raise RuntimeError(f"N must be non-negative, got {count}")
    if not (x.is_floating_point() or x.is_complex()):
        x = x.to(kagari.int64)
    powers = kagari.linalg.vander(x, N=count) if count else x.new_ones(x.numel(), 0)
    return powers if increasing else powers.flip(-1)
