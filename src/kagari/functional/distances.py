"""Distances between all pairs of rows: cdist. Of matching rows: nn/functional/distance.py."""

from typing import Any

import kagari
from kagari import Tensor
from kagari.autograd import Function

_MODES = {
    "use_mm_for_euclid_dist_if_necessary": None,
    "use_mm_for_euclid_dist": True,
    "donot_use_mm_for_euclid_dist": False,
}
_MM_ROWS = 25  # more rows than this on either side, and products are worth their lost digits
_CHUNK = 1 << 18  # elements of the differences at once: they stay in the cache


def cdist(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    compute_mode: str = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:
    """The p-norm distances between the rows of `x1` (*, P, M) and of `x2` (*, R, M): (*, P, R).

    Args:
        p: from 0 (how many elements differ) to infinity (the largest difference).
        compute_mode: whether Euclidean distances are made of a matrix product, which is quick and
            inexact for rows that are close: 'use_mm_for_euclid_dist_if_necessary' (from 26 rows
            on), 'use_mm_for_euclid_dist' or 'donot_use_mm_for_euclid_dist'.

    The gradient at distance zero is zero. RuntimeError for shapes that do not fit, dtypes that are
    not floating and a negative `p`; ValueError for another mode.

    >>> kagari.cdist(kagari.tensor([[0.0, 0.0]]), kagari.tensor([[3.0, 4.0]]))
    tensor([[5.]])
    """
    if compute_mode is not None and compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    _check(x1, x2, p)
    by_product = _MODES.get(compute_mode)
    if by_product is None:
        by_product = max(x1.shape[-2], x2.shape[-2]) > _MM_ROWS
    lead = kagari.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    x1, x2 = (x.expand(*lead, *x.shape[-2:]) for x in (x1, x2))
    return _Distances.apply(x1, x2, float(p), p == 2 and by_product)


def _check(x1: Tensor, x2: Tensor, p: float) -> None:
    for which, x in (("X1", x1), ("X2", x2)):
        if x.dim() < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {which} got: {x.dim()}D")
        if x.dtype not in (kagari.float32, kagari.float64):
            raise RuntimeError(
                f"cdist only supports floating-point dtypes, {which} got: {x.dtype}; use float32 "
                "or float64"
            )
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    if x1.dtype != x2.dtype:
        raise RuntimeError(f"cdist: X1 and X2 must have the same dtype, got {x1.dtype}, {x2.dtype}")
    if p < 0:
        raise RuntimeError(f"cdist only supports non-negative p values, got {p}")


def _starts(x1: Tensor, x2: Tensor) -> range:
    """Where the chunks of rows of `x1` begin whose differences to all of `x2` fit in memory."""
    return range(0, max(x1.shape[-2], 1), max(_CHUNK // max(x2.numel(), 1), 1))


def _differences(x1: Tensor, x2: Tensor, start: int, step: int) -> Tensor:
    return x1[..., start : start + step, :].unsqueeze(-2) - x2.unsqueeze(-3)


def _by_product(x1: Tensor, x2: Tensor) -> Tensor:
    """|a|^2 - 2ab + |b|^2 as one product of rows with two more elements."""
    squares1, squares2 = (x.square().sum(-1, keepdim=True) for x in (x1, x2))
    left = kagari.cat([-2 * x1, squares1, kagari.ones_like(squares1)], -1)
    right = kagari.cat([x2, kagari.ones_like(squares2), squares2], -1)
    return (left @ right.mT).clamp(min=0).sqrt()


class _Distances(Function):
    """PyTorch's gradients, differentiable again: zero wherever the distance is."""

    generate_vmap_rule = True
    _transposable = True

    @staticmethod
    def forward(ctx: Any, x1: Tensor, x2: Tensor, p: float, by_product: bool) -> Tensor:  # type: ignore[override]
        if x1.shape[-1] == 0 or x1.numel() == 0 or x2.numel() == 0:
            result = x1.new_zeros(*x1.shape[:-1], x2.shape[-2])
        elif by_product:
            result = _by_product(x1, x2)
        else:
            starts = _starts(x1, x2)
            parts = [_differences(x1, x2, s, starts.step).norm(p, -1) for s in starts]
            result = kagari.cat(parts, -2)
        ctx.save_for_backward(x1, x2, result)
        ctx.p, ctx.by_product = p, by_product
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x1, x2, distance = ctx.saved_tensors
        if ctx.p == 0 or distance.numel() == 0 or x1.shape[-1] == 0:
            return x1 * 0, x2 * 0, None, None
        if ctx.by_product:
            return *_slopes_by_product(x1, x2, distance, grad), None, None
        starts = _starts(x1, x2)
        first, second = [], x2 * 0
        for start in starts:
            d = _differences(x1, x2, start, starts.step)
            rows = (..., slice(start, start + starts.step), slice(None))
            slope = _slope(d, distance[rows], grad[rows], ctx.p)
            first.append(slope.sum(-2))
            second = second - slope.sum(-3)
        return kagari.cat(first, -2), second, None, None


def _slopes_by_product(
    x1: Tensor, x2: Tensor, distance: Tensor, grad: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradients of Euclidean distances, sums of (x1 - x2) grad / distance, as products."""
    nothing = distance == 0
    weight = (grad / distance.masked_fill(nothing, 1)).masked_fill(nothing, 0)
    first = x1 * weight.sum(-1, keepdim=True) - weight @ x2
    return first, x2 * weight.sum(-2).unsqueeze(-1) - weight.mT @ x1


def _slope(d: Tensor, distance: Tensor, grad: Tensor, p: float) -> Tensor:
    """The gradient in `d` of its p-norm along the last dimension, given the norm and its gradient.

    The p-norm's derivative is sign(d) |d|^(p-1) / norm^(p-1).
    """
    if p == 1:
        return d.sign() * grad.unsqueeze(-1)
    if p == float("inf"):
        return d.sign() * (d.abs() == distance.unsqueeze(-1)) * grad.unsqueeze(-1)
    nothing = distance == 0
    weight = (grad / distance.masked_fill(nothing, 1).pow(p - 1)).masked_fill(nothing, 0)
    if p == 2:
        return d * weight.unsqueeze(-1)
    still = d == 0
    power = d.masked_fill(still, 1).abs().pow(p - 1).masked_fill(still, 0)
    return d.sign() * power * weight.unsqueeze(-1)
