"""Functions that move elements: padding, pixel shuffles, one-hot. Resizing is left to resize.py."""

from collections.abc import Sequence

import kagari
from kagari import Tensor
from kagari._C import ops

_MODES = ("constant", "reflect", "replicate", "circular")


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Pad the last dimensions; `pad` is (left, right) of the last one, then of the one before, ...

    Args:
        mode: 'constant', 'reflect', 'replicate' or 'circular'.
        value: what 'constant' fills with; 0 by default.
    """
    pad = list(pad)
    if len(pad) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, got {len(pad)}")
    if len(pad) // 2 > input.dim():
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension but got "
            f"padding length {len(pad)} and input of dimension {input.dim()}"
        )
    if mode == "constant":
        return ops.constant_pad_nd(input, pad, 0 if value is None else value)
    if mode not in _MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value not in (None, 0):
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    pairs = len(pad) // 2
    if input.dim() not in (pairs + 1, pairs + 2) or pairs > 3:
        raise NotImplementedError(
            f"pad: mode '{mode}' pads the last {pairs} dimensions of a {pairs + 1}-d or "
            f"{pairs + 2}-d input, got input {tuple(input.shape)} and pad {tuple(pad)}"
        )
    _check_reflected(input, pad, mode)
    for i in range(pairs):
        before, after = pad[2 * i], pad[2 * i + 1]
        if before or after:
            input = _pad_one(input, input.dim() - 1 - i, before, after, mode)
    return input


def _check_reflected(input: Tensor, pad: Sequence[int], mode: str) -> None:
    if any(size == 0 for size in input.shape[-(len(pad) // 2) - 1 :]):
        raise RuntimeError(
            f"pad: expected input with non-zero sizes after the batch, got {tuple(input.shape)}"
        )
    for i in range(len(pad) // 2):
        size, sides = input.shape[-1 - i], pad[2 * i : 2 * i + 2]
        most = {"reflect": size - 1, "circular": size}.get(mode)
        if most is not None and max(sides) > most:
            limit = "less than" if mode == "reflect" else "at most"
            raise RuntimeError(
                f"Padding size should be {limit} the corresponding input dimension, but got: "
                f"padding ({sides[0]}, {sides[1]}) at dimension {input.dim() - 1 - i} of input "
                f"{tuple(input.shape)}"
            )
        if size + sum(sides) < 1:
            raise RuntimeError(
                f"pad: input {tuple(input.shape)} is too small for pad {tuple(pad)}: the result "
                "would have no elements"
            )


def _pad_one(input: Tensor, dim: int, before: int, after: int, mode: str) -> Tensor:
    """Pad one dimension by picking its elements again."""
    size = input.shape[dim]
    index = kagari.arange(-before, size + after, device=input.device)
    if mode == "replicate":
        index = index.clamp(0, size - 1)
    elif mode == "circular":
        index = index.remainder(size)
    else:
        index = index.abs()
        index = (size - 1) - (index - (size - 1)).abs()
    return input.index_select(dim, index)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(*, C r^2, H, W) to (*, C, H r, W r)."""
    r = upscale_factor
    if input.dim() < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with "
            f"{input.dim()} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *batch, channels, high, wide = input.shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={channels} is not divisible by {r * r}"
        )
    n, out = len(batch), channels // (r * r)
    split = input.reshape(*batch, out, r, r, high, wide)
    order = [*range(n), n, n + 3, n + 1, n + 4, n + 2]
    return split.permute(order).reshape(*batch, out, high * r, wide * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(*, C, H r, W r) to (*, C r^2, H, W): the inverse of `pixel_shuffle`."""
    r = downscale_factor
    if input.dim() < 3:
        raise RuntimeError(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with "
            f"{input.dim()} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *batch, channels, high, wide = input.shape
    if high % r or wide % r:
        raise RuntimeError(
            f"pixel_unshuffle expects height and width to be divisible by downscale_factor, but "
            f"({high}, {wide}) is not divisible by {r}"
        )
    n = len(batch)
    split = input.reshape(*batch, channels, high // r, r, wide // r, r)
    order = [*range(n), n, n + 2, n + 4, n + 1, n + 3]
    return split.permute(order).reshape(*batch, channels * r * r, high // r, wide // r)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Take the channels of (N, C, *) group by group in turn."""
    if input.dim() < 3:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes "
            f"{tuple(input.shape)}"
        )
    channels = input.shape[1]
    if groups <= 0 or channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} "
            "groups."
        )
    split = input.reshape(input.shape[0], groups, channels // groups, *input.shape[2:])
    return split.transpose(1, 2).reshape(input.shape)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A new last dimension that is 1 at the index and 0 elsewhere."""
    if tensor.dtype is not kagari.int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor, got {tensor.dtype}"
        )
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return tensor.new_zeros(*tensor.shape, num_classes)
    if not tensor.is_meta:
        least, most = int(tensor.min()), int(tensor.max())
        if least < 0:
            raise RuntimeError("Class values must be non-negative.")
        if num_classes == -1:
            num_classes = most + 1
        if num_classes < 1:
            raise RuntimeError("num_classes should be positive")
        if most >= num_classes:
            raise RuntimeError("Class values must be smaller than num_classes.")
    return tensor.new_zeros(*tensor.shape, num_classes).scatter_(-1, tensor.unsqueeze(-1), 1)


__all__ = [
    "channel_shuffle",
    "one_hot",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
]
