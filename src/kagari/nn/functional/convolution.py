"""Linear maps: linear, bilinear, convolutions and their transposes, fold and unfold."""

from typing import Any

import kagari
from kagari import Tensor
from kagari import _ops as ops
from kagari._ops import conv1d, conv2d, conv3d

from .shape import pad as _pad

Ints = int | tuple[int, ...]


def linear(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, *, out: Tensor | None = None
) -> Tensor:
    """input @ weight.T + bias."""
    return ops.linear(input, weight, bias, out=out)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x1 A x2 + b, with one matrix A for each output feature."""
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(
            f"bilinear(): input1 {tuple(input1.shape)} and input2 {tuple(input2.shape)} differ in "
            "a batch dimension"
        )
    features = weight.shape
    if input1.shape[-1] != features[1] or input2.shape[-1] != features[2]:
        raise RuntimeError(
            f"bilinear(): weight {tuple(features)} expects {features[1]} and {features[2]} "
            f"features, got {input1.shape[-1]} and {input2.shape[-1]}"
        )
    batch = input1.shape[:-1]
    first = input1.reshape(-1, features[1])
    second = input2.reshape(-1, features[2])
    mixed = first @ weight.permute(1, 0, 2).reshape(features[1], -1)  # (N, out * in2)
    products = mixed.reshape(-1, features[0], features[2]) * second.unsqueeze(1)
    result = products.sum(-1, dtype=products.dtype)
    result = result if bias is None else result + bias
    return result.reshape(*batch, features[0])


def conv_transpose1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0,
    output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1,
) -> Tensor:  # fmt: skip
    """The gradient of `conv1d` with respect to its input, as a layer."""
    return ops.conv_transpose1d(
        input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0,
    output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1,
) -> Tensor:  # fmt: skip
    """The gradient of `conv2d` with respect to its input, as a layer."""
    return ops.conv_transpose2d(
        input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0,
    output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1,
) -> Tensor:  # fmt: skip
    """The gradient of `conv3d` with respect to its input, as a layer."""
    return ops.conv_transpose3d(
        input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """One-dimensional convolution of (time, batch, channel) input, weight (K, in, out)."""
    result = ops.conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, 1, pad, 1, 1)
    return result.permute(2, 0, 1)


def _pair(value: Any, name: str) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) == 1:
        pair *= 2
    if len(pair) != 2:
        raise RuntimeError(f"{name} has to be one integer or two, got {value}")
    return pair


def _block_index(size: int, kernel: int, dilation: int, stride: int, device: Any) -> Tensor:
    """(kernel, blocks): where each element of each sliding block comes from."""
    blocks = (size - dilation * (kernel - 1) - 1) // stride + 1
    starts = kagari.arange(blocks, device=device) * stride
    return starts.unsqueeze(0) + (kagari.arange(kernel, device=device) * dilation).unsqueeze(1)


def _blocks(size: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> list[int]:
    return [
        (s + 2 * p - d * (k - 1) - 1) // t + 1
        for s, k, d, p, t in zip(size, kernel, dilation, padding, stride, strict=True)
    ]


def unfold(
    input: Tensor, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0, stride: Ints = 1
) -> Tensor:
    """Sliding blocks of (N, C, H, W) as columns: (N, C * kernel elements, blocks)."""
    kernel, step = _pair(kernel_size, "kernel_size"), _pair(stride, "stride")
    spread, edge = _pair(dilation, "dilation"), _pair(padding, "padding")
    if input.dim() not in (3, 4):
        raise RuntimeError(
            f"unfold(): expected input (C, H, W) or (N, C, H, W), got {tuple(input.shape)}"
        )
    if min(*kernel, *step, *spread) <= 0 or min(edge) < 0:
        raise RuntimeError(
            "unfold(): kernel_size, dilation and stride have to be greater than zero, padding at "
            f"least 0; got {kernel}, {spread}, {step}, {edge}"
        )
    image = input if input.dim() == 4 else input.unsqueeze(0)
    count = _blocks(image.shape[2:], kernel, spread, edge, step)
    if min(count) < 1:
        raise RuntimeError(
            f"unfold(): input {tuple(input.shape)} is smaller than one block of {kernel}"
        )
    image = _pad(image, [edge[1], edge[1], edge[0], edge[0]]) if any(edge) else image
    rows = _block_index(image.shape[2], kernel[0], spread[0], step[0], image.device)
    cols = _block_index(image.shape[3], kernel[1], spread[1], step[1], image.device)
    picked = image[:, :, rows.reshape(kernel[0], 1, -1, 1), cols.reshape(1, kernel[1], 1, -1)]
    size = image.shape[1] * kernel[0] * kernel[1]
    result = picked.reshape(image.shape[0], size, count[0] * count[1])
    return result if input.dim() == 4 else result.squeeze(0)


def fold(
    input: Tensor, output_size: Ints, kernel_size: Ints, dilation: Ints = 1, padding: Ints = 0,
    stride: Ints = 1,
) -> Tensor:  # fmt: skip
    """Put sliding blocks back into an image, adding where they overlap: inverse of `unfold`."""
    size, kernel = _pair(output_size, "output_size"), _pair(kernel_size, "kernel_size")
    step, spread = _pair(stride, "stride"), _pair(dilation, "dilation")
    edge = _pair(padding, "padding")
    if min(*size, *kernel, *step, *spread) <= 0 or min(edge) < 0:
        raise RuntimeError("fold(): sizes, kernel_size, dilation and stride have to be positive")
    if input.dim() not in (2, 3):
        raise RuntimeError(
            "fold(): expected input (C * kernel, L) or (N, C * kernel, L), got "
            f"{tuple(input.shape)}"
        )
    columns = input if input.dim() == 3 else input.unsqueeze(0)
    area = kernel[0] * kernel[1]
    count = _blocks(size, kernel, spread, edge, step)
    if columns.shape[1] % area or min(count) < 1 or columns.shape[2] != count[0] * count[1]:
        raise RuntimeError(
            f"fold(): input {tuple(input.shape)} does not fit output_size {size} and kernel_size "
            f"{kernel}: expected a multiple of {area} rows and {count[0]} * {count[1]} columns"
        )
    batch, channels = columns.shape[0], columns.shape[1] // area
    high, wide = size[0] + 2 * edge[0], size[1] + 2 * edge[1]
    rows = _block_index(high, kernel[0], spread[0], step[0], input.device)
    cols = _block_index(wide, kernel[1], spread[1], step[1], input.device)
    where = rows.reshape(kernel[0], 1, -1, 1) * wide + cols.reshape(1, kernel[1], 1, -1)
    flat = columns.new_zeros(batch, channels, high * wide)
    flat = flat.index_add(2, where.reshape(-1), columns.reshape(batch, channels, -1))
    image = flat.reshape(batch, channels, high, wide)
    image = image[:, :, edge[0] : edge[0] + size[0], edge[1] : edge[1] + size[1]]
    return image if input.dim() == 3 else image.squeeze(0)


__all__ = [
    "bilinear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_tbc",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fold",
    "linear",
    "unfold",
]
