"""Distances and similarities between vectors."""

import kagari
from kagari import Tensor


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along `dim`; norms are at least `eps`."""
    dtype = kagari.result_type(x1, x2)
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(
            "cosine_similarity: expected common dtype to be floating point, yet common dtype is "
            f"{dtype}"
        )
    x1, x2 = kagari.broadcast_tensors(x1.to(dtype), x2.to(dtype))

    def unit(x: Tensor) -> Tensor:
        return x / x.norm(2, dim, keepdim=True).clamp(min=eps)

    return (unit(x1) * unit(x2)).sum(dim)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The p-norm of x1 - x2 + eps along the last dimension."""
    return (x1 - x2 + eps).norm(p, -1, keepdim=keepdim)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm distances between every two rows of (N, M), as a vector of N (N - 1) / 2."""
    if input.dim() != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.dim()}D")
    if not input.is_floating_point():
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    rows = input.shape[0]
    first, second = kagari.triu_indices(rows, rows, 1, device=input.device)
    return (input[first] - input[second]).norm(p, -1)


__all__ = [
    "cosine_similarity",
    "pairwise_distance",
    "pdist",
]
