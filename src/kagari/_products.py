"""Products and matrices put together from others: kron, tensordot, trace, cross, block_diag, ..."""

from collections.abc import Sequence
from typing import Any

from . import _C
from ._C import Tensor
from ._outputs import write_out, written

__all__ = ["block_diag", "chain_matmul", "cross", "dist", "kron", "tensordot", "trace"]


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix, a 0-d tensor.

    >>> kagari.trace(kagari.eye(3))
    tensor(3.)
    """
    if input.dim() != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.dim()}")
    return input.diagonal().sum()


def kron(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The Kronecker product: `other` scaled by each element of `input`, block by block."""
    rank = max(input.dim(), other.dim())
    a = input.reshape(*[1] * (rank - input.dim()), *input.shape)
    b = other.reshape(*[1] * (rank - other.dim()), *other.shape)
    outer = a.reshape([s for n in a.shape for s in (n, 1)]) * b.reshape(
        [s for n in b.shape for s in (1, n)]
    )
    made = outer.reshape([m * n for m, n in zip(a.shape, b.shape, strict=True)])
    return made if out is None else write_out(out, made, "kron")


def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: Tensor | None = None) -> Tensor:
    """The sum of products over the last `dims` dimensions of `a` and the first of `b`, or over the
    two lists of dimensions given.

    >>> kagari.tensordot(kagari.ones(2, 3), kagari.ones(3, 4), 1).shape
    torch.Size([2, 4])
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        first, second = [*range(a.dim() - dims, a.dim())], [*range(dims)]
    else:
        first, second = ([d] if isinstance(d, int) else [*d] for d in dims)
    if len(first) != len(second):
        raise RuntimeError("tensordot: both dimension lists should have same length")
    first = [d % a.dim() for d in first] if a.dim() else first
    second = [d % b.dim() for d in second] if b.dim() else second
    for i, j in zip(first, second, strict=True):
        if a.size(i) == 1 and b.size(j) != 1:
            b = b.sum(j, keepdim=True, dtype=b.dtype)
        elif b.size(j) == 1 and a.size(i) != 1:
            a = a.sum(i, keepdim=True, dtype=a.dtype)
        elif a.size(i) != b.size(j):
            raise RuntimeError(
                "tensordot: contracted dimensions need to match, but first has size "
                f"{a.size(i)} in dim {i} and second has size {b.size(j)} in dim {j}"
            )
    free_a = [d for d in range(a.dim()) if d not in first]
    free_b = [d for d in range(b.dim()) if d not in second]
    shape = [a.size(d) for d in free_a] + [b.size(d) for d in free_b]
    inner = 1
    for d in first:
        inner *= a.size(d)
    rows = 1
    for d in free_a:
        rows *= a.size(d)
    columns = 1
    for d in free_b:
        columns *= b.size(d)
    left = a.permute(free_a + first).reshape(rows, inner)
    right = b.permute(second + free_b).reshape(inner, columns)
    made = left.mm(right).reshape(shape)
    return written(made, out, "tensordot")


def chain_matmul(*matrices: Any, out: Tensor | None = None) -> Tensor:
    """The product of several matrices."""
    items = (
        list(matrices[0])
        if len(matrices) == 1 and not isinstance(matrices[0], Tensor)
        else matrices
    )
    made = items[0]
    for m in items[1:]:
        made = made @ m
    return written(made, out, "chain_matmul")


def cross(
    input: Tensor, other: Tensor, dim: int | None = None, *, out: Tensor | None = None
) -> Tensor:
    """The cross product of 3-vectors along `dim`, by default the first dimension of size 3."""
    if dim is None:
        dim = next((i for i, s in enumerate(input.shape) if s == 3), None)
        if dim is None:
            raise RuntimeError(
                f"cross: no dimension of size 3 in input, got shape {tuple(input.shape)}"
            )
    from . import linalg

    return linalg.cross(input, other, dim=dim, out=out)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of the difference."""
    difference = input - other
    from . import linalg

    return linalg.vector_norm(difference, p)


def block_diag(*tensors: Any) -> Tensor:
    """A matrix with the given ones along its diagonal and zeros elsewhere."""
    items: Sequence[Tensor] = tensors
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        items = tensors[0]
    from . import cat, result_type, zeros

    blocks = []
    for t in items:
        if t.dim() > 2:
            raise RuntimeError(
                f"block_diag: Input tensors must have 2 or fewer dimensions. Got {t.dim()} dims"
            )
        blocks.append(t.reshape(1, -1) if t.dim() < 2 else t)
    if not blocks:
        return zeros(1, 0)
    dtype = blocks[0].dtype
    for t in blocks[1:]:
        dtype = result_type(blocks[0].new_empty(1, dtype=dtype), t.new_empty(1))
    width, column, rows = sum(t.size(1) for t in blocks), 0, []
    for t in blocks:
        after = width - column - t.size(1)
        rows.append(_C.places["ops"]["pad"](t.to(dtype), (column, after)))
        column += t.size(1)
    return cat(rows)


def addbmm_(
    self: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """In-place `addbmm`; a tensor that only broadcasts to the product takes its shape."""
    made = self.addbmm(batch1, batch2, beta=beta, alpha=alpha)
    return (self if self.shape == made.shape else self.resize_(made.shape)).copy_(made)


def _install() -> None:
    Tensor.addbmm_ = addbmm_
    Tensor.trace = trace
    Tensor.kron = kron
    Tensor.cross = cross
    Tensor.dist = dist


_install()
