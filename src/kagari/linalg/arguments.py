"""What the functions of linear algebra share: named results, stacks broadcast together, `out=`."""

from collections import namedtuple
from typing import Any

import kagari
from kagari import _C, Tensor
from kagari._C import LinAlgError
from kagari._printing import result_text

Results = Tensor | tuple[Tensor, ...]

CholeskyEx = namedtuple("CholeskyEx", ["L", "info"])
Eig = namedtuple("Eig", ["eigenvalues", "eigenvectors"])
Eigh = namedtuple("Eigh", ["eigenvalues", "eigenvectors"])
InvEx = namedtuple("InvEx", ["inverse", "info"])
Lstsq = namedtuple("Lstsq", ["solution", "residuals", "rank", "singular_values"])
LU = namedtuple("LU", ["P", "L", "U"])
LUFactor = namedtuple("LUFactor", ["LU", "pivots"])
LUFactorEx = namedtuple("LUFactorEx", ["LU", "pivots", "info"])
LUUnpack = namedtuple("LUUnpack", ["P", "L", "U"])
LDLFactor = namedtuple("LDLFactor", ["LD", "pivots"])
LDLFactorEx = namedtuple("LDLFactorEx", ["LD", "pivots", "info"])
QR = namedtuple("QR", ["Q", "R"])
Slogdet = namedtuple("Slogdet", ["sign", "logabsdet"])
SolveEx = namedtuple("SolveEx", ["result", "info"])
SVD = namedtuple("SVD", ["U", "S", "Vh"])


def print_as_torch(prefix: str, **classes: Any) -> None:
    """Named tuples print as PyTorch's: torch.return_types.linalg_svd(U=..., one per line."""
    for name, cls in classes.items():
        cls.printed_as = prefix + name
        cls.__repr__ = result_text


print_as_torch(
    "linalg_",
    cholesky_ex=CholeskyEx,
    eig=Eig,
    eigh=Eigh,
    inv_ex=InvEx,
    lstsq=Lstsq,
    lu=LU,
    lu_factor=LUFactor,
    lu_factor_ex=LUFactorEx,
    ldl_factor=LDLFactor,
    ldl_factor_ex=LDLFactorEx,
    qr=QR,
    slogdet=Slogdet,
    solve_ex=SolveEx,
    svd=SVD,
)
print_as_torch("", lu_unpack=LUUnpack)


def broadcast_stacks(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Both with the same leading dimensions."""
    if first.shape[:-2] == second.shape[:-2]:
        return first, second
    lead = kagari.broadcast_shapes(first.shape[:-2], second.shape[:-2])
    return first.expand(*lead, *first.shape[-2:]), second.expand(*lead, *second.shape[-2:])


def adjoint(matrix: Tensor) -> Tensor:
    """Rows and columns swapped, conjugated."""
    swapped = matrix.transpose(-2, -1)
    return swapped.conj() if swapped.is_complex() else swapped


def raise_for(op: str, info: Tensor, text: str) -> None:
    """LinAlgError for the first matrix whose `info` is not 0; `{}` in the text is its number."""
    for index, code in enumerate(_C._all_samples(info).reshape(-1).tolist()):
        if code:
            which = f"(Batch element {index}): " if info.dim() else ""
            raise LinAlgError(f"{op}: {which}{text.format(code)}")


def at_least_matrix(op: str, *matrices: Tensor) -> None:
    for matrix in matrices:
        if matrix.dim() < 2:
            raise RuntimeError(
                f"{op}: The input tensor A must have at least 2 dimensions, got {matrix.dim()}"
            )
