"""Cross-entropy of a linear map, whole or in chunks of the batch."""

import math
import warnings
from typing import TYPE_CHECKING

import kagari
from kagari import Tensor
from kagari import _ops as ops

from .blockwise import blockwise
from .classification import cross_entropy

if TYPE_CHECKING:
    from kagari.nn import LinearCrossEntropyOptions

__all__ = ["linear_cross_entropy"]


def linear_cross_entropy(
    input: Tensor, linear_weight: Tensor, target: Tensor, *, linear_bias: Tensor | None = None,
    weight: Tensor | None = None, reduction: str = "mean", ignore_index: int | None = None,
    label_smoothing: float = 0.0, options: "LinearCrossEntropyOptions | None" = None,
) -> Tensor:  # fmt: skip
    """`cross_entropy` of a linear map of `input`.

    Args:
        input: (N, in) or (in).
        linear_weight: (classes, *out_features, in); linear_bias: (classes, *out_features).
        target: class indices (N, *out_features), or probabilities (N, classes, *out_features).
        ignore_index: -100 for class indices where it is None; not with probabilities.
        options: how the batch is split so that the logits never exist whole. Gradients compute each
            chunk again. Class indices of a batch without label smoothing are split, the rest warns
            and is computed whole.

    >>> x, w = kagari.zeros(4, 2), kagari.zeros(3, 2)
    >>> options = kagari.nn.LinearCrossEntropyOptions(batch_chunk_size=2)
    >>> kagari.nn.functional.linear_cross_entropy(x, w, kagari.arange(4) % 3, options=options)
    tensor(1.0986)
    """
    _check(input, linear_weight, linear_bias)
    shape = tuple(linear_weight.shape[:-1])
    if (*input.shape[:-1], *shape) == tuple(target.shape) and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    ignored = -100 if ignore_index is None else ignore_index
    if options is not None and _splits(input, shape, target, label_smoothing):
        sizes = (input, linear_weight, linear_bias)
        rows = options.rows(len(input), input.shape[-1], shape[0])
        return _chunked(sizes, target, weight, reduction, ignored, rows, options.acc_dtype)
    flat, bias = linear_weight.reshape(-1, input.shape[-1]), linear_bias
    logits = ops.linear(input, flat, None if bias is None else bias.reshape(-1))
    return cross_entropy(
        logits.reshape(*input.shape[:-1], *shape), target, weight, ignore_index=ignored,
        reduction=reduction, label_smoothing=label_smoothing,
    )  # fmt: skip


def _check(input: Tensor, linear_weight: Tensor, linear_bias: Tensor | None) -> None:
    if input.dim() not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError(
            f"expected linear_weight with dimensionality at least 2, got {linear_weight.dim()}"
        )
    if input.shape[-1] != linear_weight.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{input.shape[-1]} and {linear_weight.shape[-1]}, respectively"
        )
    shape = tuple(linear_weight.shape[:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != shape:
        raise RuntimeError(f"expected linear_bias shape {shape}, got {tuple(linear_bias.shape)}")
    if len(shape) > 1 and input.dim() == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} "
            f"requires batched input, got unbatched input with shape {tuple(input.shape)}"
        )


def _splits(input: Tensor, shape: tuple[int, ...], target: Tensor, smoothing: float) -> bool:
    if input.dim() == 1 or len(input) == 0:
        return False
    if len(shape) == 1 and target.dim() == 1 and not target.is_floating_point() and smoothing == 0:
        return True
    warnings.warn(
        "linear_cross_entropy: ``options`` ignored; chunks need class indices (N), a weight "
        f"(classes, in) and label_smoothing == 0. Got target {tuple(target.shape)} of "
        f"{target.dtype}, linear_weight of shape {(*shape, input.shape[-1])} and "
        f"label_smoothing={smoothing}",
        stacklevel=3,
    )
    return False


def _chunked(
    sizes: tuple[Tensor, Tensor, Tensor | None], target: Tensor, weight: Tensor | None,
    reduction: str, ignore_index: int, rows: int, acc_dtype: kagari.dtype | None,
) -> Tensor:  # fmt: skip
    """The loss of `rows` samples at a time; `mean` divides the sum by the weight that counts."""
    input, linear_weight, linear_bias = sizes
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if target.shape[0] != input.shape[0]:
        raise RuntimeError(
            f"linear_cross_entropy: Expected input batch_size ({input.shape[0]}) to match target "
            f"batch_size ({target.shape[0]})."
        )
    each = "none" if reduction == "none" else "sum"
    wide = acc_dtype or (kagari.float32 if input.element_size() < 4 else input.dtype)

    def block(i: int, x: Tensor, w: Tensor, bias: Tensor | None, by_class: Tensor | None) -> Tensor:
        part = slice(i * rows, (i + 1) * rows)
        logits = ops.linear(x[part], w, bias)
        loss = cross_entropy(
            logits, target[part], by_class, ignore_index=ignore_index, reduction=each
        )
        return loss if each == "none" else loss.to(wide)

    count = math.ceil(len(input) / rows)
    tensors = (input, linear_weight, linear_bias, weight)
    if each == "none":
        return blockwise(
            block, count, lambda parts: kagari.cat(list(parts)),
            lambda grad, i: grad[i * rows : (i + 1) * rows], tensors,
        )  # fmt: skip
    total = blockwise(
        block, count, lambda parts: kagari.stack(list(parts)).sum(), lambda grad, i: grad, tensors
    )
    if reduction == "mean":
        counts = target != ignore_index
        if weight is None:
            total = total / counts.sum()
        else:
            total = total / weight[target.masked_fill(~counts, 0)].masked_fill(~counts, 0.0).sum()
    return total.to(input.dtype)
