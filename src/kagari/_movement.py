"""Choosing, joining and rearranging elements: what is composed of the core's movement ops."""

import itertools
from collections.abc import Sequence
from typing import Any

from . import _C, _creation, _ops
from ._C import Tensor

__all__ = [
    "argwhere", "bucketize", "cartesian_prod", "combinations", "concat", "concatenate", "diagflat",
    "dstack", "fliplr", "flipud", "hstack", "index_reduce", "meshgrid", "msort", "nonzero",
    "nonzero_static", "repeat_interleave", "rot90", "row_stack", "scatter", "take_along_dim",
    "tile", "tril_indices", "triu_indices", "unique", "unique_consecutive", "unravel_index",
    "vstack", "where",
]  # fmt: skip

_int64 = _C.int64
_private = _C.places["ops"]


def _give(result: Tensor, out: Tensor | None, same_dtype: bool = False) -> Tensor:
    """The result, in `out` where one is given; some ops do not convert to its dtype."""
    if out is None:
        return result
    if same_dtype and out.dtype != result.dtype:
        raise RuntimeError(f"Expected out tensor to have dtype {result.dtype}, but got {out.dtype}")
    if not _C.can_cast(result.dtype, out.dtype):
        raise RuntimeError(
            f"result type {result.dtype} can't be cast to the desired output type {out.dtype}"
        )
    if tuple(out.shape) != tuple(result.shape):
        out.resize_(result.shape)
    return out.copy_(result)


# ---- where things are ----


def nonzero(input: Tensor, *, as_tuple: bool = False, out: Tensor | None = None) -> Any:
    """Positions of the elements that are not zero: one row each, or a tuple to index with.

    >>> kagari.nonzero(kagari.tensor([0, 3, 4])).tolist()
    [[1], [2]]
    """
    if as_tuple:
        return _private["nonzero"](input if input.dim() else input.reshape(1)).unbind(1)
    return _give(_private["nonzero"](input), out)


def nonzero_static(
    input: Tensor, *, size: int, fill_value: int = -1, out: Tensor | None = None
) -> Tensor:
    """The first `size` rows of `nonzero`, filled up with `fill_value`."""
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, got {size}")
    rows = _private["nonzero"](input)[:size]
    rest = _creation.full((size - rows.shape[0], input.dim()), fill_value, dtype=_int64)
    return _give(_ops.cat([rows, rest], 0), out)


def argwhere(input: Tensor) -> Tensor:
    """Positions of the elements that are not zero, one row each."""
    return nonzero(input)


_where = _private["where"]


def where(condition: Tensor, input: Any = None, other: Any = None, **options: Any) -> Any:
    """`input` where the condition holds, else `other`; alone, the positions where it holds.

    >>> kagari.where(kagari.tensor([True, False]), 1., 2.)
    tensor([1., 2.])
    """
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    return _where(condition, input, other, **options)


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Coordinates in a tensor of that shape of flat positions."""
    sizes = [shape] if isinstance(shape, int) else list(shape)
    coordinates, indices = [], indices.to(_int64)
    for size in reversed(sizes):
        coordinates.append(indices % size)
        indices = indices // size
    return tuple(reversed(coordinates))


# ---- joining ----


def concat(tensors: Sequence[Tensor], dim: int = 0, **options: Any) -> Tensor:
    """Alias of `cat`."""
    return _ops.cat(tensors, dim, **options)


concatenate = concat


def _stacked(name: str, rank: int, dim_of: Any, what: str) -> Any:
    def join(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
        from ._views import _grown

        if not tensors:
            raise RuntimeError(f"{name} expects a non-empty TensorList")
        parts = [_grown(t, rank) for t in tensors]
        return _ops.cat(parts, dim_of(parts[0]), out=out)

    join.__name__ = join.__qualname__ = name
    join.__doc__ = f"Joins tensors {what}."
    return join


hstack = _stacked("hstack", 1, lambda t: 0 if t.dim() == 1 else 1, "side by side")
vstack = _stacked("vstack", 2, lambda t: 0, "as rows, one below the other")
row_stack = vstack
dstack = _stacked("dstack", 3, lambda t: 2, "in depth, along the third dimension")


# ---- repeating and turning ----


def tile(input: Tensor, *dims: Any) -> Tensor:
    """Copies side by side, `dims[d]` of them along dimension d; missing ones count as 1."""
    counts = list(dims[0]) if len(dims) == 1 and not isinstance(dims[0], int) else list(dims)
    return input.repeat([1] * (input.dim() - len(counts)) + counts)


_repeat_interleave = _private["repeat_interleave"]


def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element (or row along `dim`) `repeats` times in a row; given only repeats, the places.

    >>> kagari.repeat_interleave(kagari.tensor([1, 2]), 2).tolist()
    [1, 1, 2, 2]
    """
    if repeats is None:
        return _private["_repeats_to_places"](input)
    return _repeat_interleave(input, repeats, dim, output_size=output_size)


def fliplr(input: Tensor) -> Tensor:
    """Columns in reverse order."""
    if input.dim() < 2:
        raise RuntimeError(f"fliplr: Input must be >= 2-d, got {input.dim()}-d")
    return input.flip(1)


def flipud(input: Tensor) -> Tensor:
    """Rows in reverse order."""
    if input.dim() < 1:
        raise RuntimeError(f"flipud: Input must be >= 1-d, got {input.dim()}-d")
    return input.flip(0)


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turned `k` times by 90 degrees in the plane of two dimensions, the first toward the second.

    >>> kagari.rot90(kagari.tensor([[1, 2], [3, 4]])).tolist()
    [[2, 4], [1, 3]]
    """
    if len(dims) != 2:
        raise RuntimeError(f"rot90: expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.dim() < 2:
        raise RuntimeError(f"rot90: expected total dims >= 2, but got total dims = {input.dim()}")
    first, second = dims
    if (first - second) % input.dim() == 0:
        raise RuntimeError(f"rot90: expected rotation dims to be different, got {tuple(dims)}")
    match k % 4:
        case 1:
            return input.flip(second).transpose(first, second).clone()
        case 2:
            return input.flip(dims)
        case 3:
            return input.flip(first).transpose(first, second).clone()
    return input.clone()


# ---- choosing and writing ----


def take_along_dim(
    input: Tensor, indices: Tensor, dim: int | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Like `gather`, with `input` and `indices` broadcast; without `dim` both are flattened."""
    if indices.dtype != _int64:
        raise RuntimeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype}"
        )
    length = input.numel() if dim is None else input.size(dim)
    indices = _where(indices < 0, indices + length, indices)
    if dim is None:
        return _give(_ops.gather(input.reshape(-1), 0, indices.reshape(-1)), out, True)
    if input.dim() != indices.dim():
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {input.dim()} dimensions for input, and {indices.dim()} for indices"
        )
    dim = dim % max(input.dim(), 1) if -input.dim() <= dim < input.dim() else dim
    from ._views import broadcast_shapes

    def without(t: Tensor) -> list[int]:
        return [1 if d == dim else size for d, size in enumerate(t.shape)]

    common = list(broadcast_shapes(without(input), without(indices)))
    own = [input.shape[d] if d == dim else size for d, size in enumerate(common)]
    places = [indices.shape[d] if d == dim else size for d, size in enumerate(common)]
    return _give(_ops.gather(input.expand(own), dim, indices.expand(places)), out, True)


def _scatter(op: Any) -> Any:
    def run(
        input: Tensor,
        dim: int,
        index: Tensor,
        src: Any = None,
        *,
        value: Any = None,
        reduce: str | None = None,
        **options: Any,
    ) -> Tensor:
        return op(input, dim, index, value if src is None else src, reduce=reduce, **options)

    return run


scatter = _scatter(_private["scatter"])
scatter.__name__ = scatter.__qualname__ = "scatter"
scatter.__doc__ = _private["scatter"].__doc__
_scatter_in_place = _scatter(_private["scatter_"])
_scatter_in_place.__name__ = _scatter_in_place.__qualname__ = "scatter_"
_scatter_in_place.__doc__ = _private["scatter_"].__doc__


def index_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
    out: Tensor | None = None,
) -> Tensor:
    """Combines the rows of `source` into those of `input` that `index` chooses along `dim`."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got "
            f"{reduce}."
        )
    shape = [1] * source.dim()
    if source.dim():
        shape[dim] = -1
    places = index.reshape(shape).expand(source.shape).to(_int64)
    reduced = _ops.scatter_reduce(input, dim, places, source, reduce, include_self=include_self)
    return _give(reduced, out, True)


def _index_reduce_in_place(self: Tensor, *arguments: Any, **options: Any) -> Tensor:
    """In-place `index_reduce`."""
    return self.copy_(index_reduce(self.clone(), *arguments, **options))


# ---- sorted and distinct ----


def msort(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Sorted along the first dimension."""
    return _give(_ops.sort(input, 0)[0], out)


def bucketize(
    input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """In which bucket between sorted boundaries each value lies."""
    if boundaries.dim() != 1:
        raise RuntimeError(
            "torch.bucketize(): boundaries tensor must be 1 dimension, "
            f"but got dim({boundaries.dim()})"
        )
    return _give(_ops.searchsorted(boundaries, input, out_int32=out_int32, right=right), out)


def _chosen(results: Any, inverse: bool, counts: bool) -> Any:
    values, where_from, how_often = results
    parts = (values,) + (where_from,) * bool(inverse) + (how_often,) * bool(counts)
    return parts if len(parts) > 1 else values


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Distinct elements (or slices along `dim`), sorted; where each came from; how often it comes.

    >>> kagari.unique(kagari.tensor([3, 1, 3])).tolist()
    [1, 3]
    """
    if not (return_inverse or return_counts) and (dim is None or input.dim() == 0):
        return _private["_unique_values"](input)
    return _chosen(_private["_unique"](input, dim, False), return_inverse, return_counts)


def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Elements (or slices along `dim`) without those that equal the one before."""
    return _chosen(_private["_unique"](input, dim, True), return_inverse, return_counts)


# ---- grids ----


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Views of vectors as the coordinates of a grid, matrix-like ("ij") or picture-like ("xy")."""
    vectors = (
        list(tensors[0])
        if len(tensors) == 1 and not isinstance(tensors[0], Tensor)
        else list(tensors)
    )
    if not vectors:
        raise ValueError("meshgrid expects a non-empty TensorList")
    for t in vectors:
        if t.dim() > 1:
            raise RuntimeError(f"Expected 0D or 1D tensor in the tensor list but got: {t.dim()}D")
        if t.dtype != vectors[0].dtype:
            raise RuntimeError(
                "torch.meshgrid expects all tensors to have the same dtype, got "
                f"{vectors[0].dtype} and {t.dtype}"
            )
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    swap = indexing == "xy" and len(vectors) >= 2
    if swap:
        vectors[:2] = vectors[1::-1]
    sizes = [t.numel() for t in vectors]
    grids = [
        t.reshape([-1 if d == i else 1 for d in range(len(sizes))]).expand(sizes)
        for i, t in enumerate(vectors)
    ]
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations of one element of each vector, one row each."""
    for t in tensors:
        if t.dim() != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {tuple(t.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    return _ops.stack([g.reshape(-1) for g in meshgrid(*tensors, indexing="ij")], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All combinations of `r` elements of a vector, one row each."""
    if input.dim() != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {tuple(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return _creation.empty(0, dtype=input.dtype, device=input.device)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = list(choose(range(input.numel()), r))
    chosen = _C.tensor([p for row in places for p in row], dtype=_int64)
    return input.index_select(0, chosen).reshape(len(places), r)


def _triangle_indices(
    row: int, col: int, rows_first: list[tuple[int, int]], options: Any
) -> Tensor:
    if row < 0 or col < 0:
        raise RuntimeError(f"row and col must be non-negative, got {row} and {col}")
    options.setdefault("dtype", _int64)
    flat = [i for i, _ in rows_first] + [j for _, j in rows_first]
    return _C.tensor(flat, **options).reshape(2, len(rows_first))


def tril_indices(row: int, col: int, offset: int = 0, **options: Any) -> Tensor:
    """Rows and columns of the lower triangle of a matrix."""
    return _triangle_indices(
        row, col, [(i, j) for i in range(row) for j in range(min(col, i + offset + 1))], options
    )


def triu_indices(row: int, col: int, offset: int = 0, **options: Any) -> Tensor:
    """Rows and columns of the upper triangle of a matrix."""
    return _triangle_indices(
        row, col, [(i, j) for i in range(row) for j in range(max(0, i + offset), col)], options
    )


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """A matrix with the flattened input on a diagonal."""
    return _ops.diag(input.reshape(-1), offset)


def _fill_diagonal(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Writes a number to the main diagonal; with `wrap` again after each block of a tall matrix."""
    if self.dim() < 2:
        raise RuntimeError("dimensions must larger than 1")
    if self.dim() > 2 and len(set(self.shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    rows, step = min(self.shape), sum(self.stride())
    self.as_strided([rows], [step], self.storage_offset()).fill_(fill_value)
    if wrap and self.dim() == 2 and self.shape[0] > self.shape[1] + 1:
        _fill_diagonal(self[self.shape[1] + 1 :], fill_value, True)
    return self


def _install() -> None:
    for name in ("argwhere", "fliplr", "flipud", "index_reduce", "msort", "nonzero",
                 "nonzero_static",
                 "repeat_interleave", "rot90", "scatter", "take_along_dim", "tile", "unique",
                 "unique_consecutive", "diagflat"):  # fmt: skip
        setattr(Tensor, name, globals()[name])
    Tensor.scatter_ = _scatter_in_place
    Tensor.index_reduce_ = _index_reduce_in_place
    Tensor.fill_diagonal_ = _fill_diagonal
    Tensor.where = lambda self, condition, other: _where(condition, self, other)


_install()
