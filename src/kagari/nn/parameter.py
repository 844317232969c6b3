"""Tensors a Module registers by being assigned: Parameter, Buffer, and the kinds whose shape is
not known yet. How they are registered is left to modules/module.py."""

from typing import Any, Self

import kagari
from kagari import Tensor


class Parameter(Tensor):
    """A tensor that is a parameter of the module it is assigned to.

    Args:
        data: the tensor whose storage the parameter shares; empty when left out.
        requires_grad: whether gradients are accumulated into it.
    """

    # results of ops on parameters are plain tensors
    __torch_function__ = kagari._C._disabled_torch_function_impl

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        if data is None:
            data = kagari.empty(0)
        if type(data) is Tensor or isinstance(data, Parameter):
            return Tensor._make_subclass(cls, data, requires_grad)
        made: Any = data.detach().requires_grad_(requires_grad)
        if type(made) is not type(data):
            raise RuntimeError(
                f"Parameter(): data is a {type(data).__name__}, whose detach() returned a "
                f"{type(made).__name__}; return the same type from its __torch_function__"
            )
        made._is_param = True
        return made  # type: ignore[return-value]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if id(self) not in memo:
            data = self.detach().clone()
            memo[id(self)] = type(self)(data, self.requires_grad)
        return memo[id(self)]

    def __repr__(self) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _rebuild_parameter, (type(self), self.detach(), self.requires_grad)


def _rebuild_parameter(cls: type[Parameter], data: Tensor, requires_grad: bool) -> Parameter:
    return cls(data, requires_grad)


def is_parameter(value: Any) -> bool:
    """Whether a Module takes `value` for a parameter (also a custom tensor wrapped in one)."""
    return isinstance(value, Parameter) or (
        isinstance(value, Tensor) and getattr(value, "_is_param", False)
    )


class _BufferType(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor) and getattr(value, "_is_buffer", False)


class Buffer(metaclass=_BufferType):
    """A tensor that becomes a buffer of the module it is assigned to: a plain tensor with a mark.

    Args:
        data: the tensor whose storage the buffer shares; empty when left out.
        persistent: whether the buffer is part of the module's `state_dict`.
    """

    def __new__(  # type: ignore[misc]
        cls, data: Tensor | None = None, *, persistent: bool = True
    ) -> Any:
        made = kagari.empty(0) if data is None else data.detach()
        made = made.requires_grad_(data is not None and data.requires_grad)
        made.persistent = persistent
        made._is_buffer = True
        return made


class UninitializedTensorMixin:
    """A parameter or buffer that waits for its first input to know its shape."""

    cls_to_become: Any = None
    data: Any
    _ALLOWED = ("materialize", "detach", "clone", "dtype", "device", "is_leaf", "requires_grad")

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Give it memory of this shape; from now on it is an ordinary parameter or buffer."""
        self.data = kagari.empty(
            shape,
            device=self.data.device if device is None else device,
            dtype=self.data.dtype if dtype is None else dtype,
        )
        self.__class__ = self.cls_to_become  # type: ignore[assignment]

    @property
    def shape(self) -> Any:
        """Not known yet: raises."""
        raise RuntimeError(
            "the shape of an uninitialized parameter or buffer is not known yet; call the module "
            "once with an input, or materialize(shape)"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.requires_grad,)  # type: ignore[attr-defined]


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter without a shape until `materialize` is called, as lazy modules hold."""

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Self:
        data = kagari.empty(0, device=device, dtype=dtype)
        return Tensor._make_subclass(cls, data, requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if id(self) not in memo:
            data = self.data
            memo[id(self)] = type(self)(self.requires_grad, data.device, data.dtype)
        return memo[id(self)]


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer without a shape until `materialize` is called, as lazy modules hold."""

    cls_to_become = Tensor

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> Self:
        data = kagari.empty(0, device=device, dtype=dtype)
        made = Tensor._make_subclass(cls, data, requires_grad)
        made.persistent = persistent
        return made


def is_lazy(param: Any) -> bool:
    """Whether `param` still waits for its shape."""
    return isinstance(param, UninitializedTensorMixin)


__all__ = [
    "Buffer",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "UninitializedTensorMixin",
    "is_lazy",
]
