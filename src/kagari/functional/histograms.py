"""Counts of values in bins: histogram of numbers, histogramdd of points."""

import math
from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari.linalg.arguments import print_as_torch

Histogram = namedtuple("Histogram", ["hist", "bin_edges"])
HistogramDD = namedtuple("HistogramDD", ["hist", "bin_edges"])
print_as_torch("", histogram=Histogram, histogramdd=HistogramDD)
Bins = int | Tensor


def histogram(
    input: Tensor, bins: Bins = 100, *, range: Sequence[float] | None = None,
    weight: Tensor | None = None, density: bool = False, out: Any = None,
) -> Histogram:  # fmt: skip
    """How many elements of `input` lie in each bin, as floats, and the edges of the bins.

    Args:
        bins: their number, or their edges, increasing.
        range: where `bins` equal bins begin and end; from the smallest to the largest element.
        weight: what each element counts, of the shape of `input`.
        density: divide by the sum and the width of each bin, so that the integral is 1.

    A bin contains its lower edge, the last also its upper one. `input` is float32 or float64.

    >>> kagari.histogram(kagari.tensor([1.0, 2.0, 2.0]), 2).hist
    tensor([1., 2.])
    """
    if isinstance(bins, Tensor) and range is not None:
        raise TypeError("histogram(): range is for a number of bins, not for edges")
    points = input.reshape(-1, 1)
    weights = weight
    if weight is not None:
        if weight.shape != input.shape:
            raise RuntimeError(
                "histogram: if weight tensor is provided it should have the shape of input, got "
                f"input {tuple(input.shape)} and weight {tuple(weight.shape)}"
            )
        weights = weight.reshape(-1)
    hist, edges = _histogram("histogram", points, [bins], range, weights, density)
    if out is None:
        return Histogram(hist, edges[0])
    return Histogram(*(_into(t, r) for t, r in zip(out, (hist, edges[0]), strict=True)))


def histogramdd(
    input: Tensor, bins: Any, range: Sequence[float] | None = None, weight: Tensor | None = None,
    density: bool = False,
) -> HistogramDD:  # fmt: skip
    """How many of the points (*, N) lie in each of the cells of a grid in N dimensions.

    Args:
        bins: numbers of bins, or edges, one for each of N dimensions; or a number for all.
        range: lower and upper ends of the first dimension, of the second, ...; N times two.
        weight: what each point counts, (*).

    >>> kagari.histogramdd(kagari.tensor([[0.0, 1.0], [1.0, 0.0]]), [2, 2]).hist
    tensor([[0., 1.],
            [1., 0.]])
    """
    if input.dim() < 2:
        raise RuntimeError(
            f"histogramdd: input tensor should have at least 2 dimensions, got {input.dim()}"
        )
    count = input.shape[-1]
    each = [bins] * count if isinstance(bins, int) else list(bins)
    if len(each) != count:
        raise RuntimeError(
            "histogramdd: The size of bins must be equal to the innermost dimension of the input, "
            f"got {len(each)} and {count}"
        )
    if weight is not None:
        if weight.shape != input.shape[:-1]:
            raise RuntimeError(
                "histogramdd: if weight tensor is provided it should have the same shape as the "
                f"input tensor excluding its innermost dimension, got {tuple(input.shape)} and "
                f"{tuple(weight.shape)}"
            )
        weight = weight.reshape(-1)
    points = input.reshape(-1, count)
    hist, edges = _histogram("histogramdd", points, each, range, weight, density)
    return HistogramDD(hist, tuple(edges))


def _into(target: Tensor, result: Tensor) -> Tensor:
    if target.dtype != result.dtype:
        raise RuntimeError(
            f"histogram: expected out tensors of dtype {result.dtype}, got {target.dtype}"
        )
    if target.shape != result.shape:
        target.resize_(result.shape)
    return target.copy_(result)


def _histogram(
    op: str, points: Tensor, bins: list[Bins], ends: Any, weight: Tensor | None, density: bool
) -> tuple[Tensor, list[Tensor]]:
    if points.dtype not in (kagari.float32, kagari.float64):
        raise NotImplementedError(f'"{op}" not implemented for {points.dtype}; use float32')
    if weight is not None and weight.dtype != points.dtype:
        raise RuntimeError(
            f"{op}: if weight tensor is provided, input tensor and weight tensor should have the "
            f"same dtype, but got input({points.dtype}), and weight({weight.dtype})"
        )
    points = points.detach()
    edges = _edges(op, points, bins, ends)
    sizes = [e.numel() - 1 for e in edges]
    cell, inside = kagari.zeros(points.shape[0], dtype=kagari.int64), None
    for d, (edge, size) in enumerate(zip(edges, sizes, strict=True)):
        values = points[:, d].contiguous()
        within = (values >= edge[0]) & (values <= edge[-1])
        place = (kagari.searchsorted(edge, values, right=True) - 1).clamp(max=size - 1)
        cell = cell * size + place.masked_fill(~within, 0)
        inside = within if inside is None else inside & within
    counted = kagari.ones_like(points[:, 0]) if weight is None else weight.detach()
    counted = counted.masked_fill(~inside, 0)  # type: ignore[operator]
    hist = points.new_zeros(math.prod(sizes)).scatter_add_(0, cell, counted).reshape(sizes)
    if density:
        hist = hist / hist.sum()
        for d, edge in enumerate(edges):
            shape = [-1 if i == d else 1 for i in range(len(edges))]
            hist = hist / edge.diff().reshape(shape)
    return hist, edges


def _edges(op: str, points: Tensor, bins: list[Bins], ends: Any) -> list[Tensor]:
    rank = points.shape[1]
    for d, given in enumerate(bins):
        _check_bins(op, points, d, given)
    if ends is not None and len(ends) != 2 * rank:
        raise RuntimeError(
            f"{op}: for a {rank}-dimensional histogram range should have {2 * rank} elements, but "
            f"got {len(ends)}"
        )
    edges = []
    for d, given in enumerate(bins):
        if isinstance(given, Tensor):
            edges.append(given.detach().contiguous())
            continue
        if ends is not None:
            low, high = float(ends[2 * d]), float(ends[2 * d + 1])
        elif points.shape[0]:
            low, high = points[:, d].min().item(), points[:, d].max().item()
        else:
            low, high = 0.0, 1.0
        if not (math.isfinite(low) and math.isfinite(high)):
            raise RuntimeError(f"{op}: dimension {d}'s range [{low}, {high}] is not finite")
        if low > high:
            raise RuntimeError(
                f"{op}: min should not exceed max, but got min {low} max {high} for dimension {d}"
            )
        if low == high:
            low, high = low - 0.5, high + 0.5
        edges.append(kagari.linspace(low, high, given + 1, dtype=points.dtype))
    return edges


def _check_bins(op: str, points: Tensor, d: int, given: Bins) -> None:
    if isinstance(given, Tensor):
        if given.dim() != 1:
            raise RuntimeError(
                f"{op}: bins tensor should have one dimension, but got {given.dim()} dimensions in "
                f"the bins tensor for dimension {d}"
            )
        if given.dtype != points.dtype:
            raise RuntimeError(
                f"{op}: input tensor and bins tensors should have the same dtype, but got input "
                f"with dtype {points.dtype} and bins for dimension {d} with dtype {given.dtype}"
            )
    count = given.numel() - 1 if isinstance(given, Tensor) else given
    if count <= 0:
        raise RuntimeError(f"{op}(): bins must be > 0, but got {count} for dimension {d}")
