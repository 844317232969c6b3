"""Symmetric and Hermitian matrices that need not be positive: A = L D L^T, or L D L^H."""

from typing import Any

import kagari
from kagari import _C, Tensor
from kagari._outputs import written

from .arguments import LDLFactor, LDLFactorEx, at_least_matrix, broadcast_stacks, raise_for

_ops = _C.places["ops"]
_ZERO_BLOCK = "The block {} of D is exactly zero, and using it to solve would divide by zero."


def ldl_factor_ex(
    A: Tensor, *, hermitian: bool = False, check_errors: bool = False, out: Any = None
) -> LDLFactorEx:
    """L and D in one matrix, the exchanges of rows and LAPACK's verdict for each matrix.

    Args:
        A: (*, n, n); the lower triangle is read.
        hermitian: whether complex matrices equal their adjoint, rather than their transpose.

    Not differentiable, as in PyTorch.
    """
    if not (A.is_floating_point() or A.is_complex()):
        raise RuntimeError(
            "linalg.ldl_factor_ex: Expected a floating point or complex tensor as input. "
            f"Got {A.dtype}"
        )
    packed, pivots, info = _ops["_linalg_ldl_factor"](A.detach(), hermitian)
    if check_errors:
        raise_for("linalg.ldl_factor_ex", info, _ZERO_BLOCK)
    return written(LDLFactorEx(packed.tril(), pivots, info), out, "linalg.ldl_factor_ex")


def ldl_factor(A: Tensor, *, hermitian: bool = False, out: Any = None) -> LDLFactor:
    """L and D in one matrix and the exchanges of rows, for `ldl_solve`.

    LinAlgError where a block of D is zero.

    >>> A = kagari.tensor([[0.0, 1.0], [1.0, 0.0]])
    >>> kagari.linalg.ldl_solve(*kagari.linalg.ldl_factor(A), kagari.tensor([[1.0], [2.0]]))
    tensor([[2.],
            [1.]])
    """
    packed, pivots, info = ldl_factor_ex(A, hermitian=hermitian)
    raise_for("linalg.ldl_factor", info, _ZERO_BLOCK)
    return written(LDLFactor(packed, pivots), out, "linalg.ldl_factor")


def ldl_solve(
    LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False, out: Tensor | None = None
) -> Tensor:
    """X with A X = B, (*, n, k), from the factors of A; not differentiable, as in PyTorch."""
    at_least_matrix("linalg.ldl_solve", LD)
    if B.dim() < 2:
        raise RuntimeError(f"linalg.ldl_solve: B must have at least 2 dimensions, got {B.dim()}")
    if LD.shape[-1] != LD.shape[-2]:
        raise RuntimeError(
            "linalg.ldl_solve: LD must be batches of square matrices, but they are "
            f"{LD.shape[-2]} by {LD.shape[-1]} matrices"
        )
    if B.shape[-2] != LD.shape[-1]:
        raise RuntimeError(
            f"linalg.ldl_solve: Incompatible matrix sizes: each A matrix is {LD.shape[-1]} by "
            f"{LD.shape[-1]} but each B matrix is {B.shape[-2]} by {B.shape[-1]}"
        )
    if pivots.dtype not in (kagari.int32, kagari.int64):
        raise RuntimeError(f"linalg.ldl_solve: Expected pivots to be integers. Got {pivots.dtype}")
    if pivots.shape != LD.shape[:-1]:
        raise RuntimeError(
            "linalg.ldl_solve: Expected LD.shape[:-1] and pivots.shape to be the same, but got "
            f"{tuple(LD.shape)} and {tuple(pivots.shape)}"
        )
    if LD.dtype != B.dtype:
        raise RuntimeError(
            f"linalg.ldl_solve: LD dtype {LD.dtype} does not match B dtype {B.dtype}"
        )
    size = LD.shape[-1]
    given = _C._all_samples(pivots)
    if given.numel() and bool(((given == 0) | (given.abs() > size)).any()):
        raise RuntimeError(
            f"linalg.ldl_solve: pivots must be between 1 and {size} in size; pass those of "
            "ldl_factor"
        )
    packed, right = broadcast_stacks(LD.detach(), B.detach())
    order = pivots.to(kagari.int32).expand(packed.shape[:-1])
    made = _ops["_linalg_ldl_solve"](packed, order, right, hermitian)
    return written(made, out, "linalg.ldl_solve")
