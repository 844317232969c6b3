"""What masked operations share: the mask in the shape of its tensor, and what fills the rest."""

from collections.abc import Sequence
from typing import Any

import kagari
from kagari import Tensor

_LOWEST = ("amax", "argmax", "logsumexp", "softmax", "log_softmax", "logaddexp")
_HIGHEST = ("amin", "argmin", "softmin")
Dims = int | Sequence[int] | None


def full_mask(input: Tensor, mask: Tensor) -> Tensor:
    """The mask as bool, in the shape of `input`."""
    if mask.dim() > input.dim():
        raise IndexError(
            "expected a mask that broadcasts to the input, but it has more dimensions, "
            f"{mask.dim()} instead of at most {input.dim()}"
        )
    mask = mask if mask.shape == input.shape else mask.expand(input.shape)
    return mask if mask.dtype is kagari.bool else mask != 0


def identity(op: str, dtype: Any) -> Any:
    """The number that changes no result of `op`."""
    if op in _LOWEST or op in _HIGHEST:
        if dtype.is_floating_point or dtype.is_complex:
            return float("-inf") if op in _LOWEST else float("inf")
        if dtype is kagari.bool:
            raise NotImplementedError(f"identity of {op} on {dtype} input")
        limits = kagari.iinfo(dtype)
        return limits.min if op in _LOWEST else limits.max
    return 1 if op in ("prod", "cumprod") else float("nan") if op == "median" else 0


def filled(op: str, input: Tensor, mask: Tensor | None, value: Any = None) -> Tensor:
    """`input` with the identity of `op`, or `value`, where the mask is not."""
    value = identity(op, input.dtype) if value is None else value
    if mask is None:
        return input
    fill = kagari.full((), value, dtype=input.dtype, device=input.device)
    return kagari.where(full_mask(input, mask), input, fill)


def all_dims(dim: Dims, rank: int) -> tuple[int, ...]:
    """The dimensions as numbers from 0, increasing; none named are all."""
    given = [dim] if isinstance(dim, int) else list(dim or ())
    if not given:
        return tuple(range(rank))
    dims = []
    for d in given:
        if d % max(rank, 1) in dims:
            raise RuntimeError(f"dim={d} appears multiple times in the list of dims")
        if not -max(rank, 1) <= d < max(rank, 1):
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but "
                f"got {d})"
            )
        dims.append(d % max(rank, 1))
    return tuple(sorted(dims)) if rank else ()
