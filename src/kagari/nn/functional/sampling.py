"""Sampling images at given places: grid_sample, and affine_grid which makes such places."""

import itertools
import warnings
from typing import Any

import kagari
from kagari import Tensor

from .resize import _CUBIC, _cubic


def affine_grid(theta: Tensor, size: Any, align_corners: bool | None = None) -> Tensor:
    """The sampling grid of a batch of affine maps, for `grid_sample`.

    theta is (N, 2, 3) for size (N, C, H, W), (N, 3, 4) for (N, C, D, H, W)."""
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since "
            "1.3.0. Please specify align_corners=True if the old behavior is desired.",
            stacklevel=2,
        )
        align_corners = False
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    n = len(size) - 2
    if n not in (2, 3):
        raise NotImplementedError(
            f"affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {tuple(size)}."
        )
    if theta.dim() != 3 or tuple(theta.shape[1:]) != (n, n + 1):
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size "
            f"{tuple(size)}. Got {tuple(theta.shape)}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    axes = [_positions(theta, s, align_corners) for s in size[2:]]
    places = list(reversed(kagari.meshgrid(*axes, indexing="ij")))
    places.append(kagari.ones_like(places[0]))
    base = kagari.stack(places, -1).reshape(1, -1, n + 1)
    grid = base.expand(size[0], -1, -1) @ theta.transpose(1, 2)
    return grid.reshape(size[0], *size[2:], n)


def _positions(like: Tensor, size: int, corners: bool) -> Tensor:
    if size <= 1:
        return like.new_zeros(size)
    places = kagari.linspace(-1, 1, size, dtype=like.dtype, device=like.device)
    return places if corners else places * ((size - 1) / size)


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Values of (N, C, H, W) or (N, C, D, H, W) at the places `grid`, in [-1, 1], x first.

    Args:
        mode: 'bilinear', 'nearest' or (for 4-d input) 'bicubic'.
        padding_mode: outside: 'zeros', the 'border' or a 'reflection'.
    """
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
            f"but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since "
            "1.3.0. Please specify align_corners=True if the old behavior is desired.",
            stacklevel=2,
        )
    _check_grid(input, grid, mode)
    if input.dtype in (kagari.float16, kagari.bfloat16):  # places need more digits than a half has
        wide = _sample(input.float(), grid.float(), mode, padding_mode, bool(align_corners))
        return wide.to(input.dtype)
    return _sample(input, grid, mode, padding_mode, bool(align_corners))


def _check_grid(input: Tensor, grid: Tensor, mode: str) -> None:
    n = input.dim() - 2
    shown = f"input {tuple(input.shape)} and grid {tuple(grid.shape)}"
    if input.dtype is not grid.dtype:
        raise RuntimeError(
            f"grid_sampler(): expected input and grid to have same dtype, but input has "
            f"{input.dtype} and grid has {grid.dtype}"
        )
    if n not in (2, 3) or grid.dim() != input.dim():
        raise RuntimeError(f"grid_sampler(): expected 4D or 5D input and grid alike, got {shown}")
    if grid.shape[0] != input.shape[0] or grid.shape[-1] != n:
        raise RuntimeError(
            f"grid_sampler(): expected grid of {input.shape[0]} samples with {n} coordinates in "
            f"the last dimension, got {shown}"
        )
    if min(input.shape[2:]) == 0:
        raise RuntimeError(f"grid_sampler(): expected non-empty spatial dimensions, got {shown}")
    if mode == "bicubic" and n == 3:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")


def _sample(input: Tensor, grid: Tensor, mode: str, padding: str, corners: bool) -> Tensor:
    sizes = list(input.shape[2:])
    taps = []  # for each dimension: (index, weight, inside) of every element that counts
    for i, size in enumerate(reversed(sizes)):
        x = grid[..., i]
        x = (x + 1) * ((size - 1) / 2) if corners else ((x + 1) * size - 1) / 2
        if mode != "bicubic":
            x = _folded(x, size, padding, corners)
        taps.append(_taps(x, size, mode, padding, corners))
    taps.reverse()
    batch, channels = input.shape[:2]
    flat = input.reshape(batch, channels, -1)
    out = list(grid.shape[1:-1])
    result: Any = 0
    for corner in itertools.product(*taps):
        where, weight, inside = None, None, None
        for size, (index, part, valid) in zip(sizes, corner, strict=True):
            where = index if where is None else where * size + index
            weight = part if weight is None else weight * part
            inside = valid if inside is None else inside & valid
        assert where is not None and weight is not None and inside is not None
        index = where.reshape(batch, 1, -1).expand(-1, channels, -1)
        value = flat.gather(2, index).reshape(batch, channels, *out)
        weight = kagari.where(inside, weight, kagari.zeros_like(weight)).unsqueeze(1)
        result = (
            result + kagari.where(inside.unsqueeze(1), value, kagari.zeros_like(value)) * weight
        )
    return result


def _folded(x: Tensor, size: int, padding: str, corners: bool) -> Tensor:
    """Bring places outside the image to where `padding` says."""
    if padding == "zeros":
        return x
    if padding == "reflection":
        low, high = (0.0, size - 1.0) if corners else (-0.5, size - 0.5)
        span = high - low
        if span == 0:
            return x * 0
        x = (x - low).abs()
        flips = (x / span).floor()
        extra = x - flips * span
        x = kagari.where(flips.remainder(2) == 0, extra + low, span - extra + low)
    # clamped, with gradient zero also where the place is exactly on the border
    return kagari.where(x <= 0, 0.0, kagari.where(x >= size - 1, size - 1.0, x))


def _taps(x: Tensor, size: int, mode: str, padding: str, corners: bool) -> list[Any]:
    if mode == "nearest":
        first, weights = x.detach().round(), [x * 0 + 1]  # depends on x, with gradient 0
        offsets: Any = [0]
    else:
        first = x.detach().floor()
        part = x - first
        offsets = range(-1, 3) if mode == "bicubic" else range(2)
        if mode == "bicubic":
            weights = [_cubic(part - o, _CUBIC) for o in offsets]
        else:
            weights = [1 - part, part]
    taps = []
    for offset, weight in zip(offsets, weights, strict=True):
        place = first + offset
        if mode == "bicubic":
            place = _folded(place, size, padding, corners)
        inside = (place >= 0) & (place < size)
        # NaN and huge places convert to no integer: they are outside, at index 0
        index = kagari.where(inside, place, kagari.zeros_like(place)).to(kagari.int64)
        taps.append((index, weight, inside))
    return taps


__all__ = [
    "affine_grid",
    "grid_sample",
]
