"""Shapes, indexing, searching, sorting and sets by the array API standard."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import kagari
from kagari import Tensor

from ._dtypes import aligned

__all__ = [
    "argmax", "argmin", "argsort", "broadcast_arrays", "broadcast_to", "concat", "diff",
    "expand_dims", "flip", "moveaxis", "nonzero", "permute_dims", "repeat", "reshape", "roll",
    "searchsorted", "sort", "squeeze", "stack", "take", "take_along_axis", "tile", "unique_all",
    "unique_counts", "unique_inverse", "unique_values", "unstack", "where",
]  # fmt: skip

# --- shapes --------------------------------------------------------------------------------------


def broadcast_arrays(*arrays: Tensor) -> list[Tensor]:
    """The arrays as views of one shape."""
    return list(kagari.broadcast_tensors(*arrays)) if arrays else []


def broadcast_to(x: Tensor, /, shape: tuple[int, ...]) -> Tensor:
    """The array as a view of that shape."""
    return kagari.broadcast_to(x, shape)


def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """The arrays one after the other along `axis`; flattened for None.

    >>> kagari.array_api.concat([kagari.ones(2), kagari.zeros(1)])
    tensor([1., 1., 0.])
    """
    parts = aligned(*arrays)
    if axis is None:
        parts, axis = [part.flatten() for part in parts], 0
    return kagari.cat(parts, axis)


def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """The arrays side by side along a new axis."""
    return kagari.stack(aligned(*arrays), axis)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along `axis`."""
    return tuple(kagari.unbind(x, axis))


def expand_dims(x: Tensor, /, axis: int = 0) -> Tensor:
    """A new axis of size 1."""
    return kagari.unsqueeze(x, axis)


def squeeze(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """Without these axes, which must have size 1.

    >>> kagari.array_api.squeeze(kagari.ones(1, 2), 0).shape
    torch.Size([2])
    """
    axes = (axis,) if isinstance(axis, int) else axis
    for a in axes:
        if x.shape[a] != 1:
            raise ValueError(f"squeeze: axis {a}: expected size 1, got {x.shape[a]}")
    return kagari.squeeze(x, axes)


def flip(x: Tensor, /, *, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """Backwards along `axis`, or along all."""
    return kagari.flip(x, tuple(range(x.ndim)) if axis is None else axis)


def moveaxis(x: Tensor, source: Any, destination: Any, /) -> Tensor:
    """Axes moved to other places."""
    return kagari.moveaxis(x, source, destination)


def permute_dims(x: Tensor, /, axes: tuple[int, ...]) -> Tensor:
    """The axes in another order."""
    return kagari.permute(x, axes)


def repeat(x: Tensor, repeats: int | Tensor, /, *, axis: int | None = None) -> Tensor:
    """Each element so many times: kagari.repeat_interleave.

    >>> kagari.array_api.repeat(kagari.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    """
    counts = repeats.to(kagari.int64) if isinstance(repeats, Tensor) else repeats
    return kagari.repeat_interleave(x, counts, dim=axis)


def reshape(x: Tensor, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Tensor:
    """Another shape; never a copy if `copy` is False, always one if it is True.

    >>> kagari.array_api.reshape(kagari.arange(4), (2, 2)).tolist()
    [[0, 1], [2, 3]]
    """
    if copy is False:
        try:
            return x.view(shape)
        except RuntimeError as error:
            raise ValueError(f"reshape: copy=False, but shape {shape} needs a copy") from error
    return kagari.reshape(x.clone() if copy else x, shape)


def roll(x: Tensor, /, shift: Any, *, axis: Any = None) -> Tensor:
    """Elements moved round along `axis`, or through the flattened array."""
    return kagari.roll(x, shift, () if axis is None else axis)


def tile(x: Tensor, repetitions: tuple[int, ...], /) -> Tensor:
    """The whole array so many times along each axis."""
    return kagari.tile(x, repetitions)


# --- indexing and searching ----------------------------------------------------------------------


def _axis(x: Tensor, axis: int | None, op: str) -> int:
    if axis is not None:
        return axis % x.ndim if -x.ndim <= axis < x.ndim else axis
    if x.ndim != 1:
        raise ValueError(f"{op}: axis: expected an int for {x.ndim} dimensions, got None")
    return 0


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """The slices at these indices along `axis`.

    >>> kagari.array_api.take(kagari.tensor([5, 6, 7]), kagari.tensor([2, 0]))
    tensor([7, 5])
    """
    return x[(slice(None),) * _axis(x, axis, "take") + (indices.to(kagari.int64),)]


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """The elements at these indices along `axis`, one index per place of the other axes.

    >>> x = kagari.tensor([[3, 1], [2, 4]])
    >>> kagari.array_api.take_along_axis(x, kagari.argsort(x))
    tensor([[1, 3],
            [2, 4]])
    """
    index = indices.to(kagari.int64)
    index = kagari.where(index < 0, index + x.shape[axis], index)
    return kagari.take_along_dim(x, index, axis)


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the largest element along `axis` is; in the flattened array for None."""
    found = kagari.argmax(x, axis, keepdims if axis is not None else False)
    return found.reshape((1,) * x.ndim) if keepdims and axis is None else found


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the smallest element along `axis` is; in the flattened array for None."""
    found = kagari.argmin(x, axis, keepdims if axis is not None else False)
    return found.reshape((1,) * x.ndim) if keepdims and axis is None else found


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """The indices of the elements that are not zero, one array per axis."""
    if x.ndim == 0:
        raise ValueError("nonzero: expected at least one dimension, got none")
    return tuple(kagari.nonzero(x, as_tuple=True))


def searchsorted(
    x1: Tensor, x2: Any, /, *, side: str = "left", sorter: Tensor | None = None
) -> Tensor:
    """Where the elements of `x2` belong in the sorted `x1`.

    >>> kagari.array_api.searchsorted(kagari.tensor([1, 3, 5]), kagari.tensor([3]), side="right")
    tensor([2])
    """
    places, values = aligned(x1, x2)
    order = None if sorter is None else sorter.to(kagari.int64)
    return kagari.searchsorted(places, values, side=side, sorter=order)


def where(condition: Tensor, x1: Any, x2: Any, /) -> Tensor:
    """x1 where the condition holds, x2 elsewhere."""
    return kagari.where(condition, *aligned(x1, x2))


def diff(
    x: Tensor,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """The differences of neighbours along `axis`, `n` times over.

    >>> kagari.array_api.diff(kagari.tensor([1, 4, 9]))
    tensor([3, 5])
    """
    return kagari.diff(x, n, axis, prepend, append)


# --- sorting and sets ----------------------------------------------------------------------------


def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The elements in order along `axis`.

    >>> kagari.array_api.sort(kagari.tensor([3, 1, 2]), descending=True)
    tensor([3, 2, 1])
    """
    return kagari.sort(x, dim=axis, descending=descending, stable=stable).values


def argsort(
    x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """The indices that put the elements in order along `axis`."""
    return kagari.argsort(x, dim=axis, descending=descending, stable=stable)


class UniqueAll(NamedTuple):
    """What unique_all gives: first indices and counts belong to values."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What unique_counts gives."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What unique_inverse gives."""

    values: Tensor
    inverse_indices: Tensor


def unique_all(x: Tensor, /) -> UniqueAll:
    """The distinct values, where each stands first, which one each element is, how many there are.

    >>> kagari.array_api.unique_all(kagari.tensor([5, 3, 5])).indices
    tensor([1, 0])
    """
    flat = x.flatten()
    if x.dtype.is_complex:  # in the order of real, then of imaginary parts
        pairs = kagari.view_as_real(flat) + 0.0  # -0 becomes 0
        rows, inverse, counts = kagari.unique(pairs, return_inverse=True, return_counts=True, dim=0)
        values = kagari.view_as_complex(rows)
    else:
        values, inverse, counts = kagari.unique(flat, return_inverse=True, return_counts=True)
    order = kagari.argsort(inverse, stable=True)
    first = order[kagari.cumsum(counts, 0) - counts]
    return UniqueAll(values, first, inverse.reshape(x.shape), counts)


def unique_counts(x: Tensor, /) -> UniqueCounts:
    """The distinct values and how many there are of each."""
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: Tensor, /) -> UniqueInverse:
    """The distinct values and which one each element is."""
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: Tensor, /) -> Tensor:
    """The distinct values, in order."""
    return unique_all(x).values
