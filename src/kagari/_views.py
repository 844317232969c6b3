"""Views and shapes that are compositions of the core's view ops."""

from collections.abc import Sequence
from typing import Any

from . import _C
from ._C import Size, Tensor

_ops = _C.places["ops"]
_WHOLE = (_C.uint8, _C.int8, _C.int16, _C.int32, _C.int64)
_narrow, _slice = _ops["_narrow"], _ops["_slice"]

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shapes", "broadcast_tensors",
    "broadcast_to", "column_stack", "conj", "dsplit", "hsplit", "imag", "is_conj", "is_neg",
    "moveaxis", "narrow", "numel", "ravel", "real", "resolve_conj", "resolve_neg", "split",
    "swapaxes", "swapdims", "tensor_split", "unflatten", "unsafe_chunk", "unsafe_split", "vsplit",
]  # fmt: skip


def narrow(input: Tensor, dim: int, start: int | Tensor, length: int) -> Tensor:
    """The view of `length` elements of a dimension from `start` on.

    >>> kagari.narrow(kagari.arange(5), 0, 1, 2)
    tensor([1, 2])
    """
    if isinstance(start, Tensor) and (start.dim() or start.dtype not in _WHOLE):
        raise RuntimeError(
            "narrow(): start must be an 0-dim integral Tensor, got one of "
            f"{start.dtype} and size {tuple(start.shape)}"
        )
    return _narrow(input, dim, int(start), length)


def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> Any:
    """Views of consecutive pieces: of one size (the last may be smaller), or of the given sizes.

    >>> [p.tolist() for p in kagari.split(kagari.arange(3), 2)]
    [[0, 1], [2]]
    """
    if not isinstance(split_size_or_sections, int):
        return tensor.split_with_sizes(split_size_or_sections, dim)
    size, length = split_size_or_sections, tensor.size(dim)
    if size < 0 or (size == 0 and length != 0):
        raise RuntimeError(
            f"split: split_size must be a positive number (or 0 for an empty dimension), got {size}"
        )
    sizes = [size] * (length // size) if size else [0]
    if size and (length % size or not sizes):
        sizes.append(length % size)
    return tensor.split_with_sizes(sizes, dim)


def tensor_split(
    input: Tensor, indices_or_sections: Any = None, dim: int = 0, *, indices: Any = None,
    sections: Any = None,
) -> Any:  # fmt: skip
    """Views of pieces: a number of nearly equal ones, or cut before the given indices.

    `indices` and `sections` are other names of `indices_or_sections`."""
    given = [value for value in (indices_or_sections, indices, sections) if value is not None]
    if len(given) != 1:
        raise TypeError(f"tensor_split: expected sections or indices, got {len(given)} of them")
    indices_or_sections = given[0]
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = indices_or_sections.tolist()
    length = input.size(dim)
    if isinstance(indices_or_sections, int):
        count = indices_or_sections
        if count <= 0:
            raise RuntimeError(
                f"tensor_split: number of sections must be larger than 0, got {count}"
            )
        sizes = [length // count + (i < length % count) for i in range(count)]
        return input.split_with_sizes(sizes, dim)
    cuts = [0, *indices_or_sections, length]
    return tuple(
        _slice(input, dim, a, b if i < len(cuts) - 2 else None, 1)
        for i, (a, b) in enumerate(zip(cuts, cuts[1:], strict=False))
    )


def _split_along(name: str, least: int, axis_of: Any) -> Any:
    def cut(input: Tensor, indices_or_sections: Any) -> Any:
        if input.dim() < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension"
                f"{'s' if least > 1 else ''}, but got a tensor with {input.dim()} dimensions!"
            )
        axis = axis_of(input)
        if isinstance(indices_or_sections, int) and (
            indices_or_sections <= 0 or input.size(axis) % indices_or_sections
        ):
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {axis}, but the size of the "
                f"dimension {input.size(axis)} is not divisible by the split_size "
                f"{indices_or_sections}!"
            )
        return tensor_split(input, indices_or_sections, axis)

    cut.__name__ = cut.__qualname__ = name
    cut.__doc__ = f"""Views of pieces along the axis that {name} is named for (see tensor_split)."""
    return cut


hsplit = _split_along("hsplit", 1, lambda t: 0 if t.dim() == 1 else 1)
vsplit = _split_along("vsplit", 2, lambda t: 0)
dsplit = _split_along("dsplit", 3, lambda t: 2)


def unsafe_split(tensor: Tensor, split_size: int, dim: int = 0) -> Any:
    """As split."""
    return split(tensor, split_size, dim)


def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> Any:
    """As chunk."""
    return input.chunk(chunks, dim)


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """A view with two dimensions swapped."""
    return input.transpose(axis0, axis1)


def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """A view with two dimensions swapped."""
    return input.transpose(dim0, dim1)


def moveaxis(input: Tensor, source: Any, destination: Any) -> Tensor:
    """A view with dimensions moved; as movedim."""
    return input.movedim(source, destination)


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension."""
    return input.reshape(-1)


def numel(input: Tensor) -> int:
    """Number of elements."""
    return input.numel()


def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """One dimension split into several, of which one may be -1.

    >>> kagari.unflatten(kagari.zeros(6), 0, (2, -1)).shape
    torch.Size([2, 3])
    """
    if isinstance(sizes, int):
        sizes = (sizes,)
    if len(sizes) == 0:
        raise RuntimeError("unflatten: sizes must be non-empty")
    shape = list(input.shape)
    at = dim if dim >= 0 else dim + len(shape)
    if not 0 <= at < len(shape):
        raise IndexError(
            f"unflatten: Dimension out of range (expected to be in range of "
            f"[{-len(shape)}, {len(shape) - 1}], but got {dim})"
        )
    known = 1
    for s in sizes:
        known *= s if s != -1 else 1
    fits = shape[at] == known if -1 not in sizes else known and shape[at] % known == 0
    if not fits or list(sizes).count(-1) > 1:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({shape[at]}) in the input tensor"
        )
    filled = [shape[at] // known if s == -1 else s for s in sizes]
    return input.reshape(*shape[:at], *filled, *shape[at + 1 :])


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape to which all broadcast.

    >>> kagari.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    sizes = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    rank = max(map(len, sizes), default=0)
    out = [1] * rank
    for shape in sizes:
        for i, s in enumerate(shape, rank - len(shape)):
            if s < 0:
                raise RuntimeError(f"broadcast_shapes: invalid size {s} in {shape}")
            if s != 1 and out[i] not in (1, s):
                raise RuntimeError(
                    "Shape mismatch: objects cannot be broadcast to a single shape: "
                    f"{sizes}, at dimension {i}"
                )
            out[i] = s if out[i] == 1 else out[i]
    return Size(out)


def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """A view in which dimensions of size 1 are repeated; as expand."""
    return input.expand(size)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Views of all in the shape to which they broadcast."""
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    shape = broadcast_shapes(*(t.shape for t in tensors))
    return tuple(t.expand(shape) for t in tensors)


def _atleast(rank: int, name: str) -> Any:
    def grow(*tensors: Any) -> Any:
        if len(tensors) == 1 and not isinstance(tensors[0], (tuple, list)):
            return _grown(tensors[0], rank)
        items = tensors[0] if len(tensors) == 1 else tensors
        return tuple(_grown(t, rank) for t in items)

    grow.__name__ = grow.__qualname__ = name
    grow.__doc__ = f"""Views with at least {rank} dimension{"s" if rank > 1 else ""}."""
    return grow


def _grown(t: Tensor, rank: int) -> Tensor:
    if t.dim() >= rank:
        return t
    if rank == 1:
        return t.reshape(1)
    if rank == 2:
        return t.reshape(1, 1) if t.dim() == 0 else t.unsqueeze(0)
    if t.dim() == 0:
        return t.reshape(1, 1, 1)
    return t.unsqueeze(0).unsqueeze(-1) if t.dim() == 1 else t.unsqueeze(-1)


atleast_1d, atleast_2d = _atleast(1, "atleast_1d"), _atleast(2, "atleast_2d")
atleast_3d = _atleast(3, "atleast_3d")


def column_stack(tensors: Sequence[Tensor], *, out: Tensor | None = None) -> Tensor:
    """Tensors side by side as columns; 1-d ones become columns first."""
    from . import hstack

    parts = [t.reshape(-1, 1) if t.dim() <= 1 else t for t in tensors]
    return hstack(parts, out=out) if out is not None else hstack(parts)


def real(input: Tensor) -> Tensor:
    """The real part: a view of a complex tensor, a real one itself."""
    return (
        _C.places["functions."]["view_as_real"](input).select(-1, 0) if _complex(input) else input
    )


def imag(input: Tensor) -> Tensor:
    """The imaginary part of a complex tensor, a view."""
    if not _complex(input):
        raise RuntimeError(
            f"imag is only implemented for tensors with complex dtypes, got {input.dtype}"
        )
    return _C.places["functions."]["view_as_real"](input).select(-1, 1)


def _complex(t: Tensor) -> bool:
    return t.dtype.is_complex


def _set_part(part: Any) -> Any:
    def assign(self: Tensor, value: Any) -> None:
        target = part(self)
        target.copy_(value) if isinstance(value, Tensor) else target.fill_(value)

    return assign


def _conj_transposed(self: Tensor) -> Tensor:
    """The conjugate of the tensor with its last two dimensions swapped (or, of a matrix, .H)."""
    return _adjoint(self, "mH")


def _adjoint(self: Tensor, name: str) -> Tensor:
    if self.dim() == 1:
        raise RuntimeError(
            f"tensor.{name} is only supported on matrices or batches of matrices. Got 1-D tensor."
        )
    if self.dim() == 0:
        return self
    return self.mT.conj() if _complex(self) else self.mT


def _adjoint_method(self: Tensor) -> Tensor:
    """The conjugate of a matrix, or a stack of them, with rows and columns swapped."""
    return _adjoint(self, "adjoint()")


def _matrix_conj_transposed(self: Tensor) -> Tensor:
    if self.dim() not in (0, 2):
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {self.dim()}-D tensor."
        )
    return self if self.dim() == 0 else _conj_transposed(self)


def _in_place(name: str) -> Any:
    """`x.name_(...)`: the tensor itself becomes the view."""
    become = _ops["_become"]

    def change(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return become(self, getattr(self, name)(*args, **kwargs))

    change.__name__ = change.__qualname__ = name + "_"
    change.__doc__ = f"""In-place variant of {name}: this tensor becomes the view."""
    return change


def conj(input: Tensor) -> Tensor:
    """The complex conjugate; a real tensor itself.

    >>> kagari.conj(kagari.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return _C.places["functions."]["conj_physical"](input) if _complex(input) else input


def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: conj() computes at once, there is nothing left to resolve."""
    return input


def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: negation computes at once."""
    return input


def is_conj(input: Tensor) -> bool:
    """Always False: conj() computes at once."""
    return False


def _split(self: Tensor, split_size: int | Sequence[int], dim: int = 0) -> Any:
    """kagari.split, whose second argument has another name there."""
    return split(self, split_size, dim)


def is_neg(input: Tensor) -> bool:
    """Always False: negation computes at once."""
    return False


def _install() -> None:
    Tensor.split = _split
    for name in ("narrow", "tensor_split", "hsplit", "vsplit", "dsplit", "swapaxes",
                 "swapdims", "moveaxis", "ravel", "unflatten", "broadcast_to", "unsafe_chunk",
                 "unsafe_split", "conj", "resolve_conj", "resolve_neg", "is_conj",
                 "is_neg"):  # fmt: skip
        setattr(Tensor, name, globals()[name])
    for name in ("transpose", "t", "squeeze", "unsqueeze", "swapaxes", "swapdims", "as_strided"):
        setattr(Tensor, name + "_", _in_place(name))
    Tensor.expand_as = lambda self, other: self.expand(other.shape)
    Tensor.view_as = lambda self, other: self.view(other.shape)
    Tensor.reshape_as = lambda self, other: self.reshape(other.shape)
    Tensor.real = property(real, _set_part(real), doc=real.__doc__)
    Tensor.imag = property(imag, _set_part(imag), doc=imag.__doc__)
    Tensor.mH = property(_conj_transposed, doc=_conj_transposed.__doc__)
    Tensor.H = property(_matrix_conj_transposed, doc="The conjugate transpose of a matrix.")
    Tensor.adjoint = _adjoint_method


_install()
