"""Linear systems and what solves them: inverses, Cholesky, triangles, least squares.

LU is in lu_factors.py.
"""

from typing import Any

import kagari
from kagari import _C, Tensor
from kagari._outputs import written
from kagari.autograd.modes import differentiating

from .arguments import (
    CholeskyEx,
    InvEx,
    Lstsq,
    Slogdet,
    SolveEx,
    at_least_matrix,
    broadcast_stacks,
    raise_for,
)  # fmt: skip

_ops = _C.places["ops"]
_INDEFINITE = (
    "The factorization could not be completed because the input is not positive-definite "
    "(the leading minor of order {} is not positive-definite)."
)


def det(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The determinant of each square matrix.

    >>> kagari.linalg.det(kagari.tensor([[2.0, 1.0], [0.0, 3.0]]))
    tensor(6.)
    """
    return written(_ops["_linalg_det"](A), out, "linalg.det")


def slogdet(A: Tensor, *, out: Any = None) -> Slogdet:
    """Sign and logarithm of the absolute value of the determinant: no overflow."""
    return written(Slogdet(*_ops["_linalg_slogdet"](A)), out, "linalg.slogdet")


def inv(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse; LinAlgError for a singular matrix."""
    return written(_ops["_linalg_inv"](A), out, "linalg.inv")


def inv_ex(A: Tensor, *, check_errors: bool = False, out: Any = None) -> InvEx:
    """The inverse and LAPACK's verdict for each matrix, 0 where it is well."""
    info = _info(A, "linalg.inv")
    if check_errors or not _C._all_samples(info).any().item():
        return written(InvEx(inv(A), info), out, "linalg.inv_ex")
    return written(InvEx(kagari.full_like(A, float("inf")), info), out, "linalg.inv_ex")


def _info(A: Tensor, op: str) -> Tensor:
    at_least_matrix(op, A)
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"{op}: A must be batches of square matrices, but they are "
            f"{A.shape[-2]} by {A.shape[-1]} matrices"
        )
    return _ops["_linalg_lu_factor"](A.detach())[2]


def _vector_right_side(A: Tensor, B: Tensor) -> bool:
    return B.dim() == 1 or (B.dim() == A.dim() - 1 and B.shape == A.shape[:-1])


def solve(A: Tensor, B: Tensor, *, left: bool = True, out: Tensor | None = None) -> Tensor:
    """X with A X = B, or X A = B where not `left`; B may be a vector or a stack of them.

    >>> kagari.linalg.solve(kagari.tensor([[2.0, 0.0], [0.0, 4.0]]), kagari.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    at_least_matrix("linalg.solve", A)
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            "linalg.solve: A must be batches of square matrices, but they are "
            f"{A.shape[-2]} by {A.shape[-1]} matrices"
        )
    vector = _vector_right_side(A, B)
    if vector and not left:
        raise RuntimeError(
            "linalg.solve: Vector broadcasting of the left hand side is not supported for "
            "left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    right = B.unsqueeze(-1) if vector else B
    if right.shape[-2 if left else -1] != A.shape[-1]:
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A {tuple(A.shape)} and B {tuple(B.shape)} for "
            f"the equation {'AX = B' if left else 'XA = B'}"
        )
    matrix, right = broadcast_stacks(A, right)
    if left:
        result = _ops["_linalg_solve"](matrix, right)
    else:
        result = _ops["_linalg_solve"](matrix.mT, right.mT).mT
    return written(result.squeeze(-1) if vector else result, out, "linalg.solve")


def solve_ex(
    A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False, out: Any = None
) -> SolveEx:
    """`solve` and LAPACK's verdict for each matrix."""
    info = _info(A, "linalg.solve")
    if check_errors or not _C._all_samples(info).any().item():
        return written(SolveEx(solve(A, B, left=left), info), out, "linalg.solve_ex")
    return written(SolveEx(kagari.full_like(B, float("nan")), info), out, "linalg.solve_ex")


def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """X with A X = B (or X A = B) for a triangular A; the other triangle is not read."""
    at_least_matrix("linalg.solve_triangular", A, B)
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            "linalg.solve_triangular: A must be batches of square matrices, but they are "
            f"{A.shape[-2]} by {A.shape[-1]} matrices"
        )
    matrix, right = broadcast_stacks(A, B)
    result = _ops["_linalg_solve_triangular"](matrix, right, upper, left, unitriangular)
    return written(result, out, "linalg.solve_triangular")


def cholesky(A: Tensor, *, upper: bool = False, out: Tensor | None = None) -> Tensor:
    """L with L L^H = A (or U with U^H U = A) of a positive-definite matrix."""
    factor, info = _ops["_linalg_cholesky"](A, upper)
    raise_for("linalg.cholesky", info, _INDEFINITE)
    return written(factor, out, "linalg.cholesky")


def cholesky_ex(
    A: Tensor, *, upper: bool = False, check_errors: bool = False, out: Any = None
) -> CholeskyEx:
    """`cholesky` and LAPACK's verdict for each matrix."""
    factor, info = _ops["_linalg_cholesky"](A, upper)
    if check_errors:
        raise_for("linalg.cholesky_ex", info, _INDEFINITE)
    return written(CholeskyEx(factor, info), out, "linalg.cholesky_ex")


def lstsq(
    A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None, out: Any = None
) -> Lstsq:
    """X that makes |A X - B| least, of least norm where there are several.

    Returns solution, residuals, rank and singular values; as in PyTorch the last three are empty
    where the driver ('gelsy', 'gels', 'gelsd', 'gelss') does not give them.
    """
    from .spectral import pinv, svdvals

    driver = driver or "gelsy"
    if driver not in ("gelsy", "gels", "gelsd", "gelss"):
        raise RuntimeError(
            "linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), "
            f"got '{driver}'"
        )
    at_least_matrix("linalg.lstsq", A)
    vector = B.dim() == A.dim() - 1
    right = B.unsqueeze(-1) if vector else B
    if right.dim() < 2 or right.shape[-2] != A.shape[-2]:
        raise RuntimeError(
            f"linalg.lstsq: input.size(-2) should match other.size(-2), got A {tuple(A.shape)} and "
            f"B {tuple(B.shape)}"
        )
    if A.dtype != B.dtype:
        raise RuntimeError(
            f"linalg.lstsq: Expected input and other to have the same dtype, but got {A.dtype} "
            f"and {B.dtype}"
        )
    matrix, right = broadcast_stacks(A, right)
    m, n = A.shape[-2:]
    cut = kagari.finfo(A.dtype).eps * max(m, n) if rcond is None else float(rcond)
    plain, rank = _ops["_linalg_lstsq"](matrix.detach(), right.detach(), cut)
    if differentiating(A, B):
        solution = pinv(matrix, rtol=cut) @ right
    else:
        solution = plain[..., :n, :]
    nothing = kagari.empty(0, dtype=A.dtype).real
    # no residuals, but what depends on A and B as they would
    full = m > n and bool((_C._all_samples(rank) == n).all().item())
    residuals = solution.reshape(-1)[:0].abs()
    if full and driver != "gelsy":
        difference = (matrix @ solution - right).abs()
        residuals = (difference * difference).sum(-2)
    values = svdvals(matrix.detach()) if driver in ("gelsd", "gelss") else nothing
    ranks = kagari.empty(0, dtype=kagari.int64) if driver == "gels" else rank
    solution = solution.squeeze(-1) if vector else solution
    result = Lstsq(solution, residuals, ranks, values)
    return written(result, out, "linalg.lstsq", castable=True)


def tensorinv(A: Tensor, ind: int = 2, *, out: Tensor | None = None) -> Tensor:
    """The inverse of A as a map from its last dimensions to its first `ind`."""
    if ind <= 0:
        raise RuntimeError(
            f"linalg.tensorinv: Expected a strictly positive integer for 'ind', got {ind}"
        )
    first, last = A.shape[:ind], A.shape[ind:]
    if kagari.Size(first).numel() != kagari.Size(last).numel():
        raise RuntimeError(
            "linalg.tensorinv: Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got shape {tuple(A.shape)}"
        )
    flat = A.reshape(kagari.Size(first).numel(), -1)
    return written(inv(flat).reshape(*last, *first), out, "linalg.tensorinv", castable=True)


def tensorsolve(
    A: Tensor, B: Tensor, dims: tuple[int, ...] | None = None, *, out: Tensor | None = None
) -> Tensor:
    """X with tensordot(A, X, X.ndim) = B; `dims` of A are moved to its end first."""
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(A.dim() - len(dims), A.dim())))
    shape = A.shape[B.dim() :]
    if kagari.Size(shape).numel() != B.numel():
        raise RuntimeError(
            "linalg.tensorsolve: Expected self to satisfy the requirement "
            "prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but got shapes "
            f"{tuple(A.shape)} and {tuple(B.shape)}"
        )
    return written(
        solve(A.reshape(B.numel(), -1), B.reshape(-1)).reshape(shape),
        out,
        "linalg.tensorsolve",
        castable=True,
    )
