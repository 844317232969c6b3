"""LU factorisations: A = P L U with exchanges of rows, or without them."""

from typing import Any

import kagari
from kagari import _C, Tensor
from kagari._outputs import written
from kagari.autograd.modes import differentiating

from .arguments import (
    LU,
    LUFactor,
    LUFactorEx,
    LUUnpack,
    adjoint,
    at_least_matrix,
    broadcast_stacks,
    raise_for,
)  # fmt: skip
from .systems import solve_triangular

_ops = _C.places["ops"]
_adjoint = adjoint  # lu_solve has an argument of that name
_order = _ops["_linalg_lu_order"]  # (pivots, rows): the order of rows the exchanges leave
_ZERO_PIVOT = (
    "The diagonal element {} of U is zero and using it on lu_solve would result in a division by "
    "zero."
)


def _rows(matrix: Tensor, order: Tensor) -> Tensor:
    """The rows of each matrix in that order."""
    return matrix.gather(-2, order.unsqueeze(-1).expand(*order.shape, matrix.shape[-1]))


def _differentiable_lu(A: Tensor, packed: Tensor, pivots: Tensor) -> tuple[Tensor, Tensor]:
    """L and U of A, made of operations that have gradients, given their values."""
    m, n = A.shape[-2:]
    k = min(m, n)
    ordered = _rows(A, _order(pivots, m))
    top = _ops["_linalg_lu_known"](ordered[..., :k, :k], packed[..., :k, :k].contiguous())
    unit = kagari.eye(k, dtype=A.dtype, device=A.device)
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
    at_least_matrix("linalg.lu_factor", A)
    packed, pivots, info = _ops["_linalg_lu_factor"](A.detach(), pivot)
    if check_errors:
        raise_for("linalg.lu_factor", info, _ZERO_PIVOT)
    if differentiating(A):
        lower, upper = _differentiable_lu(A, packed, pivots)
        m, n = A.shape[-2:]
        if m >= n:
            packed = lower.tril(-1) + kagari.nn.functional.pad(upper, (0, 0, 0, m - n))
        else:
            packed = kagari.nn.functional.pad(lower.tril(-1), (0, n - m)) + upper
    return written(LUFactorEx(packed, pivots, info), out, "linalg.lu_factor_ex")


def lu_factor(A: Tensor, *, pivot: bool = True, out: Any = None) -> LUFactor:
    """L and U in one matrix, and the exchanges of rows, for `lu_solve`.

    LinAlgError where an element of U's diagonal is zero; `lu_factor_ex` and `lu` take that.
    """
    made = lu_factor_ex(A, pivot=pivot, check_errors=True)
    return written(LUFactor(*made[:2]), out, "linalg.lu_factor")


def lu(A: Tensor, *, pivot: bool = True, out: Any = None) -> LU:
    """P, L, U with A = P L U."""
    packed, pivots, _ = lu_factor_ex(A.detach(), pivot=pivot)
    P, lower, upper = lu_unpack(packed, pivots, unpack_pivots=pivot)
    if differentiating(A):
        lower, upper = _differentiable_lu(A, packed, pivots)
    return written(LU(P, lower, upper), out, "linalg.lu")


def lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """X with A X = B from the LU of A; X A = B where not `left`, A^H for A with `adjoint`."""
    if not left:
        turned = lu_solve(LU, pivots, _adjoint(B), adjoint=not adjoint)
        return written(_adjoint(turned), out, "linalg.lu_solve")
    packed, right = broadcast_stacks(LU, B)
    order = _order(pivots, LU.shape[-1]).expand(packed.shape[:-1])
    if not adjoint:
        half = solve_triangular(packed, _rows(right, order), upper=False, unitriangular=True)
        return written(solve_triangular(packed, half, upper=True), out, "linalg.lu_solve")
    flipped = _adjoint(packed)
    half = solve_triangular(flipped, right, upper=False)
    half = solve_triangular(flipped, half, upper=True, unitriangular=True)
    return written(_rows(half, order.argsort(-1)), out, "linalg.lu_solve")


def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True, *,
    out: Any = None,
) -> LUUnpack:  # fmt: skip
    """P, L and U from what `lu_factor` returns.

    Args:
        LU_data: (*, m, n).
        LU_pivots: (*, min(m, n)), int32.
        unpack_data: whether L (*, m, k) and U (*, k, n) are wanted; they are empty otherwise.
        unpack_pivots: the same for P (*, m, m).

    >>> A = kagari.tensor([[0.0, 2.0], [4.0, 1.0]])
    >>> kagari.lu_unpack(*kagari.linalg.lu_factor(A)).P
    tensor([[0., 1.],
            [1., 0.]])
    """
    at_least_matrix("lu_unpack", LU_data)
    if unpack_pivots and LU_pivots.dtype != kagari.int32:
        raise RuntimeError(
            f"lu_unpack: LU_pivots is expected to be of dtype int32, got {LU_pivots.dtype}"
        )
    (m, n), nothing = LU_data.shape[-2:], LU_data.new_empty(0)
    P = lower = upper = nothing
    if unpack_data:
        k = min(m, n)
        lower = LU_data[..., :k].tril(-1) + kagari.eye(
            m, k, dtype=LU_data.dtype, device=LU_data.device
        )
        upper = LU_data[..., :k, :].triu()
    if unpack_pivots:
        unit = kagari.eye(m, dtype=LU_data.dtype, device=LU_data.device)
        unit = unit.expand(*LU_data.shape[:-2], m, m)
        P = _rows(unit, _order(LU_pivots, m)).mT.contiguous()
    return written(LUUnpack(P, lower, upper), out, "lu_unpack")
