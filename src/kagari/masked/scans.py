"""Sums and products up to each element, in which only the elements under a mask count."""

from typing import Any

from kagari import Tensor

from .filling import all_dims, filled


def _scan(op: str, input: Tensor, dim: int, dtype: Any, mask: Tensor | None) -> Tensor:
    dtype = input.dtype if dtype is None else dtype
    values = filled(op, input, mask)
    all_dims(dim, input.dim())  # for its errors
    return getattr(values, op)(dim, dtype=dtype)


def cumsum(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The sums along `dim` of the elements under the mask so far, of the dtype of `input`.

    >>> kagari.masked.cumsum(kagari.tensor([1, 2, 3]), 0, mask=kagari.tensor([True, False, True]))
    tensor([1, 1, 4])
    """
    return _scan("cumsum", input, dim, dtype, mask)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The products along `dim` of the elements under the mask so far, of the dtype of `input`.

    >>> kagari.masked.cumprod(kagari.tensor([1, 2, 3]), 0, mask=kagari.tensor([True, False, True]))
    tensor([1, 1, 3])
    """
    return _scan("cumprod", input, dim, dtype, mask)
