"""norm: vector norms, which the core computes, and the nuclear norm, which linear algebra does."""

from typing import Any

from . import _C
from ._C import Tensor
from ._outputs import write_out

_vector_norm = _C.places["ops"]["norm"]


def norm(
    input: Tensor, p: float | str | None = "fro", dim: Any = None, keepdim: bool = False,
    out: Tensor | None = None, dtype: Any = None,
) -> Tensor:  # fmt: skip
    """The norm of all elements, or along `dim`.

    Args:
        p: the order of a vector norm; 'fro' (or None) for order 2; 'nuc', the sum of the singular
            values, of a matrix, or of those in the two dimensions of `dim`.
        dtype: to compute in, and of the result.

    RuntimeError for integers (unless `dtype` is floating) and for other names.

    >>> kagari.norm(kagari.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if p == "nuc":
        from .linalg.norms import matrix_norm

        made = matrix_norm(
            input, p, tuple(range(input.dim())) if dim is None else dim, keepdim, dtype=dtype
        )
        return made if out is None else write_out(out, made, "norm")
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"norm: order {p!r} is not supported; use a number, 'fro' or 'nuc'")
    if p == "fro" and not isinstance(dim, int | None) and len(dim) > 2:
        raise RuntimeError(f"norm: dim must be a 2-tuple for a matrix norm, got {tuple(dim)}")
    order = 2 if p == "fro" or p is None else p
    if out is not None:
        return _vector_norm(input, order, dim, keepdim, dtype=dtype, out=out)
    return _vector_norm(input, order, dim, keepdim, dtype=dtype)


def _norm_method(
    self: Tensor, p: float | str | None = "fro", dim: Any = None, keepdim: bool = False,
    dtype: Any = None,
) -> Tensor:  # fmt: skip
    """See kagari.norm."""
    return norm(self, p, dim, keepdim, dtype=dtype)


_norm_method.__name__ = _norm_method.__qualname__ = "norm"
METHODS = {"norm": _norm_method}
__all__ = ["norm"]
