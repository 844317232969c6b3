"""Parameters of distributions: brought to one shape, computed when asked for, and turned from
probabilities into log-odds and back. `torch.distributions.utils` by its other name.
"""

from typing import Any

import kagari
from kagari.nn import functional as F

from .._C import Tensor

euler_constant = 0.57721566490153286060


class lazy_property:  # noqa: N801
    """A property computed when it is first read, and kept in the instance."""

    def __init__(self, wrapped: Any):
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with kagari.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Numbers and tensors as tensors of one shape; numbers take the dtype of the tensors."""
    for value in values:
        if not isinstance(value, Tensor | int | float | complex | bool):
            raise ValueError(
                "Input arguments must all be instances of Number, torch.Tensor or objects "
                "implementing __torch_function__."
            )
    like = next((v for v in values if isinstance(v, Tensor)), None)
    dtype = kagari.get_default_dtype() if like is None else like.dtype
    device = None if like is None else like.device
    made = [
        v if isinstance(v, Tensor) else kagari.tensor(v, dtype=dtype, device=device) for v in values
    ]
    return tuple(kagari.broadcast_tensors(*made))


def standard_normal(shape: Any, like: Tensor) -> Tensor:
    """Normal numbers of this shape, of the dtype and on the device of `like`."""
    return kagari.randn(shape, dtype=like.dtype, device=like.device)


def standard_uniform(shape: Any, like: Tensor) -> Tensor:
    """Numbers in [0, 1) of this shape, of the dtype and on the device of `like`."""
    return kagari.rand(shape, dtype=like.dtype, device=like.device)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities that are neither 0 nor 1."""
    eps = kagari.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Log-odds of an event if `is_binary`; else logarithms of probabilities along the last
    dimension."""
    inside = clamp_probs(probs)
    return inside.log() - (-inside).log1p() if is_binary else inside.log()


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """The other way: sigmoid or softmax."""
    return logits.sigmoid() if is_binary else F.softmax(logits, dim=-1)


def chosen(probs: Any, logits: Any) -> str:
    """Which of the two is given; ValueError unless exactly one is."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")
    return "logits" if probs is None else "probs"


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The elements of (..., n, n) up to a diagonal, row by row."""
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    return mat[..., kagari.ones(n, n, dtype=kagari.bool).tril(diag)]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """(..., n, n) with these elements up to a diagonal, row by row."""
    # d elements are there: d = n (n + 1) / 2 + diag n, less what the diagonals beyond would repeat
    count = vec.shape[-1]
    odd = 1 + 2 * diag
    n = (-odd + ((odd * odd) + 8 * count + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    size = round(n)
    if abs(n - size) > kagari.finfo(vec.dtype).eps:
        raise ValueError(
            f"The size of last dimension is {count} which cannot be expressed as the lower "
            "triangular part of a square D x D matrix."
        )
    where = kagari.ones(size, size, dtype=kagari.bool, device=vec.device).tril(diag)
    out = vec.new_zeros(tuple(vec.shape[:-1]) + (size, size))
    out[..., where] = vec
    return out


def row_of_integers(count: int, like: Tensor, rows: Any, expand: bool, dtype: Any = None) -> Tensor:
    """0 to count - 1 along a first dimension before `rows`, which is filled if `expand`."""
    values = kagari.arange(count, dtype=dtype or like.dtype, device=like.device)
    values = values.view((-1,) + (1,) * len(rows))
    return values.expand((-1, *rows)) if expand else values


def all_numbers(*values: Any) -> bool:
    """Whether none of the values is a tensor."""
    return not any(isinstance(v, Tensor) for v in values)
