"""Statistical functions, all, any and cumulative ones by the array API standard.

The standard's `axis` is None, an int or a tuple (an empty one reduces nothing), and unsigned
integers are added up in uint64.
"""

from typing import Any

import kagari
from kagari import Tensor

__all__ = [
    "all", "any", "count_nonzero", "cumulative_prod", "cumulative_sum", "max", "mean", "min",
    "prod", "std", "sum", "var",
]  # fmt: skip

Axis = int | tuple[int, ...] | None


def _over(x: Tensor, axis: Axis, keepdims: bool) -> tuple[Tensor, dict[str, Any]]:
    """The array and the arguments that reduce it over `axis` in kagari's functions."""
    if axis == ():  # nothing to reduce, which kagari's functions take for everything
        return x.unsqueeze(-1), {"dim": (-1,), "keepdim": False}
    dims = tuple(range(x.ndim)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return x, {"dim": dims, "keepdim": keepdims}


def accumulated(x: Tensor, dtype: Any) -> Any:
    """The dtype of a sum: the widest of its kind for integers.

    >>> accumulated(kagari.ones(1, dtype=kagari.uint8), None)
    torch.uint64
    """
    if dtype is not None:
        return dtype
    if x.dtype.is_floating_point or x.dtype.is_complex:
        return x.dtype
    return kagari.int64 if x.dtype.is_signed or x.dtype is kagari.bool else kagari.uint64


def sum(x: Tensor, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The sum over `axis`.

    >>> kagari.array_api.sum(kagari.tensor([[1, 2], [3, 4]]), axis=0)
    tensor([4, 6])
    """
    x, over = _over(x.to(accumulated(x, dtype)), axis, keepdims)
    return kagari.sum(x, dtype=x.dtype, **over)


def prod(x: Tensor, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The product over `axis`, one dimension after the other.

    >>> kagari.array_api.prod(kagari.tensor([[1, 2], [3, 4]]), axis=(0, 1))
    tensor(24)
    """
    x, over = _over(x.to(accumulated(x, dtype)), axis, keepdims)
    dtype, rank = x.dtype, x.ndim
    for dim in sorted((d % rank for d in over["dim"]), reverse=True):
        x = kagari.prod(x, dim, over["keepdim"], dtype=dtype)
    return x


def max(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest value over `axis`, NaN if there is one."""
    x, over = _over(x, axis, keepdims)
    return kagari.amax(x, **over)


def min(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest value over `axis`, NaN if there is one."""
    x, over = _over(x, axis, keepdims)
    return kagari.amin(x, **over)


def mean(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean over `axis`, of floating arrays."""
    x, over = _over(x, axis, keepdims)
    return kagari.mean(x, **over)


def var(
    x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """The variance over `axis`, divided by N - correction.

    >>> kagari.array_api.var(kagari.tensor([1., 3.]))
    tensor(1.)
    """
    x, over = _over(x, axis, keepdims)
    return kagari.var(x, correction=correction, **over)


def std(
    x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """The square root of the variance."""
    x, over = _over(x, axis, keepdims)
    return kagari.std(x, correction=correction, **over)


def all(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Is every element over `axis` true? A bool array for any dtype."""
    x, over = _over(x.to(kagari.bool), axis, keepdims)
    return kagari.all(x, **over)


def any(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Is one of the elements over `axis` true? A bool array for any dtype."""
    x, over = _over(x.to(kagari.bool), axis, keepdims)
    return kagari.any(x, **over)


def count_nonzero(x: Tensor, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """How many elements over `axis` are not zero.

    >>> kagari.array_api.count_nonzero(kagari.tensor([1, 0, 2]))
    tensor(2)
    """
    return sum(x != 0, axis=axis, keepdims=keepdims)


def _cumulative(
    op: Any, first: int, x: Tensor, axis: int | None, dtype: Any, include_initial: bool
) -> Tensor:
    if axis is None:
        if x.ndim != 1:
            raise ValueError(
                f"{op.__name__}: axis: expected an int for {x.ndim} dimensions, got None"
            )
        axis = 0
    result = op(x, axis, dtype=accumulated(x, dtype))
    if not include_initial:
        return result
    sizes = list(x.shape)
    sizes[axis] = 1
    start = kagari.full(sizes, first, dtype=result.dtype, device=x.device)
    return kagari.cat([start, result], axis)


def cumulative_sum(
    x: Tensor, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """The sums of the first elements along `axis`; from 0 on with `include_initial`.

    >>> kagari.array_api.cumulative_sum(kagari.tensor([1, 2, 3]), include_initial=True)
    tensor([0, 1, 3, 6])
    """
    return _cumulative(kagari.cumsum, 0, x, axis, dtype, include_initial)


def cumulative_prod(
    x: Tensor, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """The products of the first elements along `axis`; from 1 on with `include_initial`.

    >>> kagari.array_api.cumulative_prod(kagari.tensor([1, 2, 3]))
    tensor([1, 2, 6])
    """
    return _cumulative(kagari.cumprod, 1, x, axis, dtype, include_initial)
