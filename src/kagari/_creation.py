"""Tensors from sizes and numbers: empty, zeros, ones, full, arange, linspace, eye and their kin."""

import math
from typing import Any

from . import _C
from ._C import Tensor, complex64, complex128, float64, get_default_dtype, int64
from ._C import bool as bool_
from ._layouts import only_strided, preserve_format

_ops = _C.places["ops"]
_front = _C._front  # the usual calls of a function without a frame of Python
_empty, _full, _arange = _ops["_empty"], _ops["_full"], _ops["_arange"]
_linspace, _eye, _full_like = _ops["_linspace"], _ops["_eye"], _ops["_full_like"]
_empty_strided, _empty_like = _ops["_empty_strided"], _ops["_empty_like"]

__all__ = [
    "arange", "empty", "empty_like", "empty_permuted", "empty_strided", "eye", "full", "full_like",
    "linspace", "logspace", "ones", "ones_like", "range", "scalar_tensor", "zeros", "zeros_like",
]  # fmt: skip


def _device(device: Any) -> Any:
    if device is None:
        return _C.get_default_device() if hasattr(_C, "get_default_device") else "cpu"
    return device


def _sizes(op: str, size: tuple[Any, ...]) -> Any:
    if len(size) == 1 and not isinstance(size[0], int):
        size = size[0]
        if isinstance(size, Tensor) and size.dim() == 0:
            size = (int(size),)
    try:
        return tuple(s.__index__() for s in size)
    except (AttributeError, TypeError):
        raise TypeError(
            f"{op}(): argument 'size' must be tuple of ints, but found {size!r}"
        ) from None


def _finish(made: Tensor, requires_grad: bool) -> Tensor:
    return made.requires_grad_() if requires_grad else made


def _out_dtype(out: Tensor | None, dtype: Any, op: str) -> Any:
    """The dtype to compute in: that of `out`, with which a given one has to agree."""
    if out is None:
        return dtype
    if dtype is not None and dtype != out.dtype:
        raise RuntimeError(
            f"{op}(): dtype {dtype} does not match dtype of out parameter ({out.dtype})"
        )
    return out.dtype


def _into(out: Tensor, sizes: Any, dtype: Any, op: str) -> Tensor:
    _out_dtype(out, dtype, op)
    return out if tuple(out.shape) == tuple(sizes) else out.resize_(sizes)


@_front
def empty(
    *size: Any, out: Tensor | None = None, dtype: Any = None, layout: Any = None,
    device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False, memory_format: Any = None, **named: Any,
) -> Tensor:  # fmt: skip
    """A tensor of that size with undefined values.

    >>> kagari.empty(2, 3).shape
    torch.Size([2, 3])
    """
    only_strided("empty", layout)
    sizes = _sizes("empty", size or (named.pop("size", ()),))
    if named:
        raise TypeError(f"empty() got an unexpected keyword argument '{next(iter(named))}'")
    if out is not None:
        return _finish(_into(out, sizes, dtype, "empty"), requires_grad)
    made = _empty(sizes, dtype or get_default_dtype(), _device(device))
    if memory_format not in (None, preserve_format):
        made = made.contiguous(memory_format=memory_format)
    return _finish(made, requires_grad)


def _filled(op: str, value: int) -> Any:
    def make(
        *size: Any, out: Tensor | None = None, dtype: Any = None, layout: Any = None,
        device: Any = None, requires_grad: bool = False, pin_memory: bool = False, **named: Any,
    ) -> Tensor:  # fmt: skip
        only_strided(op, layout)
        sizes = _sizes(op, size or (named.pop("size", ()),))
        if named:
            raise TypeError(f"{op}() got an unexpected keyword argument '{next(iter(named))}'")
        if out is not None:
            return _finish(_into(out, sizes, dtype, op).fill_(value), requires_grad)
        made = _full(sizes, value, dtype or get_default_dtype(), _device(device))
        return made.requires_grad_() if requires_grad else made

    make.__name__ = make.__qualname__ = op
    make.__doc__ = f"""A tensor of that size filled with {value}.

    >>> kagari.{op}(2)
    tensor([{value}., {value}.])
    """
    return _front(make)


zeros = _filled("zeros", 0)
ones = _filled("ones", 1)


@_front
def full(
    size: Any, fill_value: Any, *, out: Tensor | None = None, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A tensor of that size filled with one number, whose type decides the dtype if none is given.

    >>> kagari.full((2,), 3.5)
    tensor([3.5000, 3.5000])
    """
    only_strided("full", layout)
    sizes = _sizes("full", (size,) if not isinstance(size, int) else (size,))
    if isinstance(fill_value, Tensor):
        dtype = dtype or fill_value.dtype
        fill_value = fill_value.item()
    if out is not None:
        return _finish(_into(out, sizes, dtype, "full").fill_(fill_value), requires_grad)
    return _finish(
        _full(sizes, fill_value, dtype or _dtype_of(fill_value), _device(device)), requires_grad
    )


def _dtype_of(value: Any) -> Any:
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    if isinstance(value, complex):
        return complex128 if get_default_dtype() == float64 else complex64
    return get_default_dtype()


@_front
def empty_like(
    input: Tensor, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Undefined values in the shape, dtype, device and layout of `input`."""
    only_strided("empty_like", layout)
    made = _empty_like(input, dtype or input.dtype, device or input.device)
    if memory_format not in (None, preserve_format):
        made = made.contiguous(memory_format=memory_format)
    return _finish(made, requires_grad)


@_front
def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, memory_format: Any = None, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """One number in the shape, dtype, device and layout of `input`."""
    only_strided("full_like", layout)
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    made = _full_like(input, fill_value, dtype or input.dtype, device or input.device)
    if memory_format not in (None, preserve_format):
        made = made.contiguous(memory_format=memory_format)
    return _finish(made, requires_grad)


@_front
def zeros_like(input: Tensor, **options: Any) -> Tensor:
    """Zeros in the shape, dtype, device and layout of `input`."""
    return full_like(input, 0, **options)


@_front
def ones_like(input: Tensor, **options: Any) -> Tensor:
    """Ones in the shape, dtype, device and layout of `input`."""
    return full_like(input, 1, **options)


def scalar_tensor(s: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
                  requires_grad: bool = False, pin_memory: bool = False) -> Tensor:  # fmt: skip
    """A 0-d tensor of the default dtype, or `dtype`."""
    only_strided("scalar_tensor", layout)
    return full((), s, dtype=dtype or get_default_dtype(), device=device,
                requires_grad=requires_grad)  # fmt: skip


def empty_strided(
    size: Any, stride: Any, *, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Undefined values with these sizes and strides."""
    only_strided("empty_strided", layout)
    return _finish(
        _empty_strided(size, stride, dtype or get_default_dtype(), _device(device)), requires_grad
    )


def empty_permuted(size: Any, physical_layout: Any, **options: Any) -> Tensor:
    """Undefined values, dense, with the dimensions in memory in the order of `physical_layout`."""
    if sorted(physical_layout) != [*_range(len(size))]:
        raise RuntimeError(
            f"empty_permuted: Number of dimensions in size does not match the length of the "
            f"physical_layout, or it is no permutation: got {size} and {physical_layout}"
        )
    stride, step = [0] * len(size), 1
    for d in reversed(physical_layout):
        stride[d] = step
        step *= max(size[d], 1)
    return empty_strided(size, stride, **options)


_range = range


@_front
def arange(
    start: Any, end: Any = None, step: Any = 1, *, out: Tensor | None = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers from `start` (0 if only one is given) up to but without `end`, in steps of `step`.

    >>> kagari.arange(3)
    tensor([0, 1, 2])
    """
    only_strided("arange", layout)
    if end is None:
        start, end = 0, start
    values = [v.item() if isinstance(v, Tensor) else v for v in (start, end, step)]
    dtype = _out_dtype(out, dtype, "arange")
    if dtype is None:
        whole = all(isinstance(v, int) or hasattr(v, "__index__") for v in values)
        dtype = int64 if whole else get_default_dtype()
    made = _arange(*values, dtype, _device(device))
    if out is not None:
        return _into(out, made.shape, None, "arange").copy_(made)
    return _finish(made, requires_grad)


def range(start: Any, end: Any = None, step: Any = 1, **options: Any) -> Tensor:
    """As arange, with `end` included; floating point unless `dtype` says otherwise."""
    if end is None:
        start, end = 0, start
    options.setdefault("dtype", None)
    dtype = options.pop("dtype") or get_default_dtype()
    count = math.floor((end - start) / step) + 1
    return (arange(count, dtype=float64, **options) * step + start).to(dtype)


@_front
def linspace(
    start: Any, end: Any, steps: int, *, out: Tensor | None = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """`steps` numbers at equal distances from `start` to `end`, both included.

    >>> kagari.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    only_strided("linspace", layout)
    ends = [v.item() if isinstance(v, Tensor) else v for v in (start, end)]
    dtype = _out_dtype(out, dtype, "linspace")
    if dtype is None:
        dtype = _dtype_of(0j if any(isinstance(v, complex) for v in ends) else 0.0)
    made = _linspace(*ends, steps, dtype, _device(device))
    if out is not None:
        return _into(out, made.shape, None, "linspace").copy_(made)
    return _finish(made, requires_grad)


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, **options: Any) -> Tensor:
    """`base` raised to `steps` numbers at equal distances from `start` to `end`."""
    requires_grad = options.pop("requires_grad", False)
    out = options.pop("out", None)
    dtype = _out_dtype(out, options.pop("dtype", None), "logspace") or get_default_dtype()
    first, last = (v.item() if isinstance(v, Tensor) else v for v in (start, end))
    if dtype == bool_:
        raise NotImplementedError("logspace: not implemented for bool")
    if not (dtype.is_floating_point or dtype.is_complex):
        # the ends have the dtype of the result
        first, last = math.trunc(first), math.trunc(last)
    wide = complex128 if dtype.is_complex else float64
    exponents = linspace(first, last, steps, dtype=wide, **options)
    made = _C.places["functions."]["pow"](base, exponents).to(dtype)
    if out is not None:
        return _into(out, made.shape, None, "logspace").copy_(made)
    return _finish(made, requires_grad)


def eye(
    n: int, m: int | None = None, *, out: Tensor | None = None, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A matrix with ones on the diagonal and zeros elsewhere, (n, m) or (n, n).

    >>> kagari.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    only_strided("eye", layout)
    made = _eye(n, n if m is None else m, dtype or get_default_dtype(), _device(device))
    if out is not None:
        return _into(out, made.shape, dtype, "eye").copy_(made)
    return _finish(made, requires_grad)


def _fill_(self: Tensor, value: Any) -> Tensor:
    """Fill this tensor with one number (or a 0-d tensor, whose gradient is then kept)."""
    if isinstance(value, Tensor):
        if value.dim() != 0:
            raise RuntimeError(
                f"fill_: only supports 0-dimension value tensor but got tensor with {value.dim()} "
                "dimensions."
            )
        return self.copy_(value)
    return _ops["_fill_"](self, value)


def new_full(self: Tensor, size: Any, fill_value: Any, **options: Any) -> Tensor:
    """One number in a new tensor with this one's dtype and device."""
    options["dtype"] = options.get("dtype") or self.dtype
    options["device"] = options.get("device") or self.device
    made = full(size, fill_value, **options)
    if not _C._intercepted():
        return made
    from .func.levels import spread_like

    return spread_like(made, self, writable=True)


def _new(name: str, value: int) -> Any:
    def make(self: Tensor, *size: Any, **options: Any) -> Tensor:
        sizes = _sizes("new", size or (options.pop("size", ()),))
        return new_full(self, sizes, value, **options)

    make.__name__ = name
    return _front(make)


def _install() -> None:
    Tensor.fill_ = _fill_
    Tensor.new_full = _front(new_full)
    Tensor.new_zeros = _new("new_zeros", 0)
    Tensor.new_empty = _new("new_empty", 0)
    Tensor.new_ones = _new("new_ones", 1)
    Tensor.new_empty_strided = lambda self, size, stride, **o: empty_strided(
        size, stride, **{"dtype": self.dtype, "device": self.device, **o}
    )


_install()
