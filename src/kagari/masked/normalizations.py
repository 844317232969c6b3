"""Softmax and its relatives, normalize and logaddexp of the elements under a mask."""

from typing import Any

import kagari
from kagari import Tensor

from .filling import all_dims, filled
from .reductions import norm


def _soft(op: str, input: Tensor, dim: int, dtype: Any, mask: Tensor | None) -> Tensor:
    dtype = input.dtype if dtype is None else dtype
    all_dims(dim, input.dim())  # for its errors
    return getattr(kagari.nn.functional, op)(filled(op, input, mask), dim, dtype=dtype)


def softmax(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """exp(x) divided by its sum over the elements under the mask; 0 for the others.

    `input` is floating. A row without any element under the mask is NaN.

    >>> kagari.masked.softmax(kagari.zeros(3), 0, mask=kagari.tensor([True, False, True]))
    tensor([0.5000, 0.0000, 0.5000])
    """
    return _soft("softmax", input, dim, dtype, mask)


def log_softmax(
    input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The logarithm of `softmax`; -inf for the elements that are not under the mask.

    >>> kagari.masked.log_softmax(kagari.zeros(3), 0, mask=kagari.tensor([True, False, True]))
    tensor([-0.6931,    -inf, -0.6931])
    """
    return _soft("log_softmax", input, dim, dtype, mask)


def softmin(input: Tensor, dim: int, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """`softmax` of -x.

    >>> kagari.masked.softmin(kagari.zeros(3), 0, mask=kagari.tensor([True, False, True]))
    tensor([0.5000, 0.0000, 0.5000])
    """
    return _soft("softmin", input, dim, dtype, mask)


def normalize(
    input: Tensor, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The elements under the mask divided by their norm, or by `eps` where that is less; else 0.

    >>> kagari.masked.normalize(kagari.tensor([3.0, 9, 4]), 2, 0,
    ...                         mask=kagari.tensor([True, False, True]))
    tensor([0.6000, 0.0000, 0.8000])
    """
    dtype = input.dtype if dtype is None else dtype
    length = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return filled("normalize", input, mask) / kagari.maximum(length, length.new_full((), eps))


def logaddexp(
    input: Tensor, other: Tensor, *, dtype: Any = None, input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """log(exp(input) + exp(other)), where what is not under its mask counts as -inf.

    >>> kagari.masked.logaddexp(kagari.zeros(2), kagari.zeros(2),
    ...                         other_mask=kagari.tensor([True, False]))
    tensor([0.6931, 0.0000])
    """
    dtype = input.dtype if dtype is None else dtype
    first, second = filled("logaddexp", input, input_mask), filled("logaddexp", other, other_mask)
    return kagari.logaddexp(first, second).to(dtype)
