"""Views, copies and other movement of elements: the same op with the batch dimension in front."""

from math import prod
from typing import Any

from kagari._C import Tensor

from .samples import Samples, ranked, rule, run, wrapped


@rule(
    "_alias", "_clone", "_contiguous", "_empty_like", "_full_like", "_same_memory", "_to_device",
    "_to_dtype", "detach", "view.dtype", "view_as_real",
)  # fmt: skip
def whole(samples: Samples, op: Any, x: Tensor, *rest: Any) -> Any:
    return run(op, samples.front(x), *rest)


@rule("view_as_complex")
def view_as_complex(samples: Samples, op: Any, x: Tensor) -> Any:
    given = samples.front(x)
    return run(op, given.contiguous() if x.dim() and given.stride(-1) != 1 else given)


@rule("tril", "triu")
def triangle(samples: Samples, op: Any, x: Tensor, diagonal: int) -> Any:
    if x.dim() < 2:
        raise RuntimeError(f"{op.name}: input tensor must have at least 2 dimensions")
    return run(op, samples.front(x), diagonal)


@rule("_new_zeros")
def new_zeros(samples: Samples, op: Any, x: Tensor, size: Any) -> Any:
    return run(op, samples.front(x), [samples.size, *size])


# --- written to ----------------------------------------------------------------------------------


@rule("zero_", "_fill_")
def overwrite(samples: Samples, op: Any, x: Tensor, *value: Any) -> Any:
    return run(op, samples.written(x, op), *value)


@rule("copy_")
def copy(samples: Samples, op: Any, x: Tensor, source: Tensor, non_blocking: bool) -> Any:
    target = samples.written(x, op)
    if samples.has(source):
        source = ranked(samples.peek(source), x.dim())
    return run(op, target, source, non_blocking)


# --- shapes --------------------------------------------------------------------------------------


def _known(sizes: Any, numel: int) -> list[int]:
    """The sizes with the one that is left to be inferred, which the batch would make ambiguous."""
    sizes = list(sizes)
    if sizes.count(-1) == 1:
        rest = -prod(sizes)
        if rest and numel % rest == 0:
            sizes[sizes.index(-1)] = numel // rest
    return sizes


@rule("view", "reshape")
def reshape(samples: Samples, op: Any, x: Tensor, sizes: Any) -> Any:
    return run(op, samples.front(x), [samples.size, *_known(sizes, x.numel())])


@rule("expand")
def expand(samples: Samples, op: Any, x: Tensor, sizes: Any) -> Any:
    return run(op, samples.front(x, len(sizes)), [samples.size, *sizes])


@rule("repeat")
def repeat(samples: Samples, op: Any, x: Tensor, repeats: Any) -> Any:
    return run(op, samples.front(x, len(repeats)), [1, *repeats])


@rule("permute", "flip")
def all_dims(samples: Samples, op: Any, x: Tensor, dims: Any) -> Any:
    behind = [wrapped(d, x.dim()) + 1 for d in dims]
    if op.name == "permute":
        behind = [0, *behind]
    elif x.dim() == 0:
        behind = []
    return run(op, samples.front(x), behind)


@rule("transpose")
def transpose(samples: Samples, op: Any, x: Tensor, first: int, second: int) -> Any:
    dims = [wrapped(d, x.dim()) + 1 for d in (first, second)]
    return run(op, samples.front(x), *dims) if x.dim() else samples.front(x)


@rule("squeeze")
def squeeze(samples: Samples, op: Any, x: Tensor, dims: Any) -> Any:
    chosen = range(x.dim()) if dims is None else [wrapped(d, x.dim()) for d in dims]
    return run(op, samples.front(x), [d + 1 for d in chosen if x.dim()])


@rule("unsqueeze")
def unsqueeze(samples: Samples, op: Any, x: Tensor, dim: int) -> Any:
    return run(op, samples.front(x), wrapped(dim, x.dim() + 1) + 1)


@rule("roll")
def roll(samples: Samples, op: Any, x: Tensor, shifts: Any, dims: Any) -> Any:
    given = samples.front(x)
    if dims and x.dim():
        return run(op, given, shifts, [wrapped(d, x.dim()) + 1 for d in dims])
    return run(op, given.reshape(samples.size, -1), shifts, [1]).reshape(given.shape)


# --- along one dimension -------------------------------------------------------------------------


@rule("_narrow", "_slice", "select", "unfold")
def cut(samples: Samples, op: Any, x: Tensor, dim: int, *rest: Any) -> Any:
    given = samples.front(x)
    if x.dim() == 0:
        if op.name != "unfold":
            raise IndexError(f"{op.name}: cannot be applied to a 0-dim tensor")
        return run(op, given.unsqueeze(1), wrapped(dim, 0) + 1, *rest).select(1, 0)
    return run(op, given, wrapped(dim, x.dim()) + 1, *rest)


@rule("unbind")
def unbind(samples: Samples, op: Any, x: Tensor, dim: int) -> Any:
    if x.dim() == 0:
        raise IndexError(f"unbind: Dimension specified as {dim} but tensor has no dimensions")
    return list(run(op, samples.front(x), wrapped(dim, x.dim()) + 1))


@rule("split_with_sizes", "chunk")
def split(samples: Samples, op: Any, x: Tensor, sizes: Any, dim: int) -> Any:
    if x.dim() == 0:
        raise RuntimeError(f"{op.name}: expects at least a 1-dimensional tensor")
    return list(run(op, samples.front(x), sizes, wrapped(dim, x.dim()) + 1))


@rule("diagonal", "diag_embed")
def diagonal(samples: Samples, op: Any, x: Tensor, offset: int, first: int, second: int) -> Any:
    rank = x.dim() + (op.name == "diag_embed")
    return run(op, samples.front(x), offset, wrapped(first, rank) + 1, wrapped(second, rank) + 1)


@rule("cat")
def cat(samples: Samples, op: Any, tensors: Any, dim: int) -> Any:
    rank = max(t.dim() for t in tensors)
    if any(t.dim() == 0 for t in tensors):
        raise RuntimeError("cat: zero-dimensional tensor cannot be concatenated")
    # an empty vector may stand beside tensors of any rank, and adds nothing
    full = [t for t in tensors if t.dim() == rank or tuple(t.shape) != (0,)]
    return run(op, [samples.front(t) for t in full], wrapped(dim, rank) + 1)


@rule("stack")
def stack(samples: Samples, op: Any, tensors: Any, dim: int) -> Any:
    return run(op, [samples.front(t) for t in tensors], wrapped(dim, tensors[0].dim() + 1) + 1)


@rule("pad")
def pad(samples: Samples, op: Any, x: Tensor, pads: Any, mode: str, value: Any) -> Any:
    given, several = samples.front(x), len(pads) // 2
    if several > x.dim():
        raise RuntimeError(
            f"pad: Length of pad should be no more than twice the number of dimensions of the "
            f"input. Pad length is {len(pads)} while the input has {x.dim()} dimensions."
        )
    if mode == "constant" or x.dim() < several + 2:
        return run(op, given, pads, mode, value)
    found = run(op, given.flatten(0, 1), pads, mode, value)
    return found.reshape(samples.size, -1, *found.shape[1:])


@rule("repeat_interleave")
def repeat_interleave(
    samples: Samples, op: Any, x: Tensor, repeats: Any, dim: int | None, size: Any
) -> Any:
    if samples.has(repeats):
        raise RuntimeError(
            "vmap: repeat_interleave with repeats that differ by sample gives every sample another "
            "shape; pass repeats that are the same for all"
        )
    given = samples.front(x)
    if dim is None or x.dim() == 0:
        return run(op, given.reshape(samples.size, -1), repeats, 1, size)
    return run(op, given, repeats, wrapped(dim, x.dim()) + 1, size)


# --- layout --------------------------------------------------------------------------------------


@rule("as_strided")
def as_strided(samples: Samples, op: Any, x: Tensor, size: Any, stride: Any, offset: Any) -> Any:
    given = samples.front(x)
    start = given.storage_offset() + (offset or 0)
    reach = sum((n - 1) * s for n, s in zip(size, stride, strict=True)) + (offset or 0)
    room = sum((n - 1) * s for n, s in zip(x.shape, given.stride()[1:], strict=True))
    if reach > room and x.numel():
        raise RuntimeError(
            f"vmap: as_strided of sizes {tuple(size)}, strides {tuple(stride)} and storage offset "
            f"{offset or 0} leaves the memory of one sample, of shape {tuple(x.shape)}"
        )
    return run(op, given, [samples.size, *size], [given.stride()[0], *stride], start)


@rule("_as_strided_backward")
def as_strided_backward(
    samples: Samples, op: Any, grad: Tensor, old_size: Any, old_stride: Any, old_offset: int,
    size: Any, stride: Any, offset: int,
) -> Any:  # fmt: skip
    """Samples lie one behind the other, each with room for both windows."""
    apart = 1 + max(old_offset, offset)
    for sizes, strides in ((old_size, old_stride), (size, stride)):
        apart += sum(max(n - 1, 0) * s for n, s in zip(sizes, strides, strict=True))
    windows = [samples.size, *old_size], [apart, *old_stride], old_offset
    return run(op, samples.front(grad), *windows, [samples.size, *size], [apart, *stride], offset)


@rule("_clone_strided")
def clone_strided(samples: Samples, op: Any, x: Tensor, stride: Any) -> Any:
    extent = 1 + sum((n - 1) * s for n, s in zip(x.shape, stride, strict=True))
    return run(op, samples.front(x), [max(extent, 1), *stride])
