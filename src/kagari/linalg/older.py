"""Functions of linear algebra that PyTorch keeps outside torch.linalg, with their arguments."""

from collections import namedtuple
from typing import Any

import kagari
from kagari import Tensor
from kagari._outputs import written

from . import lu_factors as packed
from . import spectral, systems
from .arguments import adjoint, print_as_torch

SVD = namedtuple("SVD", ["U", "S", "V"])
QR = namedtuple("QR", ["Q", "R"])
LUWithInfo = namedtuple("LUWithInfo", ["LU", "pivots", "info"])
TriangularSolve = namedtuple("TriangularSolve", ["solution", "cloned_coefficient"])
print_as_torch("", svd=SVD, qr=QR, triangular_solve=TriangularSolve, _lu_with_info=LUWithInfo)


def cholesky(input: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """linalg.cholesky, with `upper` by position."""
    return written(systems.cholesky(input, upper=upper), out, "cholesky", castable=True)


def lu(
    A: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None
) -> tuple[Tensor, ...]:
    """L and U in one matrix and the exchanges of rows; LAPACK's verdicts too with `get_infos`."""
    made = packed.lu_factor_ex(A, pivot=pivot)
    result = LUWithInfo(*made) if get_infos else tuple(made[:2])
    if out is None:
        return result
    for target, value in zip(out, result, strict=True):  # of any dtype, as PyTorch has it here
        target.resize_(value.shape).copy_(value)
    return tuple(out)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The pseudoinverse; singular values up to rcond * the largest count as zero."""
    return spectral.pinv(input, rtol=rcond)


def logdet(input: Tensor) -> Tensor:
    """The logarithm of the determinant, nan where that is negative."""
    sign, log = systems.slogdet(input)
    if sign.is_complex():
        return log + sign.log()
    return kagari.where(sign == -1.0, float("nan"), log)


def cholesky_solve(
    B: Tensor, L: Tensor, upper: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """X with A X = B from the Cholesky factor of A."""
    if B.dim() < 2 or L.dim() < 2:
        raise RuntimeError(
            f"cholesky_solve: b and u should have at least 2 dimensions, got {B.dim()} and "
            f"{L.dim()}"
        )
    lower = adjoint(L) if upper else L
    half = systems.solve_triangular(lower, B, upper=False)
    return written(
        systems.solve_triangular(adjoint(lower), half, upper=True),
        out,
        "cholesky_solve",
        castable=True,
    )


def cholesky_inverse(L: Tensor, upper: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The inverse of A from its Cholesky factor."""
    eye = kagari.eye(L.shape[-1], dtype=L.dtype).expand(L.shape)
    return written(
        cholesky_solve(eye, L, upper), out, "cholesky_inverse", castable=True, refit=True
    )


def qr(input: Tensor, some: bool = True, *, out: Any = None) -> QR:
    """linalg.qr, 'reduced' where `some`, else 'complete'."""
    return written(QR(*spectral.qr(input, "reduced" if some else "complete")), out, "qr")


def svd(input: Tensor, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> SVD:
    """linalg.svd with V instead of its adjoint; U and V are zeros without `compute_uv`."""
    m, n = input.shape[-2:]
    if not compute_uv:
        lead, values = input.shape[:-2], spectral.svdvals(input)
        u, v = (kagari.zeros(*lead, s, s, dtype=input.dtype) for s in (m, n))
        return written(SVD(u, values, v), out, "svd")
    u, s, vh = spectral.svd(input, full_matrices=not some)
    return written(SVD(u, s, adjoint(vh)), out, "svd")


def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor, *, out: Tensor | None = None) -> Tensor:
    """X with A X = b from the LU of A."""
    return packed.lu_solve(LU_data, LU_pivots, b, out=out)


def triangular_solve(
    b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False,
    *, out: Any = None,
) -> TriangularSolve:  # fmt: skip
    """X with A X = b, or A^T X = b with `transpose`, and a copy of A."""
    matrix, upper = (A.mT, not upper) if transpose else (A, upper)
    solution = systems.solve_triangular(matrix, b, upper=upper, unitriangular=unitriangular)
    return written(TriangularSolve(solution, A.clone()), out, "triangular_solve")
