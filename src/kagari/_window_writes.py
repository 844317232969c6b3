"""Copies with a part replaced (`select_scatter`, ...), and views as copies (`select_copy`, ...)."""

from collections.abc import Callable
from typing import Any

from . import _C
from ._C import Tensor
from ._outputs import written

_clone = _C.places["ops"]["_clone"]

_COPIES = (
    "alias", "as_strided", "diagonal", "expand", "permute", "select", "split", "squeeze", "t",
    "transpose", "unbind", "unsqueeze", "view", "view_as_complex", "view_as_real", "unfold",
    "split_with_sizes", "narrow", "slice",
)  # fmt: skip

__all__ = [
    "as_strided_scatter", "clone", "diagonal_scatter", "fill", "positive", "select_scatter",
    "slice_scatter", "sum_to_size", *(n + "_copy" for n in _COPIES),
]  # fmt: skip


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy in memory of its own; gradients flow through it."""
    return input.clone() if memory_format is None else input.clone(memory_format=memory_format)


def _with_room(input: Tensor, src: Tensor) -> Tensor:
    """Inside vmap `input` with a copy for every sample that `src` has."""
    if not _C._intercepted():
        return input
    from .func.levels import spread_like

    return spread_like(input, src)


def _replaced(input: Tensor, src: Tensor, view: Callable[[Tensor], Tensor], op: str) -> Tensor:
    out = _clone(_with_room(input, src))
    window = view(out)
    if window.shape != src.shape:
        raise RuntimeError(
            f"{op}: expected src to have a size equal to the slice of self: "
            f"{tuple(window.shape)}, got src size = {tuple(src.shape)}"
        )
    window.copy_(src)
    return out


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of `input` with `src` at one index of a dimension."""
    return _replaced(input, src, lambda t: t.select(dim, index), "select_scatter")


def slice_scatter(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None,
    step: int = 1, *, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """A copy of `input` with `src` at a slice of a dimension."""
    cut = _C.places["ops"]["_slice"]
    made = _replaced(input, src, lambda t: cut(t, dim, start, end, step), "slice_scatter")
    return written(made, out, "slice_scatter")


def diagonal_scatter(
    input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """A copy of `input` with `src` on a diagonal."""
    return _replaced(input, src, lambda t: t.diagonal(offset, dim1, dim2), "diagonal_scatter")


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: int | None = None
) -> Tensor:
    """A copy of `input` and the memory around it, with `src` at a strided window of that memory."""
    offset = input.storage_offset() if storage_offset is None else storage_offset
    if _C._batch_of(input) or _C._batch_of(src):  # a sample has no memory around it
        out = _C.places["ops"]["_clone_strided"](_with_room(input, src), input.stride())
        offset -= input.storage_offset()
    else:
        count = input.untyped_storage().nbytes() // input.element_size()
        memory = _clone(input.as_strided((count,), (1,), 0))
        out = memory.as_strided(input.shape, input.stride(), input.storage_offset())
    window = out.as_strided(size, stride, offset)
    if window.shape != src.shape:
        raise RuntimeError(
            "as_strided_scatter: expected src to have a size equal to the slice of self: "
            f"{tuple(window.shape)}, got src size = {tuple(src.shape)}"
        )
    window.copy_(src)
    return out


def fill(input: Tensor, value: Any) -> Tensor:
    """One number in the shape of `input`."""
    return _clone(input).fill_(value)


def positive(input: Tensor) -> Tensor:
    """The tensor itself; bool tensors have no sign."""
    if input.dtype == _C.bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """The sum over the dimensions along which `size` broadcasts to the shape of `input`."""
    sizes = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    lead = input.dim() - len(sizes)
    fits = lead >= 0 and all(
        s in (1, have) for s, have in zip(sizes, input.shape[lead:], strict=True)
    )
    if not fits:
        raise RuntimeError(
            f"sum_to_size: size {{{list(sizes)}}} is not expandable to size "
            f"{{{list(input.shape)}}}."
        )
    dims = [i for i in range(input.dim()) if i < lead or (sizes[i - lead] == 1 != input.shape[i])]
    return (input.sum(dims, True) if dims else input).reshape(sizes)


def _copying(name: str) -> Any:
    def copy(input: Tensor, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        view = input.view_as(input) if name == "alias" else _view(name, input, args, kwargs)
        made = tuple(_clone(v) for v in view) if isinstance(view, tuple) else _clone(view)
        result = written(made, out, name + "_copy")
        return None if isinstance(made, tuple) and out is not None else result

    copy.__name__ = copy.__qualname__ = name + "_copy"
    copy.__doc__ = f"""As {name}, but a copy instead of a view."""
    return copy


def _view(name: str, input: Tensor, args: Any, kwargs: Any) -> Any:
    if not isinstance(input, Tensor):
        raise TypeError(f"{name}_copy(): input: expected a tensor, got {type(input).__name__}")
    if name == "narrow":
        dim = args[0] if args else kwargs.get("dim", 0)
        if dim >= input.dim():
            raise RuntimeError(
                f"narrow_copy(): dim: expected one of {input.dim()} dimensions, got {dim}"
            )
    if name == "slice":
        return _C.places["ops"]["_slice"](input, *args, **kwargs)
    method = getattr(input, name, None)
    if method is None:
        return _C.places["functions."][name](input, *args, **kwargs)
    return method(*args, **kwargs)


globals().update({name + "_copy": _copying(name) for name in _COPIES})
_narrow_copy = globals()["narrow_copy"]


def narrow_copy(
    input: Tensor, dim: int, start: int, length: int, *, out: Tensor | None = None
) -> Tensor:
    """As narrow, but a copy instead of a view. RuntimeError, unlike narrow, for `dim` too large."""
    if dim >= input.dim():
        raise RuntimeError(
            f"narrow_copy: expected dim in the range of [{-input.dim()}, {input.dim() - 1}], got "
            f"{dim}"
        )
    return _narrow_copy(input, dim, start, length, out=out)


def _install() -> None:
    for name in ("select_scatter", "slice_scatter", "diagonal_scatter", "as_strided_scatter",
                 "positive", "sum_to_size", "narrow_copy"):  # fmt: skip
        setattr(Tensor, name, globals()[name])


_install()
