"""The normalisations under the names that also give the statistics, as PyTorch's core has them."""

from collections.abc import Sequence

import kagari
from kagari import _ops as ops
from kagari._C import Tensor
from kagari._outputs import written


def _statistics(input: Tensor, dims: list[int], eps: float) -> tuple[Tensor, Tensor]:
    """Mean and inverse deviation over `dims`, kept."""
    half = input.dtype in (kagari.float16, kagari.bfloat16)
    wide = input.float() if half else input
    var, mean = kagari.var_mean(wide, dims, correction=0, keepdim=True)
    return mean.to(input.dtype), (var + eps).rsqrt().to(input.dtype)


def native_layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """`layer_norm`, with the mean and the inverse deviation of each row."""
    out = ops.layer_norm(input, normalized_shape, weight, bias, eps)
    first = input.dim() - len(normalized_shape)
    return out, *_statistics(input, list(range(first, input.dim())), eps)


def native_group_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    N: int,
    C: int,
    HxW: int,
    group: int,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """`group_norm`, with the mean and the inverse deviation of each group."""
    out = ops.group_norm(input, group, weight, bias, eps)
    mean, inverse = _statistics(input.reshape(N, group, C // group * HxW), [2], eps)
    return out, mean.squeeze(2), inverse.squeeze(2)


def native_batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    *,
    out: tuple[Tensor, Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """`batch_norm`, with the mean and inverse deviation of each channel; empty unless training."""
    result = ops.batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps, True
    )
    if training:
        mean, inverse = _statistics(input, [d for d in range(input.dim()) if d != 1], eps)
        made = (result, mean.flatten(), inverse.flatten())
    else:
        made = (result, input.new_empty(0), input.new_empty(0))
    return made if out is None else written(made, out, "native_batch_norm")


__all__ = ["native_batch_norm", "native_group_norm", "native_layer_norm"]
