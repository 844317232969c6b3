"""Linear systems and the factorisations that solve them: LU, Cholesky, triangles, least squares."""

from typing import Any

import kagari
from kagari import _C, Tensor

from .arguments import (
    LU,
    CholeskyEx,
    InvEx,
    Lstsq,
    LUFactor,
    LUFactorEx,
    Slogdet,
    SolveEx,
    adjoint,
    at_least_matrix,
    broadcast_stacks,
    raise_for,
    written,
)  # fmt: skip

_ops = _C.places["ops"]
_adjoint = adjoint  # lu_solve has an argument of that name
_ZERO_PIVOT = (
    "The diagonal element {} of U is zero and using it on lu_solve would result in a division by "
    "zero."
)
_INDEFINITE = (
    "The factorization could not be completed because the input is not positive-definite "
    "(the leading minor of order {} is not positive-definite)."
)


def det(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The determinant of each square matrix.

    >>> kagari.linalg.det(kagari.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(-2.)
    """
    return written(_ops["_linalg_det"](A), out)


def slogdet(A: Tensor, *, out: Any = None) -> Slogdet:
    """Sign and logarithm of the absolute value of the determinant: no overflow."""
    return written(Slogdet(*_ops["_linalg_slogdet"](A)), out)


def inv(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inverse; LinAlgError for a singular matrix."""
    return written(_ops["_linalg_inv"](A), out)


def inv_ex(A: Tensor, *, check_errors: bool = False, out: Any = None) -> InvEx:
    """The inverse and LAPACK's verdict for each matrix, 0 where it is well."""
    info = _info(A, "linalg.inv")
    if check_errors or not _C._all_samples(info).any():
        return written(InvEx(inv(A), info), out)
    return written(InvEx(kagari.full_like(A, float("inf")), info), out)


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
    return written(result.squeeze(-1) if vector else result, out)


def solve_ex(
    A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False, out: Any = None
) -> SolveEx:
    """`solve` and LAPACK's verdict for each matrix."""
    info = _info(A, "linalg.solve")
    if check_errors or not _C._all_samples(info).any():
        return written(SolveEx(solve(A, B, left=left), info), out)
    return written(SolveEx(kagari.full_like(B, float("nan")), info), out)


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
    return written(result, out)


def cholesky(A: Tensor, *, upper: bool = False, out: Tensor | None = None) -> Tensor:
    """L with L L^H = A (or U with U^H U = A) of a positive-definite matrix."""
    factor, info = _ops["_linalg_cholesky"](A, upper)
    raise_for("linalg.cholesky", info, _INDEFINITE)
    return written(factor, out)


def cholesky_ex(
    A: Tensor, *, upper: bool = False, check_errors: bool = False, out: Any = None
) -> CholeskyEx:
    """`cholesky` and LAPACK's verdict for each matrix."""
    factor, info = _ops["_linalg_cholesky"](A, upper)
    if check_errors:
        raise_for("linalg.cholesky_ex", info, _INDEFINITE)
    return written(CholeskyEx(factor, info), out)


def _permutation(pivots: Tensor, rows: int) -> Tensor:
    """The order of rows that LAPACK's exchanges leave, as indices."""
    lead = pivots.shape[:-1]
    if _C._batch_of(pivots):
        return _permutation_by_ops(pivots, rows)
    orders = []
    for exchanges in pivots.reshape(-1, pivots.shape[-1]).tolist() if pivots.numel() else []:
        order = list(range(rows))
        for i, j in enumerate(exchanges):
            order[i], order[j - 1] = order[j - 1], order[i]
        orders.append(order)
    if not orders:
        return kagari.arange(rows).expand(*lead, rows)
    return kagari.tensor(orders, dtype=kagari.int64).reshape(*lead, rows)


def _permutation_by_ops(pivots: Tensor, rows: int) -> Tensor:
    """_permutation for a batched tensor, whose values cannot be read."""
    order = kagari.arange(rows).expand(*pivots.shape[:-1], rows)
    for i, place in enumerate(pivots.unbind(-1)):
        other = place.to(kagari.int64).unsqueeze(-1) - 1
        mine = order[..., i : i + 1]
        exchanged = order.gather(-1, other)
        order = order.scatter(-1, other, mine)
        # where the two places are one, nothing moves
        order = order.scatter(-1, kagari.full_like(other, i), exchanged)
    return order


def _rows(matrix: Tensor, order: Tensor) -> Tensor:
    """The rows of each matrix in that order."""
    return matrix.gather(-2, order.unsqueeze(-1).expand(*order.shape, matrix.shape[-1]))


def _differentiable_lu(A: Tensor, packed: Tensor, pivots: Tensor) -> tuple[Tensor, Tensor]:
    """L and U of A, made of operations that have gradients, given their values."""
    m, n = A.shape[-2:]
    k = min(m, n)
    ordered = _rows(A, _permutation(pivots, m))
    top = _ops["_linalg_lu_known"](ordered[..., :k, :k], packed[..., :k, :k].contiguous())
    unit = kagari.eye(k, dtype=A.dtype)
    lower, upper = top.tril(-1) + unit, top.triu()
    if m > n:
        rest = solve_triangular(upper, ordered[..., k:, :], upper=True, left=False)
        lower = kagari.cat([lower, rest], dim=-2)
    if n > m:
        rest = solve_triangular(lower, ordered[..., k:], upper=False, unitriangular=True)
        upper = kagari.cat([upper, rest], dim=-1)
    return lower, upper


def lu_factor_ex(
    A: Tensor, *, pivot: bool = True, check_errors: bool = False, out: Any = None
) -> LUFactorEx:
    """L and U in one matrix, the exchanges of rows, LAPACK's verdicts."""
    if not pivot:
        raise RuntimeError(
            "linalg.lu_factor: LU without pivoting is not implemented on the CPU; use pivot=True"
        )
    packed, pivots, info = _ops["_linalg_lu_factor"](A)
    if check_errors:
        raise_for("linalg.lu_factor", info, _ZERO_PIVOT)
    if A.requires_grad and kagari.is_grad_enabled():
        lower, upper = _differentiable_lu(A, packed, pivots)
        m, n = A.shape[-2:]
        if m >= n:
            packed = lower.tril(-1) + kagari.nn.functional.pad(upper, (0, 0, 0, m - n))
        else:
            packed = kagari.nn.functional.pad(lower.tril(-1), (0, n - m)) + upper
    return written(LUFactorEx(packed, pivots, info), out)


def lu_factor(A: Tensor, *, pivot: bool = True, out: Any = None) -> LUFactor:
    """L and U in one matrix, and the exchanges of rows, for `lu_solve`."""
    return written(LUFactor(*lu_factor_ex(A, pivot=pivot)[:2]), out)


def lu(A: Tensor, *, pivot: bool = True, out: Any = None) -> LU:
    """P, L, U with A = P L U."""
    packed, pivots, _ = lu_factor_ex(A.detach(), pivot=pivot)
    m, n = A.shape[-2:]
    k = min(m, n)
    if A.requires_grad and kagari.is_grad_enabled():
        lower, upper = _differentiable_lu(A, packed, pivots)
    else:
        lower = packed[..., :k].tril(-1) + kagari.eye(m, k, dtype=A.dtype)
        upper = packed[..., :k, :].triu()
    unit = kagari.eye(m, dtype=A.dtype).expand(*A.shape[:-2], m, m)
    return written(LU(_rows(unit, _permutation(pivots, m)).mT.contiguous(), lower, upper), out)


def lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """X with A X = B from the LU of A; X A = B where not `left`, A^H for A with `adjoint`."""
    if not left:
        turned = lu_solve(LU, pivots, _adjoint(B), adjoint=not adjoint)
        return written(_adjoint(turned), out)
    packed, right = broadcast_stacks(LU, B)
    order = _permutation(pivots, LU.shape[-1]).expand(packed.shape[:-1])
    if not adjoint:
        half = solve_triangular(packed, _rows(right, order), upper=False, unitriangular=True)
        return written(solve_triangular(packed, half, upper=True), out)
    flipped = _adjoint(packed)
    half = solve_triangular(flipped, right, upper=False)
    half = solve_triangular(flipped, half, upper=True, unitriangular=True)
    return written(_rows(half, order.argsort(-1)), out)


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Lstsq:
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
    if kagari.is_grad_enabled() and (A.requires_grad or B.requires_grad):
        solution = pinv(matrix, rtol=cut) @ right
    else:
        solution = plain[..., :n, :]
    nothing = kagari.empty(0, dtype=A.dtype).real
    residuals, full = nothing, m > n and bool((_C._all_samples(rank) == n).all())
    if full and driver != "gelsy":
        difference = (matrix @ solution - right).abs()
        residuals = (difference * difference).sum(-2)
    values = svdvals(matrix.detach()) if driver in ("gelsd", "gelss") else nothing
    ranks = kagari.empty(0, dtype=kagari.int64) if driver == "gels" else rank
    return Lstsq(solution.squeeze(-1) if vector else solution, residuals, ranks, values)


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
    return written(inv(flat).reshape(*last, *first), out)


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
    return written(solve(A.reshape(B.numel(), -1), B.reshape(-1)).reshape(shape), out)
