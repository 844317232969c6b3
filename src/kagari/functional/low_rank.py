"""Singular values of nearly low-rank matrices, by random projection: svd_lowrank, pca_lowrank.

The algorithms are 4.4 and 5.1 of Halko, Martinsson and Tropp, "Finding structure with randomness"
(2009).
"""

import kagari
from kagari import Tensor


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """U (*, m, q), S (*, q) and V (*, n, q) with A - M close to U diag(S) V^H.

    Args:
        A: (*, m, n), floating or complex.
        q: a little more than the rank of A; 6 by default.
        niter: how often the projection is improved.
        M: taken from A, broadcast to it; none by default.

    >>> [t.shape for t in kagari.svd_lowrank(kagari.eye(4), 2)]
    [torch.Size([4, 2]), torch.Size([2]), torch.Size([4, 2])]
    """
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    m, n = A.shape[-2:]
    if M is not None:
        M = M.expand(A.shape)
    if m < n:
        A, M = A.mH, None if M is None else M.mH
    Q = _basis(A, q, niter, M)
    U, S, Vh = kagari.linalg.svd(Q.mH @ A if M is None else Q.mH @ A - Q.mH @ M, False)
    U, V = Q @ U, Vh.mH
    return (V, S, U) if m < n else (U, S, V)


def _basis(A: Tensor, q: int, niter: int, M: Tensor | None) -> Tensor:
    """(*, m, q): orthonormal columns that nearly span those of A - M."""

    def times(x: Tensor, adjoint: bool = False) -> Tensor:
        made = (A.mH if adjoint else A) @ x
        return made if M is None else made - (M.mH if adjoint else M) @ x

    def orthonormal(x: Tensor) -> Tensor:
        return kagari.linalg.qr(x).Q

    Q = orthonormal(times(kagari.randn(A.shape[-1], q, dtype=A.dtype, device=A.device)))
    for _ in range(niter):
        Q = orthonormal(times(Q, adjoint=True))
        Q = orthonormal(times(Q))
    return Q


def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """Principal components of the rows of A (*, m, n): `svd_lowrank` of A minus its columns' means.

    Args:
        q: a little more than the rank of A; min(6, m, n) by default.
        center: whether the means are taken off.

    ValueError for a `q` or `niter` out of range and for integers.

    >>> kagari.pca_lowrank(kagari.tensor([[0.0, 1.0], [2.0, 1.0]]), 1)[1]
    tensor([1.4142])
    """
    if not (A.is_floating_point() or A.is_complex()):
        raise ValueError(
            f"pca_lowrank input is expected to be floating point or complex, got {A.dtype}"
        )
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}"
        )
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)
