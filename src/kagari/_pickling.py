"""Pickling and copying of tensors. The functions that rebuild them are found by name in files, also
in PyTorch's, so they keep PyTorch's names and arguments."""

import copy
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import kagari
from kagari import _C, Tensor
from kagari._storage import TypedStorage, deep_copy

# --- rebuilding --------------------------------------------------------------------------------


def _rebuild_tensor(storage: Any, storage_offset: int, size: Any, stride: Any) -> Tensor:
    if isinstance(storage, TypedStorage):
        untyped, dtype = storage._untyped_storage, storage.dtype
    else:
        untyped, dtype = storage, kagari.uint8
    return _C._tensor_on(untyped, dtype, storage_offset, list(size), list(stride))


def _rebuild_tensor_v2(
    storage: Any,
    storage_offset: int,
    size: Any,
    stride: Any,
    requires_grad: bool,
    backward_hooks: Any,
    metadata: Any = None,
) -> Tensor:
    tensor = _rebuild_tensor(storage, storage_offset, size, stride)
    if requires_grad:
        tensor.requires_grad_()
    if backward_hooks:
        tensor._backward_hooks = backward_hooks
    return tensor


def _rebuild_tensor_v3(
    storage: Any,
    storage_offset: int,
    size: Any,
    stride: Any,
    requires_grad: bool,
    backward_hooks: Any,
    dtype: Any,
    metadata: Any = None,
) -> Tensor:
    typed = TypedStorage(wrap_storage=_untyped(storage), dtype=dtype)
    return _rebuild_tensor_v2(typed, storage_offset, size, stride, requires_grad, backward_hooks)


def _untyped(storage: Any) -> Any:
    return storage._untyped_storage if isinstance(storage, TypedStorage) else storage


def _rebuild_meta_tensor_no_storage(
    dtype: Any, size: Any, stride: Any, requires_grad: bool
) -> Tensor:
    made = kagari.empty_strided(tuple(size), tuple(stride), dtype=dtype, device="meta")
    return made.requires_grad_(requires_grad)


def _rebuild_from_type_v2(
    func: Callable[..., Any], new_type: type, args: tuple[Any, ...], state: Any
) -> Any:
    made = func(*args)
    if type(made) is not new_type:
        made = made.as_subclass(new_type)
    if getattr(made.__class__, "__setstate__", Tensor.__setstate__) is not Tensor.__setstate__:
        made.__setstate__(state)
    else:
        _set_state(made, state)
    return made


def _set_state(made: Any, state: Any) -> None:
    """Attributes: a dictionary, or a pair of one with the values of __slots__."""
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    for name, value in (attributes or {}).items():
        setattr(made, name, value)
    for name, value in (slots or {}).items():
        setattr(made, name, value)


def _get_state(tensor: Tensor) -> Any:
    slots = {
        name: getattr(tensor, name)
        for cls in type(tensor).__mro__
        for name in _names_of_slots(cls)
        if hasattr(tensor, name)
    }
    attributes = tensor.__dict__
    return (attributes, slots) if slots else attributes


def _names_of_slots(cls: type) -> list[str]:
    names = cls.__dict__.get("__slots__", ())
    return [names] if isinstance(names, str) else list(names)


# --- reducing ----------------------------------------------------------------------------------


def _reduce_plain(tensor: Tensor) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    if tensor.is_meta:
        arguments = (tensor.dtype, tuple(tensor.shape), tensor.stride(), tensor.requires_grad)
        return _rebuild_meta_tensor_no_storage, arguments
    return _rebuild_tensor_v2, (
        TypedStorage(wrap_storage=_C._storage_of(tensor), dtype=tensor.dtype),
        tensor.storage_offset(),
        tuple(tensor.shape),
        tuple(tensor.stride()),
        tensor.requires_grad,
        OrderedDict(),
    )


def tensor_reduce_ex(self: Tensor, protocol: Any) -> Any:
    """Storage, window and requires_grad; of a subclass also class and attributes."""
    function, arguments = _reduce_plain(self)
    state = _get_state(self)
    if type(self) is Tensor and not state:
        return function, arguments
    return _rebuild_from_type_v2, (function, type(self), arguments, state)


def tensor_setstate(self: Tensor, state: Any) -> None:
    """Restores the attributes of a subclass."""
    _set_state(self, state)


def tensor_deepcopy(self: Tensor, memo: dict[Any, Any]) -> Tensor:
    """A leaf like this one on a copy of its storage, with copies of .grad and of attributes."""
    if id(self) in memo:
        return memo[id(self)]
    if self.grad_fn is not None:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            f"protocol, got the result of {self.grad_fn.name()}; use detach() first"
        )
    with kagari.no_grad():
        if self.is_meta:
            made = self.detach().clone()
        else:
            storage = deep_copy(_C._storage_of(self), memo)
            window = self.storage_offset(), list(self.shape), list(self.stride())
            made = _C._tensor_on(storage, self.dtype, *window)
        if type(self) is not Tensor:
            made = made.as_subclass(type(self))
        if self.requires_grad:
            made.requires_grad_()
        memo[id(self)] = made
        if self.grad is not None:
            made.grad = copy.deepcopy(self.grad, memo)
        _set_state(made, copy.deepcopy(_get_state(self), memo))
    return made


METHODS: dict[str, Any] = {
    "__reduce_ex__": tensor_reduce_ex,
    "__setstate__": tensor_setstate,
    "__deepcopy__": tensor_deepcopy,
}
