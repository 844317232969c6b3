"""Normalisations. Batch, layer, group and RMS norm are kernels of the core, the rest is ops."""

from collections.abc import Sequence

import kagari
from kagari import Tensor
from kagari import _ops as ops

from .pooling import avg_pool2d, avg_pool3d
from .shape import pad


def _check_batch_size(size: Sequence[int]) -> None:
    count = size[0]
    for extent in size[2:]:
        count *= extent
    if count == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {size}"
        )


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel over the batch (in training) or by the running statistics."""
    if eps <= 0.0:
        raise ValueError(f"batch_norm eps must be positive, but got {eps}")
    if training:
        _check_batch_size(input.shape)
    return ops.batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps, True
    )


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each channel of each sample: batch norm where every sample is its own batch."""
    shape = list(input.shape)
    if len(shape) < 2:
        raise RuntimeError(f"instance_norm: expected at least 2 dimensions, got {tuple(shape)}")
    if use_input_stats:
        extent = 1
        for size in shape[2:]:
            extent *= size
        if extent == 1:
            raise ValueError(
                f"Expected more than 1 spatial element when training, got input size {input.shape}"
            )
    elif running_mean is None or running_var is None:
        raise RuntimeError(
            "Expected running_mean and running_var to be defined when use_input_stats is false"
        )
    batch, channels = shape[:2]

    def spread(values: Tensor | None) -> Tensor | None:
        return None if values is None else values.repeat(batch)

    mean, var = spread(running_mean), spread(running_var)
    result = ops.batch_norm(
        input.reshape(1, batch * channels, *shape[2:]), spread(weight), spread(bias), mean, var,
        use_input_stats, momentum, eps, True,
    )  # fmt: skip
    if use_input_stats:
        with kagari.no_grad():
            for running, spread_out in ((running_mean, mean), (running_var, var)):
                if running is not None and spread_out is not None:
                    running.copy_(spread_out.reshape(batch, channels).mean(0))
    return result.reshape(shape)


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise over the last dimensions, `normalized_shape`."""
    return ops.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Divide by the root of the mean square over the last dimensions, `normalized_shape`."""
    return ops.rms_norm(input, normalized_shape, weight, eps)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalise each group of channels of each sample."""
    if input.dim() < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {input.dim()}"
        )
    if num_groups > 0:
        groups = input.shape[0] * input.shape[1] // num_groups
        _check_batch_size([groups, num_groups, *input.shape[2:]])
    return ops.group_norm(input, num_groups, weight, bias, eps)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Divide by a power of the mean square over neighbouring channels."""
    dim = input.dim()
    if dim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {dim} dimensions)")
    if input.numel() == 0:
        return input
    square = input.mul(input)
    sides = [0, 0, size // 2, (size - 1) // 2]
    if dim == 3:
        mean = avg_pool2d(pad(square.unsqueeze(1), sides), (size, 1), stride=1).squeeze(1)
    else:
        sizes = input.shape
        flat = square.reshape(sizes[0], 1, sizes[1], sizes[2], -1)
        mean = avg_pool3d(pad(flat, [0, 0, *sides]), (size, 1, 1), stride=1).squeeze(1)
        mean = mean.reshape(sizes)
    return input / (mean * alpha + k).pow(beta)


def normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """Divide by the p-norm along `dim`, or by `eps` where the norm is smaller."""
    norm = input.norm(p, dim, keepdim=True).clamp(min=eps).expand_as(input)
    return input / norm if out is None else kagari.div(input, norm, out=out)


__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "normalize",
    "rms_norm",
]
