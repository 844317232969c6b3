"""The methods of Tensor that are written in Python: conversions, new_*, hooks, classes.

The type itself, its attributes and the methods that are ops are C++ (csrc/python). Printing,
pickling, storages and exchange with other libraries have files of their own.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import kagari
from kagari import _C, _exchange, _late, _linalg_names, _norms, _pickling, _printing, _storage
from kagari._C import Tensor
from kagari._layouts import (
    RANK_OF,
    contiguous_format,
    dim_order,
    memory_format,
    preserve_format,
    strided,
    strides_for,
)
from kagari.overrides import overridable

_ops = _C.places["ops"]


# --- what the C methods call for their cases with arguments ---------------------------------------


def _legacy_constructor(*args: Any, device: Any = None) -> Tensor:
    """Tensor(): of sizes, uninitialised; of a sequence or tensor, its values in default dtype."""
    dtype = kagari.get_default_dtype()
    if not args:
        return kagari.empty(0, dtype=dtype, device=device)
    first = args[0]
    if len(args) == 1 and isinstance(first, Tensor):
        return first.detach().to(dtype)
    if len(args) == 1 and not isinstance(first, (int, kagari.Size)):
        if isinstance(first, kagari.UntypedStorage | kagari.TypedStorage):
            return kagari.empty(0, dtype=dtype).set_(first)
        return kagari.tensor(first, dtype=dtype, device=device)
    return kagari.empty(*args, dtype=dtype, device=device)


def _clone(self: Tensor, *, memory_format: memory_format = preserve_format) -> Tensor:
    if memory_format is preserve_format:
        return _ops["_clone"](self)
    strides = strides_for(self.shape, memory_format, "clone")
    return _ops["_clone_strided"](self, strides)


def _contiguous(self: Tensor, memory_format: memory_format = contiguous_format) -> Tensor:
    if memory_format is preserve_format:
        raise RuntimeError("contiguous: preserve memory format is unsupported by the operator")
    if _is_contiguous(self, memory_format):
        return self
    return _clone(self, memory_format=memory_format)


def _is_contiguous(self: Tensor, memory_format: memory_format = contiguous_format) -> bool:
    if memory_format is contiguous_format:
        return self.is_contiguous()
    if self.dim() != RANK_OF.get(memory_format):
        return False
    wanted = strides_for(self.shape, memory_format, "is_contiguous")
    pairs = zip(self.shape, self.stride(), wanted, strict=True)
    return self.numel() == 0 or all(size == 1 or have == want for size, have, want in pairs)


def _to(
    self: Tensor,
    *args: Any,
    dtype: Any = None,
    device: Any = None,
    other: Tensor | None = None,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: memory_format = preserve_format,
) -> Tensor:
    """to(dtype), to(device, dtype), to(other); what follows are non_blocking and copy."""
    rest = list(args)
    if rest and isinstance(rest[0], Tensor):
        other = rest.pop(0)
    elif rest and isinstance(rest[0], kagari.dtype | type):
        dtype = rest.pop(0)
    elif rest:
        device = rest.pop(0)
        if rest and not isinstance(rest[0], bool):
            dtype = rest.pop(0)
    if len(rest) > 2:
        raise TypeError(f"to(): expected at most 4 positional arguments, got {len(args)}")
    if len(rest) == 2:
        copy = rest[1]
    if other is not None:
        dtype, device = other.dtype, other.device
    result = self
    if device is not None:
        result = _on_device(result, kagari.device(device))
    if dtype is not None:
        dtype = _checked_dtype(dtype, "to")
        if result.dtype is not dtype:
            result = _ops["_to_dtype"](result, dtype)
    if memory_format is not preserve_format and not _is_contiguous(result, memory_format):
        return _clone(result, memory_format=memory_format)
    return result.clone() if copy and result is self else result


def _on_device(self: Tensor, device: Any) -> Tensor:
    """The tensor itself where it is there; cpu:0 is the CPU."""
    if device == self.device or (device.type == "cpu" and self.device.type == "cpu"):
        return self
    return _ops["_to_device"](self, device)


PYTHON_DTYPES = {float: "float64", int: "int64", bool: "bool", complex: "complex128"}


def _checked_dtype(dtype: Any, op: str) -> Any:
    if isinstance(dtype, kagari.dtype):
        return dtype
    if dtype in PYTHON_DTYPES:
        return getattr(kagari, PYTHON_DTYPES[dtype])
    raise TypeError(f"{op}(): dtype: expected a dtype, got {dtype!r}")


# --- conversions ---------------------------------------------------------------------------------

CASTS = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "bfloat16": "bfloat16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "char": "int8",
    "byte": "uint8",
    "bool": "bool",
    "chalf": "complex32",
    "cfloat": "complex64",
    "cdouble": "complex128",
}


def _cast(name: str, target: str) -> Callable[..., Tensor]:
    dtype = getattr(_C, target)

    def cast(self: Tensor, memory_format: memory_format = preserve_format) -> Tensor:
        if memory_format is preserve_format:
            return self.to(dtype)
        return self.to(dtype, memory_format=memory_format)

    cast.__name__ = name
    cast.__doc__ = f"The tensor as {target}."
    return cast


def _cpu(self: Tensor, memory_format: memory_format = preserve_format) -> Tensor:
    """The tensor on the CPU."""
    if self.is_cpu and memory_format is preserve_format:
        return self
    return _to(self, "cpu", memory_format=memory_format)


def _cuda(self: Tensor, device: Any = None, non_blocking: bool = False) -> Tensor:
    """The tensor on a CUDA device."""
    if isinstance(device, int):
        device = f"cuda:{device}"
    return _to(self, device or "cuda", non_blocking=non_blocking)


TYPE_NAMES = {
    "float32": "FloatTensor",
    "float64": "DoubleTensor",
    "float16": "HalfTensor",
    "bfloat16": "BFloat16Tensor",
    "uint8": "ByteTensor",
    "int8": "CharTensor",
    "int16": "ShortTensor",
    "int32": "IntTensor",
    "int64": "LongTensor",
    "bool": "BoolTensor",
    "complex32": "ComplexHalfTensor",
    "complex64": "ComplexFloatTensor",
    "complex128": "ComplexDoubleTensor",
    "uint16": "UInt16Tensor",
    "uint32": "UInt32Tensor",
    "uint64": "UInt64Tensor",
}


def _type(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """Without an argument the name of the type, 'torch.FloatTensor'; else a conversion."""
    if dtype is None:
        place = "" if self.device.type == "cpu" else f"{self.device.type}."
        return f"torch.{place}{TYPE_NAMES[str(self.dtype).rsplit('.', 1)[-1]]}"
    if isinstance(dtype, LegacyType):
        dtype = dtype.dtype
    if isinstance(dtype, str):
        names = {cls: name for name, cls in TYPE_NAMES.items()}
        if dtype.rsplit(".", 1)[-1] not in names:
            raise ValueError(f"type(): dtype: invalid type: {dtype!r}")
        dtype = getattr(kagari, names[dtype.rsplit(".", 1)[-1]])
    return self.to(_checked_dtype(dtype, "type"))


def _type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor with the dtype and on the device of `other`."""
    return _to(self, other.device, other.dtype)


class LegacyType(type):
    """FloatTensor, LongTensor...: constructors with a dtype; isinstance asks for that dtype."""

    dtype: Any

    def __call__(cls, *args: Any, device: Any = None) -> Tensor:  # noqa: N805
        made = _legacy_constructor(*args, device=device)
        return made if made.dtype is cls.dtype else _from_legacy(cls.dtype, args, device)

    def __instancecheck__(cls, instance: Any) -> bool:  # noqa: N805
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype


def _from_legacy(dtype: Any, args: tuple[Any, ...], device: Any) -> Tensor:
    if len(args) == 1 and not isinstance(args[0], (int, kagari.Size, Tensor)):
        return kagari.tensor(args[0], dtype=dtype, device=device)
    return kagari.empty(*(args or (0,)), dtype=dtype, device=device)


def legacy_types() -> dict[str, LegacyType]:
    """The constructors named after PyTorch's old tensor types."""
    made = {}
    for name, cls in TYPE_NAMES.items():
        made[cls] = LegacyType(cls, (), {"dtype": getattr(_C, name), "__module__": "kagari"})
    return made


def _new_tensor(
    self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor from data, with dtype and device of this one."""
    made = kagari.tensor(data, dtype=dtype or self.dtype, device=device or self.device)
    return made.requires_grad_() if requires_grad else made


# --- classes and protocols -----------------------------------------------------------------------


def _as_subclass(self: Tensor, cls: type) -> Any:
    """The same memory and history as an object of a subclass."""
    return _C._alias_as(cls, self)


def _contains(self: Tensor, element: Any) -> bool:
    if isinstance(element, Tensor | int | float | complex):
        return bool((self == element).any().item())
    raise RuntimeError(
        f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}."
    )


def _reversed(self: Tensor) -> Tensor:
    return self if self.dim() == 0 else self.flip(0)


def _repr(self: Tensor, *, tensor_contents: str | None = None) -> str:
    return _printing.tensor_text(self, tensor_contents)


def _dir(self: Tensor) -> list[str]:
    return sorted({*dir(type(self)), *self.__dict__})


def _is_floating_point(self: Tensor) -> bool:
    """Is the dtype a real floating one?"""
    return self.dtype.is_floating_point


def _is_complex(self: Tensor) -> bool:
    """Is the dtype complex?"""
    return self.dtype.is_complex


def _is_signed(self: Tensor) -> bool:
    """Can the dtype hold negative numbers?"""
    return self.dtype.is_signed


def _apply(self: Tensor, function: Callable[[Any], Any]) -> Tensor:
    """Replaces each element by function(element): slow, for odd jobs on the CPU."""
    flat = [function(value) for value in _flat(self.tolist())]
    with kagari.no_grad():
        self.copy_(kagari.tensor(flat, dtype=self.dtype).reshape(self.shape))
    return self


def _map(self: Tensor, other: Tensor, function: Callable[[Any, Any], Any]) -> Tensor:
    """Replaces each element by function(element, element of `other`): slow."""
    pairs = zip(_flat(self.tolist()), _flat(other.expand(self.shape).tolist()), strict=True)
    flat = [function(a, b) for a, b in pairs]
    with kagari.no_grad():
        self.copy_(kagari.tensor(flat, dtype=self.dtype).reshape(self.shape))
    return self


def _to_dense(self: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """The tensor itself, which is dense, or in another dtype."""
    return self if dtype is None else self.to(dtype)


def _module_load(self: Tensor, other: Tensor, assign: bool = False) -> Tensor:
    """What load_state_dict makes of `other` for this parameter or buffer.

    The values in this tensor's dtype and place, or `other` as it is if `assign`.
    """
    if assign:
        return other.detach()
    return self.detach().copy_(other).detach()


def _flat(values: Any) -> Iterator[Any]:
    if not isinstance(values, list):
        yield values
        return
    for part in values:
        yield from _flat(part)


METHODS: dict[str, Any] = {
    "__repr__": _repr,
    "__format__": _printing.format_tensor,
    "__contains__": _contains,
    "__reversed__": _reversed,
    "__dir__": _dir,
    "cpu": _cpu,
    "cuda": _cuda,
    "type": _type,
    "type_as": _type_as,
    "new_tensor": _new_tensor,
    "is_floating_point": _is_floating_point,
    "is_complex": _is_complex,
    "is_signed": _is_signed,
    "apply_": _apply,
    "map_": _map,
    "const_data_ptr": lambda self: self.data_ptr(),
    "dense_dim": lambda self: self.dim(),
    "dim_order": dim_order,
    "module_load": _module_load,
    "sparse_dim": lambda self: 0,
    "to_dense": _to_dense,
    **{name: _cast(name, target) for name, target in CASTS.items()},
    **_exchange.METHODS,
    **_late.METHODS,
    **_norms.METHODS,
    **_linalg_names.METHODS,
    **_storage.METHODS,
    **_pickling.METHODS,
}


def _install() -> None:
    for name, method in METHODS.items():
        plain = callable(method) and not isinstance(method, type)
        setattr(Tensor, name, overridable(Tensor, name, method) if plain else method)
    Tensor.as_subclass = _as_subclass
    Tensor._make_subclass = staticmethod(_C._make_subclass)
    Tensor.layout = strided
    Tensor.__module__ = "kagari"


_install()
sys.modules["kagari"].__dict__.update(legacy_types() | _storage.legacy_types())
