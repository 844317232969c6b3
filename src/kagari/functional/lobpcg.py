"""A few extreme eigenpairs of a large symmetric matrix: lobpcg.

Knyazev, "Toward the optimal preconditioned eigensolver: locally optimal block preconditioned
conjugate gradient method" (2001).
"""

from typing import Any

import kagari
from kagari import Tensor
from kagari.autograd.modes import differentiating


def lobpcg(
    A: Tensor, k: int | None = None, B: Tensor | None = None, X: Tensor | None = None,
    n: int | None = None, iK: Tensor | None = None, niter: int | None = None,
    tol: float | None = None, largest: bool | None = None, method: str | None = None,
    tracker: None = None, ortho_iparams: None = None, ortho_fparams: None = None,
    ortho_bparams: None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The `k` largest (or smallest) eigenvalues (*, k) and eigenvectors (*, m, k) of A x = e B x.

    Args:
        A: (*, m, m), symmetric; B: positive definite, the identity by default.
        k: how many, one by default; X: (*, m, n), where to start, random by default.
        n: how many are iterated; iK: (*, m, m), a preconditioner, close to the inverse of A.
        niter: how many iterations at most, 1000 by default; tol: the relative residual to stop at.
        method: 'basic' or 'ortho', which are the same here.

    ValueError for other methods and for m < 3 n. Where a gradient is asked for, the matrix is
    decomposed as a whole.

    >>> kagari.lobpcg(kagari.diag(kagari.arange(1.0, 10)), k=1)[0].round()
    tensor([9.])
    """
    if tracker is not None or ortho_iparams or ortho_fparams or ortho_bparams:
        raise NotImplementedError("lobpcg: tracker and ortho_*params are not there; leave them out")
    if method not in (None, "basic", "ortho"):
        raise ValueError(f"lobpcg: method must be 'basic' or 'ortho', got {method!r}")
    if A.dim() < 2 or A.shape[-1] != A.shape[-2]:
        raise ValueError(f"lobpcg: A must be square matrices, got shape {tuple(A.shape)}")
    m = A.shape[-1]
    k = 1 if k is None else k
    n = n if n is not None else k if X is None else X.shape[-1]
    if m < 3 * n:
        raise ValueError(
            f"LPBPCG algorithm is not applicable when the number of A rows (={m}) is smaller than "
            f"3 x the number of requested eigenpairs (={n})"
        )
    if not 0 < k <= n:
        raise ValueError(f"lobpcg: expected 0 < k <= n, got k={k} and n={n}")
    up = largest is None or largest
    if differentiating(A, B):
        return _whole(A, B, k, up)
    tol = kagari.finfo(A.dtype).eps ** 0.5 * 0.1 if tol is None else tol
    with kagari.no_grad():
        if X is None:
            X = kagari.randn(*A.shape[:-1], n, dtype=A.dtype, device=A.device)
        return _each(A, B, X, iK, k, 1000 if niter is None else niter, tol, up)


def _each(A: Tensor, B: Any, X: Tensor, iK: Any, k: int, niter: int, tol: float, up: bool) -> Any:
    """Matrix by matrix of a stack."""
    if A.dim() == 2:
        return _iterated(A, B, X, iK, k, niter, tol, up)
    lead, m = A.shape[:-2], A.shape[-1]

    def flat(t: Tensor | None) -> Any:
        if t is None:
            return [None] * lead.numel()
        return t.expand(*lead, *t.shape[-2:]).reshape(-1, *t.shape[-2:]).unbind(0)

    pairs = [
        _iterated(*parts, k, niter, tol, up)
        for parts in zip(flat(A), flat(B), flat(X), flat(iK), strict=True)
    ]
    values, vectors = (kagari.stack(t) for t in zip(*pairs, strict=True))
    return values.reshape(*lead, k), vectors.reshape(*lead, m, k)


def _iterated(
    A: Tensor, B: Tensor | None, X: Tensor, iK: Tensor | None, k: int, niter: int, tol: float,
    up: bool,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    n = X.shape[-1]
    values, X = _ritz(A, B, X, n, up)
    P = None
    scale = A.norm()
    for _ in range(niter):
        BX = X if B is None else B @ X
        residual = A @ X - BX * values
        if bool(
            (residual.norm(2, 0)[:k] <= tol * (scale + values[:k].abs()) * X.norm(2, 0)[:k]).all()
        ):
            break
        W = residual if iK is None else iK @ residual
        space = kagari.cat([X, W] if P is None else [X, W, P], 1)
        values, fresh = _ritz(A, B, space, n, up)
        P = fresh - X @ (BX.mH @ fresh)
        X = fresh
    return values[:k], X[:, :k]


def _ritz(A: Tensor, B: Tensor | None, space: Tensor, n: int, up: bool) -> tuple[Tensor, Tensor]:
    """The n extreme pairs of A restricted to the span of some columns."""
    space = space / space.norm(2, 0).clamp(min=kagari.finfo(space.real.dtype).tiny)
    for _ in range(2):  # the second time for the digits that the first one lost
        gram = space.mH @ (space if B is None else B @ space)
        size, turn = kagari.linalg.eigh(gram)
        kept = size > size[-1] * kagari.finfo(size.dtype).eps * 10
        space = (space @ turn[:, kept]) / size[kept].sqrt()
    values, turn = kagari.linalg.eigh(space.mH @ A @ space)
    if up:
        values, turn = values.flip(0), turn.flip(1)
    return values[:n], space @ turn[:, :n]


def _whole(A: Tensor, B: Tensor | None, k: int, up: bool) -> tuple[Tensor, Tensor]:
    """By linalg.eigh, which has a gradient."""
    lower = None if B is None else kagari.linalg.cholesky(B)
    matrix = A
    if lower is not None:
        half = kagari.linalg.solve_triangular(lower, A, upper=False)
        matrix = kagari.linalg.solve_triangular(lower, half.mH, upper=False).mH
    values, vectors = kagari.linalg.eigh(matrix)
    if lower is not None:
        vectors = kagari.linalg.solve_triangular(lower.mH, vectors, upper=True)
    if up:
        values, vectors = values.flip(-1), vectors.flip(-1)
    return values[..., :k], vectors[..., :k]
