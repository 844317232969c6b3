"""vmap: a function of one sample becomes a function of a batch of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import kagari
from kagari import Tensor
from kagari.utils import _pytree as pytree

from . import levels
from .batching import Samples

InDims = int | tuple[Any, ...] | list[Any] | dict[str, Any] | None


@contextmanager
def level(size: int, randomness: str) -> Iterator[Samples]:
    """Within the block one more vmap is running."""
    stack = levels.active()
    samples = Samples(len(stack) + 1, size, randomness)
    stack.append(samples)
    try:
        with samples.running():
            yield samples
    finally:
        stack.pop()


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """`func`, written for one sample, as a function of many: every op in it works on all at once.

    `in_dims`: along which dimension of each argument the samples are; an integer for all tensors,
    or a tuple for the arguments, nested as they are, with None for what all samples share.
    `out_dims`: where the samples go in each result. `randomness`: "error", or "same" or
    "different" numbers for the samples. `chunk_size`: that many samples at a time, for less memory.
    Keyword arguments are shared by all samples.

    ValueError for in_dims or out_dims that do not fit; RuntimeError for what depends on the values
    of a sample (`.item()`, `if`); NotImplementedError for an op without a batching rule.

    >>> x = kagari.arange(6.0).reshape(3, 2)
    >>> kagari.vmap(kagari.dot)(x, x)
    tensor([ 1., 13., 41.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            "vmap: Only allowed values for randomness are 'error', 'different', or 'same'. Got "
            f"{randomness}"
        )
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        flat, spec, dims = _inputs(func, in_dims, args)
        size = _batch_size(func, flat, dims)
        if chunk_size is not None and chunk_size < size:
            return _in_chunks(
                func, flat, spec, dims, out_dims, randomness, kwargs, size, chunk_size
            )  # fmt: skip
        return _run(func, flat, spec, dims, out_dims, randomness, kwargs, size)

    return mapped


def _name(func: Any) -> str:
    return getattr(func, "__name__", type(func).__name__)


# --- inputs --------------------------------------------------------------------------------------


def _inputs(func: Any, in_dims: Any, args: tuple[Any, ...]) -> tuple[list[Any], Any, list[Any]]:
    """The leaves of the arguments, their structure, and the dimension of each, counted from 0."""
    name = f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, (int, tuple, list)):
        raise ValueError(
            f"{name}: expected `in_dims` to be int or a (potentially nested) tuple matching the "
            f"structure of inputs, got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"{name}: got no inputs. Maybe you forgot to add inputs, or you are trying to vmap "
            "over a function with no inputs. The latter is unsupported."
        )
    flat, spec = pytree.tree_flatten(args)
    given = tuple(in_dims) if isinstance(in_dims, list) else in_dims
    dims = pytree._broadcast_to_and_flatten(given, spec)
    if dims is None:
        raise ValueError(
            f"{name}: in_dims is not compatible with the structure of `inputs`. in_dims has "
            f"structure {pytree.tree_flatten(in_dims)[1]} but inputs has structure {spec}."
        )
    return flat, spec, [_in_dim(name, arg, dim) for arg, dim in zip(flat, dims, strict=True)]


def _in_dim(name: str, arg: Any, dim: Any) -> int | None:
    if dim is None:
        return None
    if not isinstance(dim, int):
        raise ValueError(
            f"{name}: Got in_dim={dim} for an input but in_dim must be either an integer dimension "
            "or None."
        )
    if not isinstance(arg, Tensor):
        raise ValueError(
            f"{name}: Got in_dim={dim} for an input but the input is of type {type(arg)}. We "
            "cannot vmap over non-Tensor arguments, please use None as the respective in_dim"
        )
    if not -arg.dim() <= dim < arg.dim():
        raise ValueError(
            f"{name}: Got in_dim={dim} for some input, but that input is a Tensor of "
            f"dimensionality {arg.dim()} so expected in_dim to satisfy -{arg.dim()} <= in_dim < "
            f"{arg.dim()}."
        )
    return dim % arg.dim()


def _batch_size(func: Any, flat: list[Any], dims: list[Any]) -> int:
    sizes = [arg.shape[dim] for arg, dim in zip(flat, dims, strict=True) if dim is not None]
    if not sizes:
        raise ValueError(
            f"vmap({_name(func)}): Expected at least one Tensor to vmap over: all in_dims are None"
        )
    if len(set(sizes)) > 1:
        raise ValueError(
            f"vmap({_name(func)}): Expected all tensors to have the same size in the mapped "
            f"dimension, got sizes {sizes} for the mapped dimension"
        )
    return sizes[0]


# --- running -------------------------------------------------------------------------------------


def _run(
    func: Any, flat: list[Any], spec: Any, dims: list[Any], out_dims: Any, randomness: str,
    kwargs: dict[str, Any], size: int,
) -> Any:  # fmt: skip
    with level(size, randomness) as samples:
        batched = [
            arg if dim is None else levels.wrap(arg, samples.level, dim)
            for arg, dim in zip(flat, dims, strict=True)
        ]
        result = func(*pytree.tree_unflatten(batched, spec), **kwargs)
    leaves, out_spec = pytree.tree_flatten(result)
    where = _out_dims(func, out_dims, leaves, out_spec)
    pairs = zip(leaves, where, strict=True)
    outs = [_output(func, samples, leaf, dim) for leaf, dim in pairs]
    return pytree.tree_unflatten(outs, out_spec)


def _out_dims(func: Any, out_dims: Any, leaves: list[Any], spec: Any) -> list[Any]:
    if out_dims is None or isinstance(out_dims, int):
        return [out_dims] * len(leaves)
    if len(leaves) == 1 and isinstance(out_dims, tuple) and len(out_dims) == 1:
        return list(out_dims)
    dims = pytree._broadcast_to_and_flatten(out_dims, spec)
    if dims is None:
        raise ValueError(
            f"vmap({_name(func)}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible "
            f"with the structure of `outputs`. out_dims has structure "
            f"{pytree.tree_flatten(out_dims)[1]} but outputs has structure {spec}."
        )
    return dims


def _output(func: Any, samples: Samples, out: Any, dim: Any) -> Any:
    name = f"vmap({_name(func)}, ...)"
    if dim is None:
        if samples.has(out):
            raise ValueError(
                f"{name}: `{_name(func)}` can not return a BatchedTensor when out_dim is None"
            )
        return out
    if not isinstance(out, Tensor):
        raise ValueError(
            f"{name}: `{_name(func)}` must only return Tensors, got type {type(out)}. Did you mean "
            "to set out_dims= to None for output?"
        )
    if not isinstance(dim, int):
        raise ValueError(f"{name}: expected out_dims to be integers or None, got {dim}")
    rank = out.dim() + 1
    if not -rank <= dim < rank:
        raise IndexError(
            f"{name}: Dimension out of range (expected to be in range of [-{rank}, {rank - 1}], "
            f"but got {dim})"
        )
    return samples.front(out).movedim(0, dim)


def _in_chunks(
    func: Any, flat: list[Any], spec: Any, dims: list[Any], out_dims: Any, randomness: str,
    kwargs: dict[str, Any], size: int, chunk_size: int,
) -> Any:  # fmt: skip
    state = kagari.get_rng_state() if randomness == "same" else None
    found: list[list[Any]] = []
    for start in range(0, size, chunk_size):
        count = min(chunk_size, size - start)
        part = [
            arg if dim is None else arg.narrow(dim, start, count)
            for arg, dim in zip(flat, dims, strict=True)
        ]
        if state is not None:
            kagari.set_rng_state(state)
        result = _run(func, part, spec, dims, out_dims, randomness, kwargs, count)
        leaves, out_spec = pytree.tree_flatten(result)
        found.append(leaves)
    where = _out_dims(func, out_dims, found[0], out_spec)
    joined = [
        parts[0] if dim is None else kagari.cat(parts, dim)
        for parts, dim in zip(zip(*found, strict=True), where, strict=True)
    ]
    return pytree.tree_unflatten(joined, out_spec)
