"""Fake quantisation: floating numbers rounded to the grid that integers of few bits would give."""

from typing import Any

import kagari
from kagari import Tensor
from kagari._ops import fake_quantize_elements

_INTEGERS = (kagari.int32, kagari.int64)


def _checked(op: str, input: Tensor, lowest: int, highest: int) -> None:
    if not input.is_floating_point():
        raise RuntimeError(f"{op}: input: expected a floating point tensor, got {input.dtype}")
    if lowest > highest:
        raise RuntimeError(f"{op}: quant_min: expected at most quant_max ({highest}), got {lowest}")


def _rounded(input: Tensor, scale: Any, zero_point: Any, lowest: int, highest: int) -> Tensor:
    wide = input if input.dtype is kagari.float64 else input.float()
    places = [
        t.to(wide.dtype) if isinstance(t, Tensor) else kagari.tensor(t, dtype=wide.dtype)
        for t in (scale, zero_point, lowest, highest)
    ]
    return fake_quantize_elements(wide, *places).to(input.dtype)


def fake_quantize_per_tensor_affine(
    input: Tensor, scale: Any, zero_point: Any, quant_min: int, quant_max: int
) -> Tensor:
    """`(clamp(round(input / scale + zero_point), quant_min, quant_max) - zero_point) * scale`.

    `scale` and `zero_point` are numbers or tensors of one element. The gradient passes unchanged
    where nothing was clamped. RuntimeError for an input that is not floating point, or ends in the
    wrong order.

    >>> kagari.fake_quantize_per_tensor_affine(kagari.tensor([0.12, 9.]), 0.1, 0, 0, 15)
    tensor([0.1000, 1.5000])
    """
    op = "fake_quantize_per_tensor_affine"
    _checked(op, input, quant_min, quant_max)
    for name, t in (("scale", scale), ("zero_point", zero_point)):
        if isinstance(t, Tensor) and t.numel() != 1:
            raise RuntimeError(f"{op}: {name}: expected one element, got shape {tuple(t.shape)}")
    scale, zero_point = (t.reshape(()) if isinstance(t, Tensor) else t for t in (scale, zero_point))
    return _rounded(input, scale, zero_point, quant_min, quant_max)


def fake_quantize_per_channel_affine(
    input: Tensor, scale: Tensor, zero_point: Tensor, axis: int, quant_min: int, quant_max: int
) -> Tensor:
    """`fake_quantize_per_tensor_affine` with a scale and a zero point for each place along `axis`.

    RuntimeError where they are not vectors of that length, or a zero point is beyond the ends.

    >>> x, scale = kagari.ones(2, 2), kagari.tensor([0.3, 0.7])
    >>> kagari.fake_quantize_per_channel_affine(x, scale, kagari.tensor([0, 0]), 0, 0, 255)
    tensor([[0.9000, 0.9000],
            [0.7000, 0.7000]])
    """
    op = "fake_quantize_per_channel_affine"
    _checked(op, input, quant_min, quant_max)
    if not -input.dim() <= axis < input.dim():
        raise RuntimeError(f"{op}: axis: expected less than {input.dim()} dimensions, got {axis}")
    for name, t in (("scale", scale), ("zero_point", zero_point)):
        if t.dim() != 1 or t.numel() != input.shape[axis]:
            raise RuntimeError(
                f"{op}: {name}: expected a vector of {input.shape[axis]} elements, got shape "
                f"{tuple(t.shape)}"
            )
    if zero_point.dtype in _INTEGERS and zero_point.numel() and not zero_point.is_meta:
        if int(zero_point.min()) < quant_min or int(zero_point.max()) > quant_max:
            raise RuntimeError(f"{op}: zero_point must be between quant_min and quant_max.")
    shape = [1] * input.dim()
    shape[axis] = -1
    return _rounded(input, scale.reshape(shape), zero_point.reshape(shape), quant_min, quant_max)


__all__ = ["fake_quantize_per_channel_affine", "fake_quantize_per_tensor_affine"]
