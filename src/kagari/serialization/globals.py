"""What the pickle of a checkpoint may name: dtypes, sizes, devices, and functions that make tensors
out of storages. Reading the pickle is left to interpreter.py."""

from collections import Counter, OrderedDict
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

import kagari
from kagari import _C, Tensor
from kagari.nn.parameter import Buffer, Parameter

from .interpreter import Function, LoadedStorage, StorageType, Trusted, check_key
from .names import DTYPE_OF_STORAGE, DTYPES


def _ints(values: Any, what: str) -> list[int]:
    if not isinstance(values, tuple) or any(type(value) is not int for value in values):
        raise UnpicklingError(f"load: the {what} of a tensor is no tuple of integers")
    if any(value < 0 or value >= 2**63 for value in values):
        raise UnpicklingError(f"load: the {what} of a tensor has a number out of range: {values}")
    return list(values)


def _on_storage(storage: Any, dtype: Any, offset: Any, size: Any, stride: Any) -> Tensor:
    if isinstance(storage, LoadedStorage):
        storage = storage.storage
    if not isinstance(storage, _C.UntypedStorage):
        raise UnpicklingError("load: a tensor without a storage")
    if not isinstance(dtype, kagari.dtype):
        raise UnpicklingError("load: a tensor without a dtype")
    sizes, strides = _ints(size, "size"), _ints(stride, "stride")
    (start,) = _ints((offset,), "offset")
    if len(sizes) != len(strides):
        raise UnpicklingError(f"load: a tensor with {len(sizes)} sizes and {len(strides)} strides")
    try:
        made = _C._tensor_on(storage, dtype, start, sizes, strides)
        return _with_true_bools(made) if dtype is kagari.bool else made
    except (RuntimeError, ValueError, IndexError) as error:
        raise UnpicklingError(
            f"load: a tensor of size {size}, stride {stride} and offset {offset} does not lie in "
            f"its storage of {storage.nbytes()} bytes"
        ) from error


def _with_true_bools(tensor: Tensor) -> Tensor:
    """Bytes of a bool tensor other than 0 and 1 are made 1: as bools they have no meaning."""
    if tensor.is_meta:
        return tensor
    window = (tensor.storage_offset(), list(tensor.shape), list(tensor.stride()))
    as_bytes = _C._tensor_on(_C._storage_of(tensor), kagari.uint8, *window)
    if int((as_bytes > 1).sum()):
        as_bytes.copy_(as_bytes != 0)
    return tensor


def _finished(tensor: Tensor, requires_grad: Any, metadata: Any = None) -> Tensor:
    flags = metadata if isinstance(metadata, dict) else {}
    if flags.get("conj"):
        tensor = tensor.conj_physical()
    if flags.get("neg"):
        tensor = -tensor
    return tensor.requires_grad_() if requires_grad is True else tensor


def _rebuild_v1(storage: Any, offset: Any, size: Any, stride: Any) -> Tensor:
    return _on_storage(storage, getattr(storage, "dtype", None), offset, size, stride)


def _rebuild_v2(
    storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, hooks: Any = None,
    metadata: Any = None,
) -> Tensor:  # fmt: skip
    return _finished(_rebuild_v1(storage, offset, size, stride), requires_grad, metadata)


def _rebuild_v3(
    storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, hooks: Any, dtype: Any,
    metadata: Any = None,
) -> Tensor:  # fmt: skip
    tensor = _on_storage(storage, dtype, offset, size, stride)
    return _finished(tensor, requires_grad, metadata)


def _rebuild_meta(dtype: Any, size: Any, stride: Any, requires_grad: Any) -> Tensor:
    if not isinstance(dtype, kagari.dtype):
        raise UnpicklingError("load: a tensor without a dtype")
    sizes, strides = _ints(size, "size"), _ints(stride, "stride")
    made = kagari.empty_strided(sizes, strides, dtype=dtype, device="meta")
    return made.requires_grad_() if requires_grad is True else made


def _parameter(data: Any, requires_grad: Any, hooks: Any = None) -> Parameter:
    if not isinstance(data, Tensor):
        raise UnpicklingError("load: a parameter without data")
    return Parameter(data, requires_grad is True)


def _parameter_with_state(data: Any, requires_grad: Any, hooks: Any, state: Any) -> Parameter:
    return _with_attributes(_parameter(data, requires_grad), state)


def _with_attributes(target: Any, state: Any) -> Any:
    """Plain attributes of a tensor; none may hide one of its own."""
    if state is not None and not isinstance(state, dict):
        raise UnpicklingError("load: the attributes of a tensor are no dictionary")
    for name, value in (state or {}).items():
        if not isinstance(name, str) or hasattr(type(target), name):
            raise UnpicklingError(f"load: a tensor cannot be given the attribute {name!r}")
        setattr(target, name, value)
    return target


def _from_type(function: Any, kind: Any, arguments: Any, state: Any) -> Any:
    if not isinstance(function, Function) or function.name not in _MAKERS:
        raise UnpicklingError("load: a tensor made by something that makes none")
    if not isinstance(arguments, tuple):
        raise UnpicklingError("load: the arguments of a call are no tuple")
    made = function.call(*arguments)
    if isinstance(state, dict) and state.get("_is_buffer"):
        return Buffer(made, persistent=state.get("persistent") is not False)
    if isinstance(kind, Trusted):
        made = made.as_subclass(kind.cls)
    elif not isinstance(kind, Function) or kind.name not in ("Tensor", "Parameter", "Buffer"):
        raise UnpicklingError("load: a tensor of a type that is not allowed")
    elif kind.name == "Parameter":
        made = Parameter(made, made.requires_grad)
    return _with_attributes(made, state)


def _ordered_dict(items: Any = ()) -> OrderedDict[Any, Any]:
    if not isinstance(items, (list, tuple)) or any(
        not isinstance(item, (list, tuple)) or len(item) != 2 for item in items
    ):
        raise UnpicklingError("load: an OrderedDict of something that is no list of pairs")
    for key, _ in items:
        check_key(key)
    return OrderedDict(items)


def _counter(items: Any = ()) -> Counter[Any]:
    if not isinstance(items, dict):
        raise UnpicklingError("load: a Counter of something that is no dictionary")
    return Counter(items)


def _set(kind: type) -> Callable[..., Any]:
    def make(items: Any = ()) -> Any:
        if not isinstance(items, (list, tuple)):
            raise UnpicklingError("load: a set of something that is no list")
        for item in items:
            check_key(item)
        return kind(items)

    return make


def _encoded(text: Any, encoding: Any) -> bytes:
    """How pickle writes bytes in its older protocols."""
    if not isinstance(text, str) or encoding != "latin1":
        raise UnpicklingError("load: bytes in an encoding that is not latin1")
    return text.encode("latin1")


def _bytearray(*arguments: Any) -> bytearray:
    if not arguments:
        return bytearray()
    if len(arguments) == 2:
        return bytearray(_encoded(*arguments))
    if not isinstance(arguments[0], (bytes, bytearray)):
        raise UnpicklingError("load: a bytearray of something that is no bytes")
    return bytearray(arguments[0])


def _complex(real: Any, imag: Any) -> complex:
    if not all(type(part) in (int, float) for part in (real, imag)):
        raise UnpicklingError("load: a complex number of something that is no number")
    return complex(real, imag)


def _device(kind: Any, index: Any = None) -> Any:
    return kagari.device(kind) if index is None else kagari.device(kind, index)


def _size(values: Any = ()) -> Any:
    return kagari.Size(_ints(values if not isinstance(values, list) else tuple(values), "size"))


def _layout(name: Any) -> Any:
    if name != "torch.strided":
        raise UnpicklingError(f"load: layout {name!r} is not supported")
    return getattr(kagari, "strided", name)


def _not_made(*_: Any) -> Any:
    raise UnpicklingError("load: tensors are made of storages, not by calling their type")


_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor"): _rebuild_v1,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_v2,
    ("torch._utils", "_rebuild_tensor_v3"): _rebuild_v3,
    ("torch._utils", "_rebuild_meta_tensor_no_storage"): _rebuild_meta,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter_with_state,
    ("torch._tensor", "_rebuild_from_type_v2"): _from_type,
    ("torch", "Tensor"): _not_made,
    ("torch.nn.parameter", "Parameter"): _not_made,
    ("torch.nn.parameter", "Buffer"): _not_made,
    ("torch", "device"): _device,
    ("torch", "Size"): _size,
    ("torch.serialization", "_get_layout"): _layout,
    ("collections", "OrderedDict"): _ordered_dict,
    ("collections", "Counter"): _counter,
    ("_codecs", "encode"): _encoded,
}
for _module in ("builtins", "__builtin__"):
    _FUNCTIONS[(_module, "set")] = _set(set)
    _FUNCTIONS[(_module, "frozenset")] = _set(frozenset)
    _FUNCTIONS[(_module, "bytearray")] = _bytearray
    _FUNCTIONS[(_module, "complex")] = _complex

_MAKERS = {
    "_rebuild_tensor",
    "_rebuild_tensor_v2",
    "_rebuild_tensor_v3",
    "_rebuild_meta_tensor_no_storage",
    "_rebuild_parameter",
}

_trusted: dict[str, type] = {}


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Declare classes safe: `load` may make them. Only do it for classes whose construction from
    untrusted values is harmless."""
    for entry in safe_globals:
        cls, name = entry if isinstance(entry, tuple) else (entry, None)
        _trusted[name or f"{cls.__module__}.{cls.__qualname__}"] = cls


def clear_safe_globals() -> None:
    """Take back all of `add_safe_globals`."""
    _trusted.clear()


def get_safe_globals() -> list[Any]:
    """What `add_safe_globals` was given."""
    return list(_trusted.values())


class safe_globals:
    """Declare classes safe inside a `with` block."""

    def __init__(self, safe_globals: list[Any]) -> None:
        self.classes = safe_globals

    def __enter__(self) -> None:
        self.before = dict(_trusted)
        add_safe_globals(self.classes)

    def __exit__(self, *exc: object) -> None:
        _trusted.clear()
        _trusted.update(self.before)


def trusted_types() -> set[type]:
    """The classes declared safe."""
    return set(_trusted.values())


def known(module: str, name: str) -> Any:
    """The value of one of PyTorch's globals, or None for any other name."""
    function = _FUNCTIONS.get((module, name))
    if function is not None:
        return Function(name, function)
    if module == "torch" and name in DTYPES:
        return DTYPES[name]
    if module == "torch" and name in DTYPE_OF_STORAGE:
        return StorageType(DTYPE_OF_STORAGE[name])
    if module in ("torch", "torch.storage") and name == "UntypedStorage":
        return StorageType(None)
    return None


def find(module: str, name: str) -> Any:
    """The value of a global, if a checkpoint may name it."""
    value = known(module, name)
    if value is not None:
        return value
    if f"{module}.{name}" in _trusted:
        return Trusted(_trusted[f"{module}.{name}"])
    raise UnpicklingError(
        f"load: the file names {module}.{name}, which is neither a tensor nor a plain container. "
        "If you trust where it comes from, use weights_only=False, which lets the file run any "
        f"code; or allow this one class with serialization.add_safe_globals([{name}])"
    )
