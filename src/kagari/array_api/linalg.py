"""The linear algebra of the array API standard: kagari.linalg with the standard's promotion."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import kagari
from kagari import Tensor

from ._dtypes import aligned
from ._reductions import accumulated

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm",
    "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve",
    "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip


class EighResult(NamedTuple):
    """eigh: values ascending, vectors in columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(NamedTuple):
    """qr: x = Q @ R."""

    Q: Tensor
    R: Tensor


class SlogdetResult(NamedTuple):
    """slogdet: det = sign * exp(logabsdet)."""

    sign: Tensor
    logabsdet: Tensor


class SVDResult(NamedTuple):
    """svd: x = U @ diag(S) @ Vh."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def _product(function: Any, x1: Tensor, x2: Tensor, **options: Any) -> Tensor:
    """Products of unsigned integers go through int64, whose sums have the same low bits."""
    a, b = aligned(x1, x2)
    if a.dtype in (kagari.uint16, kagari.uint32, kagari.uint64):
        return function(a.to(kagari.int64), b.to(kagari.int64), **options).to(a.dtype)
    return function(a, b, **options)


# --- products, which the main namespace has too --------------------------------------------------


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The matrix product; kagari.matmul."""
    return _product(kagari.matmul, x1, x2)


def matrix_transpose(x: Tensor, /) -> Tensor:
    """The last two axes swapped."""
    return x.mT


def tensordot(
    x1: Tensor, x2: Tensor, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2
) -> Tensor:
    """The sums of products over pairs of axes.

    >>> kagari.array_api.tensordot(kagari.ones(2, 3), kagari.ones(3), axes=1)
    tensor([3., 3.])
    """
    return _product(kagari.tensordot, x1, x2, dims=axes)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The sum of conj(x1) * x2 along `axis`.

    >>> kagari.array_api.vecdot(kagari.tensor([1j]), kagari.tensor([1j]))
    tensor(1.+0.j)
    """
    a, b = aligned(x1, x2)
    if a.dtype.is_floating_point or a.dtype.is_complex:
        return kagari.linalg.vecdot(a, b, dim=axis)
    return kagari.sum(a * b, axis, dtype=a.dtype)


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The products of all pairs of elements of two vectors."""
    return kagari.outer(*aligned(x1, x2))


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The vector product of vectors of three elements along `axis`."""
    return kagari.linalg.cross(*aligned(x1, x2), dim=axis)


# --- matrices ------------------------------------------------------------------------------------


def cholesky(x: Tensor, /, *, upper: bool = False) -> Tensor:
    """The triangular L with x = L @ L^H, or U with x = U^H @ U."""
    return kagari.linalg.cholesky(x, upper=upper)


def det(x: Tensor, /) -> Tensor:
    """The determinant."""
    return kagari.linalg.det(x)


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """The diagonal of the last two axes, as a view."""
    return kagari.diagonal(x, offset, -2, -1)


def eigh(x: Tensor, /) -> EighResult:
    """Eigenvalues and eigenvectors of a Hermitian matrix."""
    return EighResult(*kagari.linalg.eigh(x))


def eigvalsh(x: Tensor, /) -> Tensor:
    """Eigenvalues of a Hermitian matrix."""
    return kagari.linalg.eigvalsh(x)


def inv(x: Tensor, /) -> Tensor:
    """The inverse."""
    return kagari.linalg.inv(x)


def matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """A norm of the matrices in the last two axes."""
    return kagari.linalg.matrix_norm(x, ord, keepdim=keepdims)


def matrix_power(x: Tensor, n: int, /) -> Tensor:
    """The n-th power; of the inverse for a negative n."""
    return kagari.linalg.matrix_power(x, n)


def matrix_rank(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """How many singular values exceed rtol times the largest."""
    return kagari.linalg.matrix_rank(x, rtol=rtol)


def pinv(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """The pseudo-inverse."""
    return kagari.linalg.pinv(x, rtol=rtol)


def qr(x: Tensor, /, *, mode: str = "reduced") -> QRResult:
    """An orthogonal and a triangular factor; mode "reduced" or "complete"."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f'qr: mode: expected "reduced" or "complete", got {mode!r}')
    return QRResult(*kagari.linalg.qr(x, mode))


def slogdet(x: Tensor, /) -> SlogdetResult:
    """The sign of the determinant and the logarithm of its size."""
    return SlogdetResult(*kagari.linalg.slogdet(x))


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """x with x1 @ x = x2. Only a one-dimensional x2 is a vector: else its last axes are matrices.

    >>> kagari.array_api.linalg.solve(kagari.eye(2) * 2, kagari.ones(2))
    tensor([0.5000, 0.5000])
    """
    left, right = aligned(x1, x2)
    if right.ndim > 1:  # kagari's solve would take one axis less for a batch of vectors
        right = right[(None,) * max(left.ndim - right.ndim, 0)]
    elif left.ndim > 2:  # a vector for each matrix
        return kagari.linalg.solve(left, right[:, None]).squeeze(-1)
    return kagari.linalg.solve(left, right)


def svd(x: Tensor, /, *, full_matrices: bool = True) -> SVDResult:
    """The singular value decomposition, values descending."""
    return SVDResult(*kagari.linalg.svd(x, full_matrices))


def svdvals(x: Tensor, /) -> Tensor:
    """The singular values, descending."""
    return kagari.linalg.svdvals(x)


def trace(x: Tensor, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sum of a diagonal of the last two axes.

    >>> kagari.array_api.linalg.trace(kagari.ones(2, 3, 3))
    tensor([3., 3.])
    """
    chosen = accumulated(x, dtype)
    return diagonal(x, offset=offset).to(chosen).sum(-1, dtype=chosen)


def vector_norm(
    x: Tensor,
    /,
    *,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
    ord: float = 2,
) -> Tensor:
    """A norm over `axis`, of everything for None."""
    if axis == ():
        return kagari.linalg.vector_norm(x.unsqueeze(-1), ord, -1)
    return kagari.linalg.vector_norm(x, ord, axis, keepdims)
