"""Reductions of the elements under a mask: sum, prod, mean, median, var, amax, norm, ...

Everywhere `dim` is one or several dimensions (all by default), `dtype` that of the result, and
`mask` broadcasts to the input and is True for the elements that count. A row without any gives the
identity of the reduction, or NaN where there is none.
"""

from typing import Any

import kagari
from kagari import Tensor

from .filling import Dims, all_dims, filled, full_mask

_SMALL = (kagari.bool, kagari.uint8, kagari.int8, kagari.int16, kagari.int32)


def _summed_dtype(input: Tensor, dtype: Any) -> Any:
    if dtype is not None:
        return dtype
    return kagari.int64 if input.dtype in _SMALL else input.dtype


def sum(
    input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The sum of the elements under the mask; 0 where there are none.

    >>> kagari.masked.sum(kagari.tensor([1, 2, 3]), mask=kagari.tensor([True, False, True]))
    tensor(4)
    """
    values, dims = filled("sum", input, mask), all_dims(dim, input.dim())
    dtype = _summed_dtype(input, dtype)
    if not dims and input.dim() == 0:
        return values.to(dtype)
    return values.sum(dims, bool(keepdim), dtype=dtype)


def prod(
    input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The product of the elements under the mask; 1 where there are none.

    >>> kagari.masked.prod(kagari.tensor([1, 2, 3]), mask=kagari.tensor([True, False, True]))
    tensor(3)
    """
    result = filled("prod", input, mask).to(_summed_dtype(input, dtype))
    for d in reversed(all_dims(dim, input.dim())):
        result = result.prod(d, bool(keepdim))
    return result


def _extreme(op: str, input: Tensor, dim: Dims, keepdim: Any, dtype: Any, mask: Any) -> Tensor:
    values = filled(op, input, mask)
    result = getattr(values, op)(all_dims(dim, input.dim()), bool(keepdim))
    return result.to(input.dtype if dtype is None else dtype)


def amax(
    input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The largest element under the mask; the least number of its dtype where there are none.

    >>> kagari.masked.amax(kagari.tensor([1, 2, 3]), mask=kagari.tensor([True, True, False]))
    tensor(2)
    """
    return _extreme("amax", input, dim, keepdim, dtype, mask)


def amin(
    input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The smallest element under the mask; the largest number of its dtype where there are none.

    >>> kagari.masked.amin(kagari.tensor([1, 2, 3]), mask=kagari.tensor([False, True, True]))
    tensor(2)
    """
    return _extreme("amin", input, dim, keepdim, dtype, mask)


def _place(op: str, input: Tensor, dim: int | None, keepdim: Any, dtype: Any, mask: Any) -> Tensor:
    values = filled(op, input, mask)
    return getattr(values, op)(dim, bool(keepdim)).to(input.dtype if dtype is None else dtype)


def argmax(
    input: Tensor, dim: int | None = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Where the largest element under the mask is, as a number of the dtype of `input`.

    >>> kagari.masked.argmax(kagari.tensor([1, 2, 3]), mask=kagari.tensor([True, True, False]))
    tensor(1)
    """
    return _place("argmax", input, dim, keepdim, dtype, mask)


def argmin(
    input: Tensor, dim: int | None = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Where the smallest element under the mask is, as a number of the dtype of `input`.

    >>> kagari.masked.argmin(kagari.tensor([1, 2, 3]), mask=kagari.tensor([False, True, True]))
    tensor(1)
    """
    return _place("argmin", input, dim, keepdim, dtype, mask)


def logsumexp(
    input: Tensor, dim: Dims = None, *, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The logarithm of the sum of the exponentials of the elements under the mask.

    >>> kagari.masked.logsumexp(kagari.zeros(3), mask=kagari.tensor([True, False, False]))
    tensor(0.)
    """
    values = filled("logsumexp", input, mask)
    result = kagari.logsumexp(values, all_dims(dim, input.dim()), keepdim=bool(keepdim))
    return result.to(input.dtype if dtype is None else dtype)


def _counted(input: Tensor, dim: Dims, keepdim: bool, mask: Tensor | None) -> Tensor:
    if mask is None:
        mask = kagari.ones((), dtype=kagari.bool, device=input.device)
    return sum(full_mask(input, mask), dim, keepdim=keepdim)


def mean(
    input: Tensor, dim: Dims = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The mean of the elements under the mask; NaN where there are none.

    ValueError unless `input`, or `dtype`, is floating or complex.

    >>> kagari.masked.mean(kagari.tensor([1.0, 2, 3]), mask=kagari.tensor([True, False, True]))
    tensor(2.)
    """
    dtype = input.dtype if dtype is None else dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        raise ValueError(
            "mean(): Could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {dtype}"
        )
    total = sum(input, dim, keepdim=keepdim, dtype=dtype, mask=mask)
    return total / _counted(input, dim, bool(keepdim), mask)


def median(
    input: Tensor, dim: int = -1, *, keepdim: bool = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The lower median of the elements under the mask, along one dimension.

    NaN where there are none; for integers, which have no NaN, ValueError.

    >>> kagari.masked.median(kagari.tensor([1.0, 2, 3]), mask=kagari.tensor([True, False, True]))
    tensor(1.)
    """
    dtype = input.dtype if dtype is None else dtype
    floating = input.is_floating_point()
    values = filled("median", input if floating else input.float(), mask)
    result = kagari.nanmedian(values, dim, bool(keepdim)).values
    if not floating and result.isnan().any().item():
        raise ValueError(
            "masked median expects no fully masked out rows if dtype is not floating point"
        )
    return result.to(dtype)


def norm(
    input: Tensor, ord: float | None = 2.0, dim: Dims = None, *, keepdim: bool | None = False,
    dtype: Any = None, mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The vector norm of the elements under the mask.

    >>> kagari.masked.norm(kagari.tensor([3.0, 9, 4]), mask=kagari.tensor([True, False, True]))
    tensor(5.)
    """
    ord = 2.0 if ord is None else ord
    values = filled("norm", input, mask, float("inf") if ord == float("-inf") else 0)
    dims = all_dims(dim, input.dim())
    return kagari.linalg.vector_norm(values, ord, dims or None, bool(keepdim), dtype=dtype)


def _correction(unbiased: bool | None, correction: Any) -> Any:
    if correction is None:
        return 1 if unbiased is None or unbiased else 0
    if unbiased is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    return correction


def var(
    input: Tensor, dim: Dims = None, unbiased: bool | None = None, *,
    correction: int | float | None = None, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The variance of the elements under the mask; NaN where they are too few.

    Args:
        correction: taken from their number; `unbiased` is an older name for 1 or 0.

    >>> kagari.masked.var(kagari.tensor([1.0, 9, 3]), mask=kagari.tensor([True, False, True]))
    tensor(2.)
    """
    correction = _correction(unbiased, correction)
    inexact = input.dtype.is_floating_point or input.dtype.is_complex
    dtype = (input.dtype if inexact else kagari.float32) if dtype is None else dtype
    compute = dtype if dtype.is_floating_point or dtype.is_complex else kagari.float32
    count = _counted(input, dim, True, mask)
    centre = sum(input, dim, keepdim=True, dtype=compute, mask=mask) / count
    distance = input - centre
    square = distance * distance.conj()
    total = sum(square, dim, keepdim=keepdim, dtype=compute, mask=mask)
    count = count if keepdim else count.reshape(total.shape)
    if correction != 0:
        real = total.real.dtype if compute.is_complex else compute
        count = (count.to(real) - correction).clamp(min=0)
    return (total / count).to(dtype)


def std(
    input: Tensor, dim: Dims = None, unbiased: bool | None = None, *,
    correction: int | float | None = None, keepdim: bool | None = False, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The standard deviation of the elements under the mask: the root of `var`.

    >>> kagari.masked.std(kagari.tensor([1.0, 9, 3]), mask=kagari.tensor([True, False, True]))
    tensor(1.4142)
    """
    variance = var(input, dim, unbiased, correction=correction, keepdim=keepdim, dtype=dtype,
                   mask=mask)  # fmt: skip
    return variance.sqrt()
