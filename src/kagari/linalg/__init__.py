"""Linear algebra: factorisations, systems, norms, all batched over leading dimensions.

LAPACK does the work through the core's ops; here arguments are brought to the forms these take, and
what is a composition of them is composed. All that has gradients in PyTorch has them here.
"""

from kagari._C import LinAlgError

from .indefinite import ldl_factor, ldl_factor_ex, ldl_solve
from .lu_factors import lu, lu_factor, lu_factor_ex, lu_solve
from .matrices import cross, diagonal, matmul, matrix_exp, matrix_power, multi_dot, vander, vecdot
from .norms import cond, matrix_norm, matrix_rank, norm, vector_norm
from .reflectors import householder_product
from .spectral import eig, eigh, eigvals, eigvalsh, pinv, qr, svd, svdvals
from .systems import (
    cholesky,
    cholesky_ex,
    det,
    inv,
    inv_ex,
    lstsq,
    slogdet,
    solve,
    solve_ex,
    solve_triangular,
    tensorinv,
    tensorsolve,
)  # fmt: skip

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh",
    "eigvals", "eigvalsh", "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex",
    "ldl_solve", "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve", "matmul", "matrix_exp",
    "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet",
    "solve", "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander",
    "vecdot", "vector_norm",
]  # fmt: skip
