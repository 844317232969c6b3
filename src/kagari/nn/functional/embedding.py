"""Looking rows up in a table: embedding and embedding_bag."""

import kagari
from kagari import Tensor
from kagari import _ops as ops


def _padding_row(padding_idx: int | None, rows: int) -> int:
    """The row as a number from 0, or -1 for none."""
    if padding_idx is None:
        return -1
    if not -rows <= padding_idx < rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return padding_idx % rows


def renormalise(weight: Tensor, input: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale, in place, the rows that are looked up and longer than `max_norm`."""
    if input.is_meta or weight.is_meta:
        return
    with kagari.no_grad():
        rows = input.unique()
        values = weight[rows]
        norms = values.norm(norm_type, 1, keepdim=True)
        scale = kagari.where(norms > max_norm, max_norm / (norms + 1e-7), kagari.ones_like(norms))
        weight[rows] = values * scale


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight` that `input` names.

    Args:
        padding_idx: a row that gets no gradient.
        max_norm: rows that are longer are scaled down, in place.
        scale_grad_by_freq: divide a row's gradient by how often the row was looked up.
        sparse: ask for a sparse gradient, which is refused where `weight` needs a gradient.
    """
    if sparse and weight.requires_grad and kagari.is_grad_enabled():
        raise NotImplementedError(
            "embedding: sparse gradients are not there yet; use sparse=False, which gives the same "
            "gradient as a dense tensor"
        )
    row = _padding_row(padding_idx, weight.shape[0] if weight.dim() else 0)
    if max_norm is not None:
        renormalise(weight, input, max_norm, norm_type)
    return ops.embedding(weight, input, row, scale_grad_by_freq)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima of bags of rows of `weight`.

    Args:
        input: (B, N), a bag in each row; or all bags one after the other, with `offsets`.
        offsets: where each bag begins in a one-dimensional input.
        per_sample_weights: factors for the rows, for mode 'sum'.
        include_last_offset: whether `offsets` ends with the total.
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    _check_bag(input, weight, offsets, per_sample_weights, mode, scale_grad_by_freq, sparse)
    flat = input.reshape(-1)
    factors = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    bag, bags = bags_of(input, offsets, include_last_offset)
    rows = embedding(flat, weight, None, max_norm, norm_type, scale_grad_by_freq, sparse)
    row = _padding_row(padding_idx, weight.shape[0])
    return _reduce_bags(rows, flat, bag, bags, mode, factors, row)


def bags_of(input: Tensor, offsets: Tensor | None, include_last_offset: bool) -> tuple[Tensor, int]:
    """The bag of each index, and how many bags there are."""
    if input.dim() == 2:
        bags = input.shape[0]
        return kagari.arange(bags, device=input.device).repeat_interleave(input.shape[1]), bags
    assert offsets is not None
    _check_offsets(offsets, input.numel(), include_last_offset)
    bags = offsets.numel() - (1 if include_last_offset else 0)
    place = kagari.arange(input.numel(), device=input.device)
    starts = offsets[:bags].to(kagari.int64).contiguous()
    return kagari.searchsorted(starts, place, right=True) - 1, bags


def _check_bag(
    input: Tensor, weight: Tensor, offsets: Tensor | None, factors: Tensor | None, mode: str,
    by_frequency: bool, sparse: bool,
) -> None:  # fmt: skip
    if weight.dtype is kagari.int64 and input.is_floating_point():
        raise TypeError("embedding_bag(): the order is (input, weight): indices first")
    if factors is not None and factors.shape != input.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({tuple(factors.shape)}) is not None, then it "
            f"must have the same shape as the input ({tuple(input.shape)})"
        )
    if weight.dim() != 2:
        raise ValueError(
            f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}"
        )
    if input.dim() == 2 and offsets is not None:
        raise ValueError(
            "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of "
            f"fixed length sequences. However, found offsets of type {type(offsets)}"
        )
    if input.dim() == 1 and offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if input.dim() == 1 and offsets is not None and offsets.dim() != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    if input.dim() not in (1, 2):
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}"
        )
    if mode == "max" and by_frequency:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if factors is not None and mode != "sum":
        raise NotImplementedError(
            f"embedding_bag: per_sample_weights is only defined for mode='sum', got mode='{mode}'; "
            "multiply the rows before reducing them"
        )


def _check_offsets(offsets: Tensor, count: int, include_last: bool) -> None:
    if include_last and offsets.numel() == 0:
        raise RuntimeError("include_last_offset: number of offsets should be at least 1")
    if offsets.numel() and int(offsets[0]) != 0:
        raise RuntimeError(
            f"offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
            f"position 0. However, got {int(offsets[0])}"
        )
    if offsets.numel() and int(offsets[-1]) > count:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {count} but got offsets[-1] of "
            f"{int(offsets[-1])}"
        )


def _reduce_bags(
    rows: Tensor, flat: Tensor, bag: Tensor, bags: int, mode: str, factors: Tensor | None,
    padding: int,
) -> Tensor:  # fmt: skip
    """Combine (count, D) rows into (bags, D)."""
    if padding >= 0:
        kept = (flat != padding).nonzero().reshape(-1)
        rows, bag = rows[kept], bag[kept]
        factors = None if factors is None else factors[kept]
    narrow = rows.dtype  # halves are summed in float32
    if mode != "max" and narrow in (kagari.float16, kagari.bfloat16):
        rows = rows.float()
    if factors is not None:
        rows = rows * factors.unsqueeze(1)
    out = rows.new_zeros(bags, rows.shape[1])
    if mode == "max":
        index = bag.unsqueeze(1).expand_as(rows)
        return out.scatter_reduce(0, index, rows, "amax", include_self=False)
    out = out.index_add(0, bag, rows)
    if mode == "sum":
        return out.to(narrow)
    size = rows.new_zeros(bags).index_add(0, bag, kagari.ones_like(bag, dtype=rows.dtype))
    return (out / size.clamp(min=1).unsqueeze(1)).to(narrow)


__all__ = [
    "embedding",
    "embedding_bag",
]
