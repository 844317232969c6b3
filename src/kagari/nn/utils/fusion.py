"""Batch normalisation in evaluation folded into the convolution or linear map before it."""

import copy
from typing import Any

import kagari
from kagari import Tensor

from ..parameter import Parameter

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]

Pair = tuple[Parameter, Parameter]


def _check_evaluation(first: Any, bn: Any) -> None:
    if first.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("Fusion needs the running statistics of the normalisation")


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A convolution that does what `conv` and then `bn` do in evaluation.

    AssertionError in training, and without running statistics.
    """
    _check_evaluation(conv, bn)
    fused = copy.deepcopy(conv)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias,
        transpose,
    )  # fmt: skip
    return fused


def fuse_conv_bn_weights(
    conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
    bn_w: Tensor | None, bn_b: Tensor | None, transpose: bool = False,
) -> Pair:  # fmt: skip
    """Weight and bias of the fused convolution; `transpose` for transposed ones."""
    shape = [1] * conv_w.dim()
    shape[1 if transpose else 0] = -1
    factor, shift = _factor_and_shift(conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
    weight, bias = (conv_w * factor.reshape(shape)).to(conv_w.dtype), shift.to(conv_w.dtype)
    wanted = conv_w.requires_grad if conv_b is None else conv_b.requires_grad
    return Parameter(weight, conv_w.requires_grad), Parameter(bias, wanted)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A linear map that does what `linear` and then `bn` do in evaluation.

    AssertionError in training, and for other numbers of features.
    """
    _check_evaluation(linear, bn)
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"{linear.out_features} and {bn.num_features}"
        )
    fused = copy.deepcopy(linear)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )
    return fused


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
    bn_w: Tensor | None, bn_b: Tensor | None,
) -> Pair:  # fmt: skip
    """Weight and bias of the fused linear map."""
    factor, shift = _factor_and_shift(linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)
    weight = (linear_w * factor.unsqueeze(-1)).to(linear_w.dtype)
    wanted = linear_w.requires_grad if linear_b is None else linear_b.requires_grad
    return (
        Parameter(weight, linear_w.requires_grad),
        Parameter(shift.to(linear_w.dtype), wanted),
    )


def _factor_and_shift(
    bias: Tensor | None, mean: Tensor, variance: Tensor, eps: float, weight: Tensor | None,
    shift: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    with kagari.no_grad():
        factor = kagari.rsqrt(variance + eps)
        factor = factor if weight is None else weight * factor
        moved = (0 if bias is None else bias) - mean
        return factor, moved * factor + (0 if shift is None else shift)
