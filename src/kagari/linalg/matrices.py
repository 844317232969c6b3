"""Products, powers and special matrices, as compositions of products."""

import functools
from collections.abc import Sequence

import kagari
from kagari import _C, Tensor
from kagari._outputs import written

from .arguments import at_least_matrix
from .systems import inv

matmul = kagari.matmul


def matrix_power(A: Tensor, n: int, *, out: Tensor | None = None) -> Tensor:
    """A multiplied by itself n times; the inverse's power for negative n."""
    at_least_matrix("linalg.matrix_power", A)
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            "linalg.matrix_power: A must be batches of square matrices, but they are "
            f"{A.shape[-2]} by {A.shape[-1]} matrices"
        )
    op = "linalg.matrix_power"
    if n == 0:  # a constant, but with a history where A has one
        eye = kagari.eye(A.shape[-1], dtype=A.dtype).expand(A.shape)
        return written(kagari.where(kagari.tensor(True), eye, A), out, op, castable=True)
    base, n = (inv(A), -n) if n < 0 else (A, n)
    result = None
    while True:  # squares for the binary digits of n
        if n & 1:
            result = base if result is None else result @ base
        n >>= 1
        if not n:
            return written(result if result is not A else A.clone(), out, op, castable=True)
        base = base @ base


def multi_dot(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """The product of two or more matrices in the order that costs least; ends may be vectors."""
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    first, *middle, last = tensors
    for position, tensor in enumerate(middle, 1):
        if tensor.dim() != 2:
            raise RuntimeError(f"multi_dot(): tensor {position} must be 2D but got {tensor.dim()}D")
    for position, tensor in ((0, first), (len(tensors) - 1, last)):
        if tensor.dim() not in (1, 2):
            raise RuntimeError(
                f"multi_dot(): tensor {position} must be 1D or 2D but got {tensor.dim()}D"
            )
    chain = [first.unsqueeze(0) if first.dim() == 1 else first, *middle]
    chain.append(last.unsqueeze(1) if last.dim() == 1 else last)
    sizes = [chain[0].shape[0], *(t.shape[1] for t in chain)]

    @functools.cache
    def best(i: int, j: int) -> tuple[int, int]:
        """The least cost of chain[i:j + 1], and where it is split."""
        if i == j:
            return 0, i
        return min(
            (best(i, k)[0] + best(k + 1, j)[0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
            for k in range(i, j)
        )

    def multiply(i: int, j: int) -> Tensor:
        if i == j:
            return chain[i]
        k = best(i, j)[1]
        return multiply(i, k) @ multiply(k + 1, j)

    result = multiply(0, len(chain) - 1)
    if first.dim() == 1:
        result = result.squeeze(0)
    return written(result.squeeze(-1) if last.dim() == 1 else result, out, "linalg.multi_dot")


def cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    """The cross product of vectors of three elements along `dim`."""
    if input.dim() != other.dim():
        raise RuntimeError(
            "linalg.cross: inputs must have the same number of dimensions, got "
            f"{input.dim()} and {other.dim()}"
        )
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[dim]} and "
            f"{other.shape[dim]}"
        )
    a, b = kagari.broadcast_tensors(input, other)
    ax, ay, az = a.unbind(dim)
    bx, by, bz = b.unbind(dim)
    parts = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx]
    return written(kagari.stack(parts, dim=dim), out, "linalg.cross")


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    """Sums of the products of conj(x) and y along `dim`."""
    return written(((x.conj() if x.is_complex() else x) * y).sum(dim), out, "linalg.vecdot")


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of the matrices, as a view."""
    return A.diagonal(offset, dim1, dim2)


def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """The powers 0 to N - 1 of each element, as the last dimension."""
    if N is not None and N <= 1:
        raise RuntimeError(f"linalg.vander: N must be greater than 1, got {N}")
    count = x.shape[-1] if N is None else N
    ones = kagari.ones_like(x).unsqueeze(-1)
    if count <= 1:
        return ones
    powers = x.unsqueeze(-1).expand(*x.shape, count - 1).cumprod(-1)
    return kagari.cat([ones.to(powers.dtype), powers], dim=-1)


# Numerator coefficients of the [13/13] Pade approximant of exp.
_PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0,
    129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0,
    40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
_PADE_BOUND = 5.371920351148152  # norms up to here need no scaling in float64


def matrix_exp(A: Tensor) -> Tensor:
    """The exponential of square matrices: scaling, a rational function, squaring."""
    at_least_matrix("linalg.matrix_exp", A)
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            "linalg.matrix_exp: A must be batches of square matrices, but they are "
            f"{A.shape[-2]} by {A.shape[-1]} matrices"
        )
    if A.numel() == 0:
        return A.clone()
    if A.dtype in (kagari.float16, kagari.bfloat16):
        return matrix_exp(A.float()).to(A.dtype)
    size = float(_C._all_samples(A.detach()).abs().sum(-2).amax().item())
    squarings = 0
    while size > _PADE_BOUND and size < float("inf"):
        size, squarings = size / 2, squarings + 1
    X = A / 2**squarings
    eye = kagari.eye(A.shape[-1], dtype=A.dtype)
    X2 = X @ X
    X4 = X2 @ X2
    X6 = X4 @ X2
    b = _PADE
    odd = X6 @ (b[13] * X6 + b[11] * X4 + b[9] * X2) + b[7] * X6 + b[5] * X4 + b[3] * X2
    even = X6 @ (b[12] * X6 + b[10] * X4 + b[8] * X2) + b[6] * X6 + b[4] * X4 + b[2] * X2
    U, V = X @ (odd + b[1] * eye), even + b[0] * eye
    result = kagari.linalg.solve(V - U, V + U)
    for _ in range(squarings):
        result = result @ result
    return result
