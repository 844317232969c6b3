"""Resizing images: interpolate and its older names, grid_sample and affine_grid.

A dimension is resized by picking elements and weighing them, one dimension after the other, so
gradients of any order follow from index_select."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import kagari
from kagari import Tensor

from .pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

_LINEAR = {"linear": 3, "bilinear": 4, "trilinear": 5}
_CUBIC = -0.75  # the coefficient PyTorch and OpenCV use; antialiased resizing uses -0.5


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resize the dimensions after batch and channel to `size` or by `scale_factor`.

    Args:
        mode: 'nearest', 'nearest-exact', 'linear', 'bilinear', 'bicubic', 'trilinear' or 'area'.
        align_corners: let the outer elements' centres, not their edges, coincide.
        antialias: widen the filter where the result is smaller ('bilinear' and 'bicubic').
    """
    n = input.dim() - 2
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: linear | "
                "bilinear | bicubic | trilinear"
            )
    if antialias and not (mode in ("bilinear", "bicubic") and input.dim() == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D "
            "tensor as input"
        )
    sizes, scales = _sizes(input, size, scale_factor, recompute_scale_factor, n)
    if min([*sizes, *input.shape[2:]], default=0) <= 0:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {tuple(input.shape)} "
            f"and output {tuple(sizes)}"
        )
    if mode == "area" and 1 <= n <= 3:
        pools = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)
        return pools[n - 1](input, sizes)
    fits = (
        (mode in ("nearest", "nearest-exact") and 1 <= n <= 3)
        or _LINEAR.get(mode) == input.dim()
        or (mode == "bicubic" and n == 2)
    )
    if not fits:
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported (got "
            f"{input.dim()}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | "
            f"area | nearest-exact (got {mode})"
        )
    if not (input.is_floating_point() or (input.dtype is kagari.uint8 and mode != "linear")):
        raise RuntimeError(f"interpolate: not implemented for {input.dtype} input; use a float")
    return _resize(input, sizes, scales, mode, bool(align_corners), antialias)


def _resize(
    input: Tensor, sizes: Sequence[int], scales: Sequence[Any], mode: str, corners: bool,
    antialias: bool,
) -> Tensor:  # fmt: skip
    picked, of_bytes = mode.startswith("nearest"), input.dtype is kagari.uint8
    wide = kagari.float64 if of_bytes else _working(input)  # halves are summed in float32
    result, cubic = input if picked else input.to(wide), mode == "bicubic"
    for i in reversed(range(len(sizes))):
        dim, old, new, factor = 2 + i, input.shape[2 + i], sizes[i], scales[i]
        if picked:
            result = _nearest(result, dim, old, new, factor, mode == "nearest-exact")
        elif of_bytes and len(sizes) == 2:
            result = _of_bytes(result, dim, old, new, factor, corners, cubic, antialias)
        elif antialias:
            weight = _filter_weights(result, old, new, factor, corners, cubic)
            result = _weighted(result, dim, weight)
        else:
            result = _taps(result, dim, old, new, factor, corners, cubic)
    return (result.round() if of_bytes else result).to(input.dtype)


def _of_bytes(
    x: Tensor, dim: int, old: int, new: int, factor: float | None, corners: bool, cubic: bool,
    antialias: bool,
) -> Tensor:  # fmt: skip
    """Resize one dimension of an image of bytes as Pillow does: weights are integers of at most 15
    bits, and what comes out are bytes again."""
    if old == new:
        return x
    if antialias:
        weight = _filter_weights(x, old, new, factor, corners, cubic)
    else:
        index, taps = _tap_weights(x, old, new, factor, corners, cubic)
        weight = x.new_zeros(new, old).scatter_add(1, index.t(), taps.t())
    largest, bits = float(weight.max()), 0
    while bits < 22 and int(0.5 + largest * 2 ** (bits + 1)) < 2**15:
        bits += 1
    weight = (weight.abs() * 2**bits + 0.5).floor().copysign(weight)
    return (_weighted(x, dim, weight) / 2**bits + 0.5).floor().clamp(0, 255)


def _sizes(
    input: Tensor, size: Any, scale: Any, recompute: bool | None, n: int
) -> tuple[list[int], list[float | None]]:
    if (size is None) == (scale is None):
        raise ValueError("only one of size or scale_factor should be defined")
    given = size if size is not None else scale
    given = list(given) if isinstance(given, (list, tuple)) else [given] * n
    if len(given) != n:
        what = "output size" if size is not None else "scale factors"
        raise ValueError(
            "Input and output must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {list(input.shape[2:])} and {what} of {given}. Please provide "
            "input tensor in (N, C, d1, d2, ...,dK) format and one value for each."
        )
    if size is not None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        return [int(s) for s in given], [None] * n
    sizes = [math.floor(float(s * f)) for s, f in zip(input.shape[2:], given, strict=True)]
    return sizes, [None] * n if recompute else [float(f) for f in given]


def _working(input: Tensor) -> Any:
    return kagari.float64 if input.dtype is kagari.float64 else kagari.float32


def _nearest(x: Tensor, dim: int, old: int, new: int, factor: float | None, exact: bool) -> Tensor:
    if old == new and factor in (None, 1.0):
        return x
    step = old / new if factor is None else 1.0 / factor
    position = kagari.arange(new, dtype=kagari.float32, device=x.device)
    index = ((position + 0.5 if exact else position) * step).floor().to(kagari.int64)
    return x.index_select(dim, index.clamp(max=old - 1))


def _sources(
    x: Tensor, old: int, new: int, factor: float | None, corners: bool, clamp: bool
) -> Tensor:
    """Where, among the old elements, each new element lies."""
    position = kagari.arange(new, dtype=_working(x), device=x.device)
    if corners:
        return position * ((old - 1) / (new - 1) if new > 1 else 0.0)
    step = old / new if factor is None else 1.0 / factor
    source = (position + 0.5) * step - 0.5
    return source.clamp(min=0) if clamp else source


def _cubic(distance: Tensor, a: float) -> Tensor:
    """The cubic convolution kernel at |distance|."""
    d = distance.abs()
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((d - 5) * d + 8) * d * a - 4 * a
    return kagari.where(d <= 1, near, kagari.where(d < 2, far, kagari.zeros_like(d)))


def _tap_weights(
    x: Tensor, old: int, new: int, factor: float | None, corners: bool, cubic: bool
) -> tuple[Tensor, Tensor]:
    """The two (cubic: four) nearest old elements of each new one, and their weights: (taps, new)"""
    source = _sources(x, old, new, factor, corners, clamp=not cubic)
    first = source.floor()
    part = source - first
    offsets = range(-1, 3) if cubic else range(2)
    taps = [_cubic(part - k, _CUBIC) for k in offsets] if cubic else [1 - part, part]
    index = first.to(kagari.int64)
    return kagari.stack([(index + k).clamp(0, old - 1) for k in offsets]), kagari.stack(taps)


def _taps(
    x: Tensor, dim: int, old: int, new: int, factor: float | None, corners: bool, cubic: bool
) -> Tensor:
    """Resize one dimension from the nearest elements."""
    if old == new and (corners or factor in (None, 1.0)):
        return x
    shape = [new if i == dim else 1 for i in range(x.dim())]
    result: Any = 0
    for index, weight in zip(*_tap_weights(x, old, new, factor, corners, cubic), strict=True):
        result = result + x.index_select(dim, index) * weight.reshape(shape)
    return result


def _filter_weights(
    x: Tensor, old: int, new: int, factor: float | None, corners: bool, cubic: bool
) -> Tensor:
    """The weights of a filter as wide as the step, against aliasing: (new, old)."""
    if corners:
        step = (old - 1) / (new - 1) if new > 1 else 0.0
    else:
        step = old / new if factor is None else 1.0 / factor
    width = max(step, 1.0)
    reach = (2.0 if cubic else 1.0) * width
    work = _working(x)
    centre = (kagari.arange(new, dtype=work, device=x.device) + 0.5) * step
    element = kagari.arange(old, dtype=work, device=x.device)
    low = (centre - reach + 0.5).floor().clamp(min=0).unsqueeze(1)
    high = (centre + reach + 0.5).floor().clamp(max=old).unsqueeze(1)
    distance = (element.unsqueeze(0) + 0.5 - centre.unsqueeze(1)) / width
    weight = _cubic(distance, -0.5) if cubic else (1 - distance.abs()).clamp(min=0)
    inside = (element >= low) & (element < high)
    weight = kagari.where(inside, weight, kagari.zeros_like(weight))
    return weight / weight.sum(1, keepdim=True)


def _weighted(x: Tensor, dim: int, weight: Tensor) -> Tensor:
    return (x.transpose(dim, -1) @ weight.t()).transpose(dim, -1).contiguous()


def _renamed(name: str) -> None:
    warnings.warn(
        f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=3,
    )


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:  # fmt: skip
    """Older name of `interpolate`."""
    _renamed("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Older name of `interpolate` with mode 'nearest'."""
    _renamed("upsample_nearest")
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Older name of `interpolate` with mode 'bilinear' and aligned corners."""
    _renamed("upsample_bilinear")
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)


__all__ = [
    "interpolate",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]
