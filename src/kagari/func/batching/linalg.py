"""Products and linear algebra. What factors matrices is batched anyway; products of unbatched
weights stay products with one matrix."""

from typing import Any

from kagari._C import Tensor

from .samples import Samples, composite, rule, run


@rule("matmul", "mm", "bmm", "mv", "dot")
def matmul(samples: Samples, op: Any, a: Tensor, b: Tensor) -> Tensor:
    ranks = {"mm": (2, 2), "bmm": (3, 3), "mv": (2, 1), "dot": (1, 1)}
    if op.name != "matmul" and (a.dim(), b.dim()) != ranks[op.name]:
        raise RuntimeError(
            f"{op.name}: expected tensors of {ranks[op.name][0]} and {ranks[op.name][1]} "
            f"dimensions, got {a.dim()} and {b.dim()}"
        )
    if a.dim() == 0 or b.dim() == 0:
        raise RuntimeError("matmul: both arguments need to be at least 1D, got 0D")
    if op.name == "bmm" and a.shape[0] != b.shape[0]:
        raise RuntimeError(
            f"bmm: batch2 must have the first dimension {a.shape[0]} of batch1, got {b.shape[0]}"
        )
    if not samples.has(b) and (b.dim() == 1 or (b.dim() == 2 and a.dim() > 1)):
        return samples.peek(a) @ b
    if not samples.has(a) and a.dim() <= 2 and b.dim() == 1:  # A x = x Aᵀ
        return samples.peek(b) @ (a if a.dim() == 1 else a.mT)
    rank = max(a.dim(), b.dim(), 2)
    left, right = samples.front(a), samples.front(b)
    if a.dim() == 1:
        left = left.unsqueeze(1)
    if b.dim() == 1:
        right = right.unsqueeze(2)
    out = _padded(left, rank) @ _padded(right, rank)
    if a.dim() == 1:
        out = out.squeeze(-2)
    return out.squeeze(-1) if b.dim() == 1 else out


def _padded(x: Tensor, rank: int) -> Tensor:
    return x.reshape(x.shape[0], *[1] * (rank + 1 - x.dim()), *x.shape[1:])


@rule("linear")
def linear(samples: Samples, op: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if weight.dim() == 2 and not samples.has(weight) and not samples.has(bias):
        return run(op, samples.peek(x), weight, bias)
    with samples.running():
        out = x @ weight.mT if weight.dim() > 1 else x @ weight
        out = out if bias is None else out + bias
    return samples.front(out)


def _onto(input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    if alpha != 1:
        product = product * alpha
    if beta == 0:  # what is multiplied by zero is ignored, NaN included
        return product
    return product + (input if beta == 1 else input * beta)


@composite("addmm")
def addmm(input: Tensor, a: Tensor, b: Tensor, beta: Any, alpha: Any) -> Tensor:
    return _onto(input, a.mm(b), beta, alpha)


@composite("baddbmm")
def baddbmm(input: Tensor, a: Tensor, b: Tensor, beta: Any, alpha: Any) -> Tensor:
    return _onto(input, a.bmm(b), beta, alpha)


@rule(
    "_linalg_cholesky", "_linalg_det", "_linalg_eig", "_linalg_eigh", "_linalg_geqrf",
    "_linalg_inv", "_linalg_ldl_factor", "_linalg_lu_factor", "_linalg_qr", "_linalg_slogdet",
    "_linalg_svd",
)  # fmt: skip
def factored(samples: Samples, op: Any, a: Tensor, *rest: Any) -> Any:
    if a.dim() < 2:
        raise RuntimeError(
            f"{op.name.removeprefix('_').replace('_', '.', 1)}: The input tensor A must have at "
            "least 2 dimensions."
        )
    return run(op, samples.front(a), *rest)


@rule("_linalg_lu_order")
def exchanged(samples: Samples, op: Any, pivots: Tensor, rows: int) -> Any:
    return run(op, samples.front(pivots), rows)


@rule("_linalg_householder_product", "_linalg_ldl_solve", "_linalg_ormqr")
def alike(samples: Samples, op: Any, *args: Any) -> Any:
    return run(op, *(samples.front(a) if isinstance(a, Tensor) else a for a in args))


@rule(
    "_linalg_geqrf", "_linalg_householder_product", "_linalg_ldl_factor", "_linalg_ldl_solve",
    "_linalg_lu_order", "_linalg_ormqr",
)  # fmt: skip
def packed(samples: Samples, op: Any, *args: Any) -> Any:
    """Factors as LAPACK packs them: every tensor has the same leading dimensions."""
    return run(op, *(samples.front(a) if isinstance(a, Tensor) else a for a in args))


@rule(
    "_linalg_lstsq", "_linalg_lu_known", "_linalg_solve", "_linalg_solve_triangular",
)  # fmt: skip
def solved(samples: Samples, op: Any, a: Tensor, b: Tensor, *rest: Any) -> Any:
    rank = max(a.dim(), b.dim())
    return run(op, samples.front(a, rank), samples.front(b, rank), *rest)
