"""Convolution, pooling, normalisation and losses: samples join the batch, the channels or the
groups that these ops have anyway."""

from typing import Any

import kagari
from kagari._C import Tensor

from .samples import Samples, composite, ranked, rule, run

# --- convolution ---------------------------------------------------------------------------------


@rule("conv1d", "conv2d", "conv3d")
def conv(
    samples: Samples, op: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any,
    padding: Any, dilation: Any, groups: int,
) -> Tensor:  # fmt: skip
    def call(x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> Tensor:
        return run(op, x, weight, bias, stride, padding, dilation, groups)

    return _convolved(samples, op.name, call, int(op.name[4]), x, weight, bias, groups)


@rule("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def conv_transpose(
    samples: Samples, op: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any,
    padding: Any, output_padding: Any, groups: int, dilation: Any,
) -> Tensor:  # fmt: skip
    def call(x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> Tensor:
        return run(op, x, weight, bias, stride, padding, output_padding, groups, dilation)

    return _convolved(samples, op.name, call, int(op.name[14]), x, weight, bias, groups)


@rule("convolution")
def convolution(
    samples: Samples, op: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any,
    padding: Any, dilation: Any, transposed: bool, output_padding: Any, groups: int,
) -> Tensor:  # fmt: skip
    def call(x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> Tensor:
        rest = (stride, padding, dilation, transposed, output_padding, groups)
        return run(op, x, weight, bias, *rest)

    return _convolved(samples, op.name, call, weight.dim() - 2, x, weight, bias, groups)


def _convolved(
    samples: Samples, name: str, call: Any, spatial: int, x: Tensor, weight: Tensor,
    bias: Tensor | None, groups: int,
) -> Tensor:  # fmt: skip
    if x.dim() not in (spatial + 1, spatial + 2) or weight.dim() != spatial + 2:
        raise RuntimeError(
            f"{name}: expected input of {spatial + 1} or {spatial + 2} dimensions and weight of "
            f"{spatial + 2}, got {x.dim()} and {weight.dim()}"
        )
    single = x.dim() == spatial + 1  # (C, ...) without a batch
    rows = samples.front(x)
    rows = rows.unsqueeze(1) if single else rows  # (samples, N, C, ...)
    if not samples.has(weight):
        shared = None if samples.has(bias) else bias
        out = call(rows.flatten(0, 1), weight, shared, groups)
        out = out.reshape(*rows.shape[:2], *out.shape[1:])
        if bias is not None and samples.has(bias):
            out = out + samples.peek(bias)[:, None, :, *[None] * spatial]
    else:  # a group, or `groups` of them, per sample
        filters = samples.peek(weight)
        beside = rows.movedim(0, 1).flatten(1, 2)  # (N, samples * C, ...)
        each = None if bias is None else samples.front(bias).reshape(-1)
        out = call(beside, filters.flatten(0, 1), each, groups * samples.size)
        out = out.reshape(out.shape[0], samples.size, -1, *out.shape[2:]).movedim(1, 0)
    return out.squeeze(1) if single else out


@rule("_conv_weight_gradient")
def conv_weight_gradient(
    samples: Samples, op: Any, x: Tensor, grad: Tensor, size: Any, stride: Any, padding: Any,
    dilation: Any, groups: int,
) -> Tensor:  # fmt: skip
    beside = [samples.front(t).movedim(0, 1).flatten(1, 2) for t in (x, grad)]
    sizes = [size[0] * samples.size, *size[1:]]
    out = run(op, *beside, sizes, stride, padding, dilation, groups * samples.size)
    return out.reshape(samples.size, *size)


# --- pooling -------------------------------------------------------------------------------------


def _pooling_names() -> list[str]:
    kinds = ("max_pool{}d", "max_pool{}d_with_indices", "adaptive_max_pool{}d")
    return [kind.format(n) for kind in kinds for n in (1, 2, 3)]


@rule(*_pooling_names())
def pool(samples: Samples, op: Any, x: Tensor, *rest: Any) -> Any:
    """Images are pooled one by one, so those of all samples are one batch."""
    spatial = int(op.name[op.name.index("pool") + 4])
    if x.dim() not in (spatial + 1, spatial + 2):
        raise RuntimeError(
            f"{op.name}: expected input of {spatial + 1} or {spatial + 2} dimensions, got {x.dim()}"
        )
    rows = samples.front(x)
    lead = rows.shape[: rows.dim() - spatial]
    found = run(op, rows.flatten(0, -spatial - 2), *rest)
    if isinstance(found, tuple):
        return tuple(part.reshape(*lead, *part.shape[2:]) for part in found)
    return found.reshape(*lead, *found.shape[2:])


@rule("_average_pool", "_average_pool_backward")
def average_pool(samples: Samples, op: Any, x: Tensor, sizes: Any, plan: Any) -> Tensor:
    rows = samples.front(x).flatten(0, 1)
    out = run(op, rows, [samples.size * sizes[0], *sizes[1:]], plan)
    return out.reshape(samples.size, *sizes)


@rule("_pool_gather")
def pool_gather(samples: Samples, op: Any, x: Tensor, indices: Tensor, spatial: int) -> Tensor:
    return run(op, samples.front(x), samples.front(indices), spatial)


@rule("_pool_scatter")
def pool_scatter(
    samples: Samples, op: Any, x: Tensor, indices: Tensor, sizes: Any, spatial: int
) -> Tensor:
    sizes = [samples.size, *sizes]
    return run(op, samples.front(x), samples.front(indices), sizes, spatial)


# --- normalisation -------------------------------------------------------------------------------


def _scaled(
    samples: Samples, x: Tensor, weight: Tensor | None, bias: Tensor | None, dims: int
) -> Tensor:
    """x * weight + bias, with samples of `dims` dimensions behind those of the weights."""
    for parameter, multiply in ((weight, True), (bias, False)):
        if parameter is not None:
            rows = samples.front(parameter)
            rows = rows.reshape(*rows.shape, *[1] * dims)
            rows = ranked(rows, x.dim() - 1)
            x = x * rows if multiply else x + rows
    return x


@rule("batch_norm")
def batch_norm(
    samples: Samples, op: Any, x: Tensor, weight: Any, bias: Any, mean: Any, var: Any,
    training: bool, *rest: Any,
) -> Tensor:  # fmt: skip
    if training and mean is not None and not samples.has(mean):
        raise RuntimeError(
            "Batch norm got a batched tensor as input while the running_mean or running_var, which "
            "will be updated in place, were not batched. If you are using modules and do not need "
            "eval mode, please set `track_running_stats` to be False, or batch their state with "
            "torch.func.stack_module_state"
        )
    if x.dim() < 2:
        raise RuntimeError("batch_norm: expected an input of at least 2 dimensions")
    rows = samples.front(x)
    beside = rows.movedim(0, 1).flatten(1, 2)  # (N, samples * C, ...)
    stats = [None if s is None else samples.front(s).reshape(-1) for s in (mean, var)]
    out = run(op, beside, None, None, *stats, training, *rest)
    out = out.reshape(out.shape[0], *rows.shape[:1], *rows.shape[2:]).movedim(1, 0)
    return _scaled(samples, out, weight, bias, x.dim() - 2)


@rule("group_norm")
def group_norm(
    samples: Samples, op: Any, x: Tensor, groups: int, weight: Any, bias: Any, *rest: Any
) -> Tensor:
    rows = samples.front(x)
    out = run(op, rows.flatten(0, 1), groups, None, None, *rest).reshape(rows.shape)
    return _scaled(samples, out, weight, bias, x.dim() - 2)


@rule("_fused_layer_norm")
def layer_norm(
    samples: Samples, op: Any, x: Tensor, shape: Any, weight: Any, bias: Any, *rest: Any
) -> Tensor:
    if not samples.has(weight) and not samples.has(bias):
        return run(op, samples.front(x), shape, weight, bias, *rest)
    return _scaled(
        samples, run(op, samples.front(x), shape, None, None, *rest), weight, bias, 0
    )  # fmt: skip


@rule("_fused_rms_norm")
def rms_norm(samples: Samples, op: Any, x: Tensor, shape: Any, weight: Any, eps: Any) -> Tensor:
    if not samples.has(weight):
        return run(op, samples.front(x), shape, weight, eps)
    return _scaled(samples, run(op, samples.front(x), shape, None, eps), weight, None, 0)


# --- losses --------------------------------------------------------------------------------------


@composite("mse_loss")
def mse_loss(x: Tensor, target: Tensor, reduction: str) -> Tensor:
    return _reduced((x - target).square(), reduction)


def _reduced(x: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return x
    return x.mean() if reduction == "mean" else x.sum()


@composite("nll_loss")
def nll_loss(
    x: Tensor, target: Tensor, weight: Tensor | None, reduction: str, ignore_index: int
) -> Tensor:
    classes = 0 if x.dim() == 1 else 1
    counted = target != ignore_index
    safe = kagari.where(counted, target, 0)
    picked = x.gather(classes, safe.unsqueeze(classes)).squeeze(classes)
    weights = counted.to(x.dtype) if weight is None else weight.detach()[safe] * counted
    losses = kagari.where(counted, -picked * weights, 0)
    if reduction == "mean":
        return losses.sum() / weights.sum()
    return _reduced(losses, reduction)
