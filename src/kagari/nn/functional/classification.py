"""Losses of classification: cross-entropy, its parts and relatives, margins, CTC."""

from typing import Any

import kagari
from kagari import _C, Tensor
from kagari import _ops as ops

from .activation import log_softmax, logsigmoid
from .loss import legacy_reduction, reduced


def cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """-log softmax(input)[target].

    Args:
        input: logits, (C), (N, C) or (N, C, d1, ...).
        target: class indices, without the dimension C; or probabilities, of the input's shape.
        weight: a factor for each class.
        ignore_index: targets that do not count.
        label_smoothing: how much of the target is spread over all classes.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    _check_reduction(reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if input.dim() == 0:
        raise RuntimeError("cross_entropy: input needs a dimension of classes, got a 0-d tensor")
    channel = 0 if input.dim() == 1 else 1
    if input.shape == target.shape:
        return _soft_cross_entropy(
            input, target, weight, ignore_index, reduction, label_smoothing, channel
        )
    log_p = log_softmax(input, channel)
    loss = nll_loss(log_p, target, weight, ignore_index=ignore_index, reduction=reduction)
    if label_smoothing == 0.0:
        return loss
    even = _smooth(log_p, target, weight, ignore_index, reduction, channel)
    share = label_smoothing / input.shape[channel]
    return (1 - label_smoothing) * loss + share * even


def _check_reduction(reduction: str) -> None:
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")


def _by_class(weight: Tensor, like: Tensor, channel: int) -> Tensor:
    return weight.reshape([-1 if i == channel else 1 for i in range(like.dim())])


def _soft_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str,
    smoothing: float, channel: int,
) -> Tensor:  # fmt: skip
    if not target.is_floating_point():
        raise RuntimeError(
            f"Expected floating point type for target with class probabilities, got {target.dtype}"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    if weight is not None and tuple(weight.shape) != (input.shape[channel],):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {input.shape[channel]} "
            f"classes or no classes but got weight tensor of shape: {tuple(weight.shape)}"
        )
    if smoothing > 0:
        target = target * (1 - smoothing) + smoothing / input.shape[channel]
    loss = log_softmax(input, channel) * target
    if weight is not None:
        loss = loss * _by_class(weight, input, channel)
    if reduction == "mean":
        return -loss.sum() / (input.numel() // max(input.shape[channel], 1))
    return -loss.sum() if reduction == "sum" else -loss.sum(channel)


def _smooth(
    log_p: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str,
    channel: int,
) -> Tensor:  # fmt: skip
    """The loss of the part of the target that is spread over all classes."""
    loss = log_p if weight is None else log_p * _by_class(weight, log_p, channel)
    loss = -loss.sum(channel)
    ignored = target == ignore_index
    loss = loss.masked_fill(ignored, 0.0)
    if reduction != "mean":
        return reduced(loss, reduction)
    if weight is None:
        return loss.sum() / (~ignored).sum().to(loss.dtype)
    counted = weight[target.masked_fill(ignored, 0)].masked_fill(ignored, 0.0)
    return loss.sum() / counted.sum()


def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """-input[target], for log-probabilities (C), (N, C) or (N, C, d1, ...)."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    _check_reduction(reduction)
    return ops.nll_loss(input, target, weight, reduction, ignore_index)


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """-(target log(input) + (1 - target) log(1 - input)); the logarithms are at least -100."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size "
            f"({input.size()}) is deprecated. Please ensure they have the same size."
        )
    given = _C._all_samples(input)
    if given.numel() and not given.is_meta and not bool(((given >= 0) & (given <= 1)).all()):
        raise RuntimeError("binary_cross_entropy: all elements of input should be between 0 and 1")
    loss = ops.binary_cross_entropy_elements(input, target)
    return reduced(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean", pos_weight: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """`binary_cross_entropy` of sigmoid(input), without overflow.

    pos_weight: a factor for positive targets, for each class."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Target size ({target.size()}) must be the same as input size ({input.size()})"
        )
    if pos_weight is None:
        loss = ops.binary_cross_entropy_logits_elements(input, target)
    else:
        loss = (1 - target) * input - ((pos_weight - 1) * target + 1) * ops.logsigmoid(input)
    return reduced(loss if weight is None else loss * weight, reduction)


def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """log(1 + exp(-target input)) for targets 1 and -1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    return reduced(ops.soft_margin_loss_elements(input, target), reduction)


def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Mean over classes of the binary cross-entropy with logits."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return reduced(loss.sum(input.dim() - 1) / input.shape[-1], reduction)


def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """Margins between the classes a sample has (listed first, then -1) and those it has not."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    _check_reduction(reduction)
    if input.dim() > 2 or target.shape != input.shape or (input.dim() == 2 and input.shape[1] == 0):
        raise RuntimeError(
            f"multilabel_margin_loss: expected input (C) or (N, C) and target of the same shape, "
            f"got {tuple(input.shape)} and {tuple(target.shape)}"
        )
    single = input.dim() < 2
    x, y = (t.reshape(1, -1) if single else t for t in (input, target))
    classes = x.shape[1]
    given = _C._all_samples(y)
    known = given.numel() and not y.is_meta
    if known and not (-1 <= int(given.min()) and int(given.max()) < classes):
        raise RuntimeError("multilabel_margin_loss: target is out of range")
    listed = (y < 0).to(kagari.int64).cumsum(1) == 0  # up to the first -1
    index = kagari.where(listed, y, kagari.zeros_like(y))
    has = kagari.zeros_like(x).scatter_add(1, index, listed.to(x.dtype)) > 0
    margin = (1 - x.gather(1, index).unsqueeze(2) + x.unsqueeze(1)).clamp(min=0)
    counted = (listed.unsqueeze(2) & ~has.unsqueeze(1)).to(x.dtype)
    loss = (margin * counted).sum(2).sum(1) / classes
    return reduced(loss.reshape(()) if single else loss, reduction)


def multi_margin_loss(
    input: Tensor, target: Tensor, p: int = 1, margin: float = 1.0, weight: Tensor | None = None,
    size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Tensor:  # fmt: skip
    """sum over other classes of max(0, margin - input[target] + input)^p, divided by C."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    _check_reduction(reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    single = input.dim() < 2
    x = input.reshape(1, -1) if single else input
    y = target.reshape(-1) if single else target
    if input.dim() > 2 or x.shape[1] == 0 or target.dim() > 1 or y.shape[0] != x.shape[0]:
        raise RuntimeError(
            f"multi_margin_loss: expected input (C) or (N, C) and as many targets as samples, got "
            f"{tuple(input.shape)} and {tuple(target.shape)}"
        )
    if weight is not None and weight.numel() != x.shape[1]:
        raise RuntimeError(
            f"multi_margin_loss: weight needs one element for each of {x.shape[1]} classes"
        )
    given = _C._all_samples(y)
    known = given.numel() and not y.is_meta
    if known and not 0 <= int(given.min()) <= int(given.max()) < x.shape[1]:
        raise RuntimeError("multi_margin_loss: target out of range")
    index = y.unsqueeze(1)
    loss = (margin - x.gather(1, index) + x).clamp(min=0)
    loss = loss if p == 1 else loss * loss
    if weight is not None:
        loss = loss * weight[y].unsqueeze(1)
    others = kagari.ones_like(x).scatter(1, index, 0.0)
    loss = (loss * others).sum(1) / x.shape[1]
    return reduced(loss.reshape(target.shape) if single else loss, reduction)


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """Connectionist temporal classification (Graves et al., 2006).

    Args:
        log_probs: (T, N, C) or (T, C), log-probabilities.
        targets: (N, S), or all targets one after the other.
        zero_infinity: losses that are infinite (targets too long) become 0.
    """
    single = log_probs.dim() == 2
    x = log_probs.unsqueeze(1) if single else log_probs
    steps, batch, classes = x.shape
    lengths = _lengths(input_lengths, batch, "input_lengths")
    sizes = _lengths(target_lengths, batch, "target_lengths")
    if not 0 <= blank < classes:
        raise RuntimeError(f"ctc_loss: blank must be in label range, got {blank}")
    if any(not 0 <= n <= steps for n in lengths):
        raise RuntimeError(f"ctc_loss: expected input_lengths of at most {steps}, got {lengths}")
    labels = _labels(targets, sizes, batch, single)
    losses = _ctc_forward(x, labels, lengths, sizes, blank)
    # PyTorch's gradient is the one with respect to logits: that of log-probabilities plus their
    # exponentials, which is added here as a term whose value is zero.
    counted = kagari.arange(steps, device=x.device).unsqueeze(1) < kagari.tensor(
        lengths, device=x.device
    )
    total = (x.exp().sum(2) * counted).sum(0)
    losses = losses + (total - total.detach())
    if zero_infinity:
        losses = kagari.where(losses == float("inf"), kagari.zeros_like(losses), losses)
    if reduction == "mean":
        counts = kagari.tensor(sizes, dtype=losses.dtype, device=losses.device).clamp(min=1)
        return (losses / counts).mean()
    losses = losses.reshape(()) if single else losses
    return reduced(losses, reduction)


def _lengths(given: Any, batch: int, name: str) -> list[int]:
    values = given.reshape(-1).tolist() if isinstance(given, Tensor) else list(given)
    if any(isinstance(value, float) for value in values):
        raise RuntimeError(f"ctc_loss: {name} must be integral")
    if len(values) != batch or min(values, default=0) < 0:
        raise RuntimeError(f"ctc_loss: {name} needs {batch} sizes of at least 0, got {values}")
    return values


def _labels(targets: Tensor, sizes: list[int], batch: int, single: bool) -> Tensor:
    """(N, S) targets, padded with 0."""
    if single and targets.dim() == 1:
        targets = targets.unsqueeze(0)
    most = max(sizes, default=0)
    if targets.dim() == 2:
        if targets.shape[0] != batch or targets.shape[1] < most:
            raise RuntimeError(
                f"ctc_loss: expected targets ({batch}, >= {most}), got {tuple(targets.shape)}"
            )
        return targets[:, :most].to(kagari.int64)
    if targets.dim() != 1 or targets.numel() != sum(sizes):
        raise RuntimeError(
            f"ctc_loss: expected {sum(sizes)} targets in one dimension, got {tuple(targets.shape)}"
        )
    rows, start = [], 0
    for size in sizes:
        row = targets[start : start + size].to(kagari.int64)
        rows.append(kagari.cat([row, row.new_zeros(most - size)]))
        start += size
    return kagari.stack(rows) if rows else targets.new_zeros(0, 0)


def _ctc_forward(
    x: Tensor, labels: Tensor, lengths: list[int], sizes: list[int], blank: int
) -> Tensor:
    """Negative log-likelihoods by the forward recursion over blank-separated labels."""
    batch, device = x.shape[1], x.device
    states = 2 * labels.shape[1] + 1
    extended = labels.new_full((batch, states), blank)
    extended[:, 1::2] = labels
    low = float("-inf")
    skip = kagari.zeros(batch, states, dtype=kagari.bool, device=device)
    if states > 3:
        skip[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    emitted = x.gather(2, extended.unsqueeze(0).expand(x.shape[0], -1, -1))  # (T, N, states)
    first = kagari.arange(states, device=device).unsqueeze(0) < 2
    alpha = kagari.where(first, kagari.zeros_like(emitted[0]), low)
    ends = kagari.tensor(sizes, device=device) * 2
    time = kagari.tensor(lengths, device=device)
    final = kagari.where(ends.unsqueeze(1) == kagari.arange(states, device=device), 0.0, low)
    final = final.to(x.dtype)
    alpha = alpha + emitted[0] if x.shape[0] else alpha
    result = kagari.where(time == 1, _ending(alpha, ends), _ending(final, ends))
    for t in range(1, x.shape[0]):
        stay = alpha
        one = kagari.cat([alpha.new_full((batch, 1), low), alpha[:, :-1]], 1)
        two = kagari.cat([alpha.new_full((batch, min(2, states)), low), alpha[:, :-2]], 1)
        two = kagari.where(skip, two, low)
        alpha = _log_add(stay, one, two) + emitted[t]
        result = kagari.where(time == t + 1, _ending(alpha, ends), result)
    nothing = kagari.where(ends == 0, 0.0, float("inf")).to(x.dtype)
    return kagari.where(time == 0, nothing, -result)


def _log_add(*terms: Tensor) -> Tensor:
    """log(sum(exp)) whose gradient is 0, not NaN, where all terms are minus infinity."""
    stacked = kagari.stack(terms)
    top = stacked.detach().amax(0)
    none = top == float("-inf")
    safe = kagari.where(none, kagari.zeros_like(top), top)
    total = (stacked - safe).exp().sum(0)
    total = kagari.where(none, kagari.ones_like(total), total)
    return kagari.where(none, top, total.log() + safe)


def _ending(alpha: Tensor, ends: Tensor) -> Tensor:
    """Likelihood of ending in the last label or the blank after it."""
    last = alpha.gather(1, ends.unsqueeze(1)).squeeze(1)
    before = alpha.gather(1, (ends - 1).clamp(min=0).unsqueeze(1)).squeeze(1)
    before = kagari.where(ends > 0, before, float("-inf"))
    return _log_add(last, before)


__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "ctc_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "soft_margin_loss",
]
