"""conv1d, conv2d, conv3d: convolutions, with padding as integers, 'same' or 'valid'."""

from typing import Any

from . import _ops as ops
from ._C import Tensor

Ints = int | tuple[int, ...]
__all__ = ["conv1d", "conv2d", "conv3d"]


def _same(
    name: str, conv: Any, n: int, input: Tensor, weight: Tensor, bias: Any, stride: Any,
    padding: str, dilation: Any, groups: int,
) -> Tensor:  # fmt: skip
    """A convolution whose padding is given as 'same' or 'valid'."""
    if padding == "valid":
        return conv(input, weight, bias, stride, 0, dilation, groups)
    if padding != "same":
        raise RuntimeError(
            f"Invalid padding string: '{padding}'; {name}() takes 'same', 'valid' or integers"
        )
    strides = (stride,) * n if isinstance(stride, int) else tuple(stride)
    if any(s != 1 for s in strides):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    dilations = (dilation,) * n if isinstance(dilation, int) else tuple(dilation)
    if len(dilations) == 1:
        dilations *= n
    total = [d * (k - 1) for d, k in zip(dilations, weight.shape[2:], strict=False)]
    half = tuple(t // 2 for t in total)
    if any(t % 2 for t in total):  # the odd one goes to the end
        sides = [side for t in reversed(total) for side in (0, t % 2)]
        input = ops.pad(input, sides)
    return conv(input, weight, bias, stride, half, dilation, groups)


def conv1d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: Ints | str = 0, dilation: Ints = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Convolution over one dimension: input (N, C, L), weight (out, C / groups, K)."""
    if isinstance(padding, str):
        return _same(
            "conv1d", ops.conv1d, 1, input, weight, bias, stride, padding, dilation, groups
        )
    return ops.conv1d(input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: Ints | str = 0, dilation: Ints = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Convolution over two dimensions: input (N, C, H, W), weight (out, C / groups, KH, KW)."""
    if isinstance(padding, str):
        return _same(
            "conv2d", ops.conv2d, 2, input, weight, bias, stride, padding, dilation, groups
        )
    return ops.conv2d(input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1,
    padding: Ints | str = 0, dilation: Ints = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """Convolution over three dimensions: input (N, C, D, H, W)."""
    if isinstance(padding, str):
        return _same(
            "conv3d", ops.conv3d, 3, input, weight, bias, stride, padding, dilation, groups
        )
    return ops.conv3d(input, weight, bias, stride, padding, dilation, groups)
