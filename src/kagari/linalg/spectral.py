"""Orthogonal and spectral factorisations: qr, svd, eigenvalues, and the pseudoinverse they give."""

from typing import Any

import kagari
from kagari import _C, Tensor
from kagari._outputs import written
from kagari.autograd.modes import differentiating

from .arguments import QR, SVD, Eig, Eigh, adjoint, at_least_matrix

_ops = _C.places["ops"]
_QR_MODES = {"reduced": 0, "complete": 1, "r": 2}


def qr(A: Tensor, mode: str = "reduced", *, out: Any = None) -> QR:
    """Q with orthonormal columns and R, upper triangular, with Q R = A.

    Args:
        mode: 'reduced', 'complete' (Q is square) or 'r' (Q is empty).
    """
    if mode not in _QR_MODES:
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), "
            "'r', or 'complete'"
        )
    at_least_matrix("linalg.qr", A)
    m, n = A.shape[-2:]
    if m < n and mode != "r" and differentiating(A):
        # the columns beyond the square part are combinations of Q's
        q, r = _ops["_linalg_qr"](A[..., :m], _QR_MODES[mode])
        return written(QR(q, kagari.cat([r, adjoint(q) @ A[..., m:]], dim=-1)), out, "linalg.qr")
    q, r = _ops["_linalg_qr"](A, _QR_MODES[mode])
    if mode == "r":
        q = kagari.empty(0, dtype=A.dtype)
    return written(QR(q, r), out, "linalg.qr")


def svd(
    A: Tensor, full_matrices: bool = True, *, driver: str | None = None, out: Any = None
) -> SVD:
    """U, S, Vh with U diag(S) Vh = A; S descends. `driver` is for other devices than the CPU."""
    if driver is not None:
        raise RuntimeError(
            "linalg.svd: keyword argument `driver=` is only supported on CUDA inputs"
        )
    return written(SVD(*_ops["_linalg_svd"](A, full_matrices, True)), out, "linalg.svd")


def svdvals(A: Tensor, *, driver: str | None = None, out: Tensor | None = None) -> Tensor:
    """The singular values, largest first."""
    if driver is not None:
        raise RuntimeError(
            "linalg.svd: keyword argument `driver=` is only supported on CUDA inputs"
        )
    return written(_ops["_linalg_svd"](A, False, False)[1], out, "linalg.svdvals")


def _upper(op: str, UPLO: str) -> bool:
    if UPLO.upper() not in ("U", "L"):
        raise RuntimeError(f"{op}: Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return UPLO.upper() == "U"


def eigh(A: Tensor, UPLO: str = "L", *, out: Any = None) -> Eigh:
    """Eigenvalues (ascending) and eigenvectors of symmetric or Hermitian matrices.

    Only one triangle is read: the lower for UPLO 'L', the upper for 'U'.
    """
    return written(
        Eigh(*_ops["_linalg_eigh"](A, _upper("linalg.eigh", UPLO), True)), out, "linalg.eigh"
    )


def eigvalsh(A: Tensor, UPLO: str = "L", *, out: Tensor | None = None) -> Tensor:
    """The eigenvalues of symmetric or Hermitian matrices, ascending."""
    return written(
        _ops["_linalg_eigh"](A, _upper("linalg.eigvalsh", UPLO), False)[0], out, "linalg.eigvalsh"
    )


def eig(A: Tensor, *, out: Any = None) -> Eig:
    """Complex eigenvalues and eigenvectors of square matrices."""
    return written(Eig(*_ops["_linalg_eig"](A, True)), out, "linalg.eig", castable=True, refit=True)


def eigvals(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The complex eigenvalues of square matrices."""
    return written(
        _ops["_linalg_eig"](A, False)[0], out, "linalg.eigvals", castable=True, refit=True
    )


def threshold(values: Tensor, shape: Any, atol: Any, rtol: Any) -> Tensor:
    """Below what a singular or eigenvalue counts as zero: max(atol, rtol * the largest)."""
    largest = values.amax(-1) if values.shape[-1] else values.sum(-1)
    if rtol is None:
        eps = kagari.finfo(values.dtype).eps * max(shape[-2:])
        rtol = eps if atol is None else kagari.where(kagari.as_tensor(atol) > 0, 0.0, eps)
    bound = largest * rtol
    return bound if atol is None else kagari.maximum(bound, kagari.as_tensor(atol).to(bound.dtype))


def pinv(
    A: Tensor, *, atol: Any = None, rtol: Any = None, hermitian: bool = False,
    rcond: Any = None, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The pseudoinverse; singular values up to max(atol, rtol * the largest) count as zero."""
    at_least_matrix("linalg.pinv", A)
    rtol = rcond if rtol is None else rtol
    if A.numel() == 0:
        return written(adjoint(A).clone(), out, "linalg.pinv", castable=True)
    return written(_pseudoinverse(A, atol, rtol, hermitian), out, "linalg.pinv", castable=True)


def _pseudoinverse(A: Tensor, atol: Any, rtol: Any, hermitian: bool) -> Tensor:
    with kagari.no_grad():
        if hermitian:
            values, vectors = eigh(A)
            sizes = values.abs()
            keep = sizes > threshold(sizes, A.shape, atol, rtol).unsqueeze(-1)
            inverse = kagari.where(keep, values.reciprocal(), 0.0)
            plain = (vectors * inverse.unsqueeze(-2)) @ adjoint(vectors)
        else:
            u, s, vh = svd(A, full_matrices=False)
            keep = s > threshold(s, A.shape, atol, rtol).unsqueeze(-1)
            inverse = kagari.where(keep, s.reciprocal(), 0.0)
            plain = (adjoint(vh) * inverse.unsqueeze(-2)) @ adjoint(u)
    if not differentiating(A):
        return plain
    return _ConstantRank.apply(A, plain)


class _ConstantRank(kagari.autograd.Function):
    """The pseudoinverse of a matrix whose rank does not change, given its value."""

    generate_vmap_rule = True
    _transposable = True

    @staticmethod
    def forward(ctx: Any, A: Tensor, plain: Tensor) -> Tensor:  # type: ignore[override]
        result = plain.clone()
        ctx.save_for_backward(A, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        A, P = ctx.saved_tensors
        Ph, gh = adjoint(P), adjoint(grad)
        inside = Ph @ grad @ Ph
        below = (gh - A @ (P @ gh)) @ (P @ Ph)  # what lies outside the range of A
        beside = (Ph @ P) @ (gh - (gh @ P) @ A)
        return below + beside - inside, None
