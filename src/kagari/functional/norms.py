"""Norms under the names that PyTorch's core gives them, and renorm, which limits them."""

from typing import Any

import kagari
from kagari import Tensor
from kagari._outputs import write_out


def frobenius_norm(
    input: Tensor, dim: Any, keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """The root of the sum of squares along `dim`, over all elements where it is empty.

    >>> kagari.frobenius_norm(kagari.tensor([3.0, 4.0]), 0)
    tensor(5.)
    """
    dims = [dim] if isinstance(dim, int) else list(dim)
    made = kagari.linalg.vector_norm(input, 2, dims or None, keepdim)
    return made if out is None else write_out(out, made, "frobenius_norm")


def nuclear_norm(
    input: Tensor, dim: Any = (-2, -1), keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """The sum of the singular values of each matrix.

    >>> kagari.nuclear_norm(kagari.eye(3))
    tensor(3.)
    """
    if isinstance(dim, bool):  # the older call, nuclear_norm(input, keepdim)
        dim, keepdim = (-2, -1), dim
    made = kagari.linalg.matrix_norm(input, "nuc", tuple(dim), keepdim)
    return made if out is None else write_out(out, made, "nuclear_norm")


def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """The norm over all dimensions but one, which are kept; `dim` -1 for over all.

    >>> kagari.norm_except_dim(kagari.tensor([[3.0, 4.0]]), 2, 0)
    tensor([[5.]])
    """
    if dim == -1:
        return v.norm(pow)
    return v.norm(pow, [d for d in range(v.dim()) if d != dim], keepdim=True)


def renorm(
    input: Tensor, p: float, dim: int, maxnorm: float, *, out: Tensor | None = None
) -> Tensor:
    """`input`, with those of its parts along `dim` scaled down whose `p`-norm exceeds `maxnorm`.

    RuntimeError for fewer than two dimensions, for `p` that is not positive and a negative
    `maxnorm`.

    >>> kagari.renorm(kagari.tensor([[3.0, 4.0], [0.0, 1.0]]), 2, 0, 1)
    tensor([[0.6000, 0.8000],
            [0.0000, 1.0000]])
    """
    if isinstance(p, complex):
        raise RuntimeError(f"renorm: p must be real-valued, got {p}")
    if not p > 0:
        raise RuntimeError(f"renorm: non-positive-norm not supported, got p={p}")
    if isinstance(maxnorm, complex) or not maxnorm >= 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if input.dim() <= 1:
        raise RuntimeError(
            f"renorm: input needs at least 2 dimensions, got {input.dim()} dimensions"
        )
    if not -input.dim() <= dim < input.dim():
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-input.dim()}, "
            f"{input.dim() - 1}], but got {dim})"
        )
    others = [d for d in range(input.dim()) if d != dim % input.dim()]
    half = input.dtype in (kagari.float16, kagari.bfloat16)
    length = kagari.linalg.vector_norm(
        input, p, others, True, dtype=kagari.float32 if half else None
    )
    factor = kagari.where(length > maxnorm, maxnorm / (length + 1e-7), 1.0).to(input.dtype)
    made = input * factor
    return made if out is None else write_out(out, made, "renorm")


def renorm_(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """`renorm` in place."""
    return input.copy_(renorm(input.clone(), p, dim, maxnorm))
