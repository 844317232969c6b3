"""Norms of vectors and matrices, condition numbers, ranks."""

from typing import Any

import kagari
from kagari import _C, Tensor
from kagari._outputs import written

from .arguments import at_least_matrix
from .spectral import eigvalsh, svdvals, threshold
from .systems import inv

_vector_norm = _C.places["ops"]["vector_norm"]
_INF = float("inf")


def vector_norm(
    x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The `ord`-norm of the elements along `dim`, of all of them where it is None.

    >>> kagari.linalg.vector_norm(kagari.tensor([3.0, 4.0]))
    tensor(5.)
    """
    return written(_vector_norm(x, ord, dim, keepdim, dtype=dtype), out, "linalg.vector_norm")


def _two_dims(A: Tensor, dim: Any) -> tuple[int, int]:
    if len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {tuple(dim)}")
    first, second = (d + A.dim() if d < 0 else d for d in dim)
    for given, d in zip(dim, (first, second), strict=True):
        if not 0 <= d < A.dim():
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-A.dim()}, {A.dim() - 1}], "
                f"but got {given})"
            )
    if first == second:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got {tuple(dim)}")
    return first, second


def matrix_norm(
    A: Tensor, ord: float | str = "fro", dim: Any = (-2, -1), keepdim: bool = False, *,
    dtype: Any = None, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """A norm of each matrix.

    Args:
        ord: 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2.
    """
    at_least_matrix("linalg.matrix_norm", A)
    if not (A.is_floating_point() or A.is_complex()):
        raise RuntimeError(
            f"linalg.matrix_norm: Expected a floating point or complex tensor as "
            f"input. Got {A.dtype}"
        )
    if isinstance(ord, str) and ord not in ("fro", "nuc"):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    if not isinstance(ord, str) and abs(ord) not in (1, 2, _INF):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    rows, cols = _two_dims(A, dim)
    if dtype is not None:
        A = A.to(dtype)
    if ord == "fro":
        return written(
            _vector_norm(A, 2, [rows, cols], keepdim, dtype=None), out, "linalg.matrix_norm"
        )
    if ord == "nuc" or abs(ord) == 2:  # type: ignore[arg-type]
        values = svdvals(A.movedim((rows, cols), (-2, -1)))
        result = values.sum(-1) if ord == "nuc" else _extreme(values, ord == 2)
        return written(_kept(result, (rows, cols), keepdim), out, "linalg.matrix_norm")
    summed, left = (rows, cols) if abs(ord) == 1 else (cols, rows)  # type: ignore[arg-type]
    sums = A.abs().sum(summed, keepdim=True)
    largest = ord > 0  # type: ignore[operator]
    result = sums.amax(left, keepdim=True) if largest else sums.amin(left, keepdim=True)
    return written(result if keepdim else result.squeeze((rows, cols)), out, "linalg.matrix_norm")


def _extreme(values: Tensor, largest: bool) -> Tensor:
    return values.amax(-1) if largest else values.amin(-1)


def _kept(result: Tensor, dims: tuple[int, int], keepdim: bool) -> Tensor:
    if keepdim:
        for dim in sorted(dims):
            result = result.unsqueeze(dim)
    return result


def norm(
    A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """A vector norm, or a matrix norm where `dim` names two dimensions or `ord` is a name."""
    options = {"dtype": dtype, "out": out}
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, **options)
    if dim is None:
        if A.dim() not in (1, 2):
            raise RuntimeError(
                "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
                f"{A.dim()}D."
            )
        if A.dim() == 1:
            if isinstance(ord, str):
                raise RuntimeError(f"linalg.norm: order {ord} is for matrices; the input is 1D")
            return vector_norm(A, ord, None, keepdim, **options)
        return matrix_norm(A, ord, (-2, -1), keepdim, **options)
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dims) == 2 or isinstance(ord, str):
        return matrix_norm(A, ord, dims, keepdim, **options)
    return vector_norm(A, ord, dims, keepdim, **options)


def cond(A: Tensor, p: Any = None, *, out: Tensor | None = None) -> Tensor:
    """The condition number: the norm of A times that of its inverse; inf for singular matrices."""
    at_least_matrix("linalg.cond", A)
    if p is None or p in (2, -2):
        values = svdvals(A)
        largest, smallest = values[..., 0], values[..., -1]
        return written(
            smallest / largest if p == -2 else largest / smallest, out, "linalg.cond", castable=True
        )
    result, info = kagari.linalg.inv_ex(A)
    if _C._all_samples(info).any():
        bad = (info != 0)[..., None, None]
        number = matrix_norm(A, p) * matrix_norm(kagari.where(bad, 0.0, result), p)
        return written(kagari.where(info != 0, _INF, number), out, "linalg.cond", castable=True)
    return written(matrix_norm(A, p) * matrix_norm(inv(A), p), out, "linalg.cond", castable=True)


def matrix_rank(
    A: Tensor, *, atol: Any = None, rtol: Any = None, hermitian: bool = False, tol: Any = None,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """How many singular values are above max(atol, rtol * the largest)."""
    at_least_matrix("linalg.matrix_rank", A)
    if tol is not None:
        atol, rtol = tol, 0.0
    A = A.detach()
    if A.numel() == 0:
        return written(
            kagari.zeros(A.shape[:-2], dtype=kagari.int64), out, "linalg.matrix_rank", castable=True
        )
    values = eigvalsh(A).abs() if hermitian else svdvals(A)
    return written(
        (values > threshold(values, A.shape, atol, rtol).unsqueeze(-1)).sum(-1),
        out,
        "linalg.matrix_rank",
        castable=True,
    )
