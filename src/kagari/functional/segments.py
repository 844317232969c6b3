"""Reductions of consecutive pieces of a dimension: segment_reduce."""

from typing import Any

import kagari
from kagari import Tensor

_KINDS = {"sum": "sum", "prod": "prod", "mean": "sum", "max": "amax", "min": "amin"}
_KINDS.update({"amax": "amax", "amin": "amin"})
_EMPTY = {"sum": 0.0, "prod": 1.0, "amax": float("-inf"), "amin": float("inf")}


def segment_reduce(
    data: Tensor, reduce: str, *, lengths: Tensor | None = None, indices: Tensor | None = None,
    offsets: Tensor | None = None, axis: int = 0, unsafe: bool = False, initial: Any = None,
) -> Tensor:  # fmt: skip
    """The reduction of each segment of `data` along `axis`.

    Args:
        reduce: 'sum', 'mean', 'max', 'min' or 'prod'.
        lengths: how long the segments are, (*data.shape[:axis], S).
        offsets: instead, where they begin and the last one ends, (*data.shape[:axis], S + 1).
        axis: the last dimension of `lengths` or `offsets`.
        unsafe: do not check that lengths are not negative and add up to data.shape[axis].
        initial: what an empty segment gives, and takes part in the others; without it the sum is
            0, the product 1, the mean NaN, the extremes are infinite.

    `data` is floating. RuntimeError for arguments that do not fit; `indices` are not supported, as
    in PyTorch.

    >>> kagari.segment_reduce(kagari.arange(3.0), "sum", lengths=kagari.tensor([1, 2]))
    tensor([0., 3.])
    """
    if reduce not in _KINDS:
        raise RuntimeError(
            f"segment_reduce(): reduce must be one of sum, mean, max, min or prod, got '{reduce}'"
        )
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet.")
    if not data.is_floating_point():
        raise NotImplementedError(f'"segment_reduce" not implemented for {data.dtype}')
    lengths = _checked(data, lengths, offsets, axis, unsafe)
    lead = data.shape[: lengths.dim() - 1]
    rows, size = lead.numel(), data.shape[lengths.dim() - 1]
    flat = data.reshape(rows, size, -1)
    counts = lengths.reshape(rows, -1)
    result = _reduced(flat, counts, reduce, initial)
    return result.reshape(*lead, counts.shape[1], *data.shape[lengths.dim() :])


def _checked(
    data: Tensor, lengths: Tensor | None, offsets: Tensor | None, axis: int, unsafe: bool
) -> Tensor:
    """The lengths as int64, one row for each index before `axis`."""
    given = lengths if lengths is not None else offsets
    if given is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    name = "lengths" if lengths is not None else "offsets"
    if given.dtype not in (kagari.int64, kagari.int32):
        raise RuntimeError(f"segment_reduce(): expected {name} to be int64 or int32, {given.dtype}")
    axis = axis + data.dim() if axis < 0 else axis
    if given.dim() > data.dim() or axis != given.dim() - 1:
        raise RuntimeError(
            f"segment_reduce(): Expected axis to be the last dimension of {name} but got {axis}."
        )
    if tuple(given.shape[:-1]) != tuple(data.shape[:axis]):
        raise RuntimeError(
            f"segment_reduce(): expected {name} to start with the sizes {tuple(data.shape[:axis])}"
            f" of data, got {tuple(given.shape)}"
        )
    given = given.to(kagari.int64)
    counts = given if lengths is not None else given.diff()
    if not unsafe and counts.numel() and counts.min().item() < 0:
        raise RuntimeError("segment_reduce(): lengths contains negative value!")
    totals = counts.sum(-1)
    if (not unsafe and lengths is not None and bool((totals != data.shape[axis]).any())) or bool(
        (totals > data.shape[axis]).any()
    ):
        raise RuntimeError(
            "segment_reduce(): Expected all rows of lengths along axis to sum to "
            f"data.size(axis) = {data.shape[axis]}, got {totals.tolist()}"
        )
    return counts


def _reduced(flat: Tensor, counts: Tensor, reduce: str, initial: Any) -> Tensor:
    """(rows, size, width) data, (rows, S) lengths."""
    rows, segments = counts.shape
    numbers = kagari.arange(rows * segments).repeat_interleave(counts.reshape(-1))
    width = flat.shape[2]
    used = counts.sum(1)
    inside = kagari.arange(flat.shape[1]) < used.unsqueeze(1)
    values = flat.reshape(-1, width)
    if numbers.numel() != values.shape[0]:
        values = values[inside.reshape(-1)]
    kind = _KINDS[reduce]
    start = _EMPTY[kind] if initial is None else float(initial)
    result = flat.new_full((rows * segments, width), start)
    places = numbers.unsqueeze(1).expand(values.shape)
    result = result.scatter_reduce(0, places, values, kind, include_self=True)
    if reduce == "mean":
        count = counts.reshape(-1, 1)
        filled = result / count.clamp(min=1)
        result = kagari.where(count > 0, filled, float("nan") if initial is None else start)
    return result.reshape(rows, segments, width)
