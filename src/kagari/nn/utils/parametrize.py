"""Parameters computed from others by modules, which a ParametrizationList holds.

A parametrized module gets a class of its own, in which the parameter's name is a property.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import kagari
from kagari import Tensor

from ..modules.container import ModuleDict, ModuleList
from ..modules.module import Module
from ..parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

_cache_depth = 0
_cache: dict[tuple[int, str], Tensor] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Inside, each parametrized tensor is computed once, when it is first read.

    >>> with cached():
    ...     pass
    """
    global _cache_depth
    _cache_depth += 1
    try:
        yield
    finally:
        _cache_depth -= 1
        if not _cache_depth:
            _cache.clear()


def _register(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _write(target: Tensor, value: Tensor) -> None:
    """Other contents, maybe of another shape, for the same tensor object."""
    if target is not value:
        target.data = value.detach()


def _check_tensor(what: str, value: Any) -> None:
    if not isinstance(value, Tensor):
        raise ValueError(f"{what} must return a tensor. Got {type(value).__name__}.")


def _check_like(what: str, value: Any, dtype: kagari.dtype, shape: tuple[int, ...] | None) -> None:
    _check_tensor(what, value)
    if value.dtype != dtype:
        raise ValueError(
            f"{what} may not change the dtype of the tensor, unless the `unsafe` flag is enabled: "
            f"expected {dtype}, got {value.dtype}"
        )
    if shape is not None and tuple(value.shape) != shape:
        raise ValueError(
            f"{what} may not change the shape of the tensor, unless the `unsafe` flag is enabled: "
            f"expected {shape}, got {tuple(value.shape)}"
        )


class ParametrizationList(ModuleList):
    """The modules that are applied to one tensor, and the tensors that it is computed from:
    `original`, or `original0`, `original1`, ... where the first of the modules takes several.

    ValueError for no modules, and for modules whose `right_inverse` gives no tensors, or whose
    result has another dtype or shape than the tensor, unless they are `unsafe`.
    """

    original: Tensor
    unsafe: bool

    def __init__(
        self, modules: Sequence[Module], original: Tensor | Parameter, unsafe: bool = False
    ) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = tuple(original.shape), original.dtype
        new: Any = original
        with kagari.no_grad():
            for module in reversed(self):  # type: ignore[call-overload]
                if hasattr(module, "right_inverse"):
                    try:
                        new = module.right_inverse(new)
                    except NotImplementedError:
                        pass
        if not isinstance(new, (Tensor, Sequence)):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if isinstance(new, Tensor) else len(new)
        if isinstance(new, Tensor):
            if new.dtype != dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype: "
                    f"expected {dtype}, got {new.dtype}"
                )
            _write(original, new)
            _register(self, "original", original)
        else:
            self._register_several(new, original)
        if not unsafe:
            _check_like("A parametrization", self(), dtype, shape)

    def _register_several(self, new: Sequence[Any], original: Tensor) -> None:
        for i, part in enumerate(new):
            if not isinstance(part, Tensor):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list, "
                    f"tuple...). Got element {i} of the sequence with type {type(part).__name__}."
                )
            if isinstance(original, Parameter):
                part = Parameter(part, original.requires_grad)
            part.requires_grad_(original.requires_grad)
            _register(self, f"original{i}", part)

    def right_inverse(self, value: Tensor) -> None:
        """Give the originals the values from which the modules compute `value`.

        RuntimeError for a module without `right_inverse`, ValueError for a result that does not
        fit the originals.
        """
        with kagari.no_grad():
            new: Any = value
            for module in reversed(self):  # type: ignore[call-overload]
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement "
                        "right_inverse, so its tensor cannot be assigned to"
                    )
                new = module.right_inverse(new)
            if self.is_tensor:
                _check_tensor("`right_inverse`", new)
                if new.dtype != self.original.dtype:
                    raise ValueError(
                        "The tensor returned by `right_inverse` has dtype "
                        f"{new.dtype} while `original` has dtype {self.original.dtype}"
                    )
                _write(self.original, new)
                return
            if not isinstance(new, Sequence) or len(new) != self.ntensors:
                found = len(new) if isinstance(new, Sequence) else type(new).__name__
                raise ValueError(
                    f"'right_inverse' must return a sequence of {self.ntensors} tensors, got "
                    f"{found}"
                )
            for i, part in enumerate(new):
                original = getattr(self, f"original{i}")
                _check_tensor(f"element {i} of `right_inverse`", part)
                if part.dtype != original.dtype:
                    raise ValueError(
                        f"Tensor {i} returned by `right_inverse` has dtype {part.dtype} while "
                        f"`original{i}` has dtype {original.dtype}"
                    )
                _write(original, part)

    def forward(self) -> Tensor:
        """The tensor, computed from the originals."""
        first, *others = self
        if self.is_tensor:
            x = first(self.original)
        else:
            x = first(*(getattr(self, f"original{i}") for i in range(self.ntensors)))
        for module in others:
            x = module(x)
        return x


# ---- the class of a parametrized module ----


def _copied(self: Any, memo: dict[int, Any]) -> Any:
    """The copy has a class of its own too: what is done to one does not reach the other."""
    made = self.__new__(type_before_parametrizations(self))
    memo[id(self)] = made
    made.__setstate__(copy.deepcopy(Module.__getstate__(self), memo))
    names = list(made.parametrizations)
    _give_class(made)
    for name in names:
        _give_property(made, name)
    return made


def _not_pickled(self: Any) -> Any:
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(). See the "
        "documentation of load_state_dict"
    )


def _give_class(module: Any) -> None:
    before = module.__class__
    added: dict[str, Any] = {"__getstate__": _not_pickled}
    if not hasattr(before, "__deepcopy__"):
        added["__deepcopy__"] = _copied
    module.__class__ = type(f"Parametrized{before.__name__}", (before,), added)


def _give_property(module: Any, name: str) -> None:
    def read(self: Any) -> Tensor:
        if not _cache_depth:
            return self.parametrizations[name]()
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = self.parametrizations[name]()
        return _cache[key]

    def write(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(module.__class__, name, property(read, write))


# ---- registering and removing ----


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Compute a parameter or buffer by `parametrization` whenever it is read; returns `module`.

    The tensor moves to `module.parametrizations[tensor_name].original`. A parametrization with a
    method `right_inverse(tensor)` sets what the tensor is computed from, now and at assignments;
    it may return several tensors, which `forward` then takes. A second parametrization is applied
    to what the first gives.

    ValueError where there is no such tensor, or where dtype or shape would change and `unsafe` is
    False.

    >>> class Symmetric(kagari.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).mT
    >>> layer = register_parametrization(kagari.nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.mT).all())
    True
    """
    parametrization.train(module.training)
    owner: Any = module
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_further(getattr(module, tensor_name), parametrization)
        parametrizations = owner.parametrizations[tensor_name]
        parametrizations.append(parametrization)
        parametrizations.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        parametrizations = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _give_class(module)
            owner.parametrizations = ModuleDict()
        _give_property(module, tensor_name)
        owner.parametrizations[tensor_name] = parametrizations
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element "
            f"with name '{tensor_name}'"
        )
    return module


def _check_further(value: Tensor, parametrization: Any) -> None:
    """One parametrization more: from the tensor's space to itself, and back."""
    made = parametrization(value)
    _check_like("A parametrization", made, value.dtype, tuple(value.shape))
    if hasattr(parametrization, "right_inverse"):
        try:
            back = parametrization.right_inverse(made)
        except NotImplementedError:
            return
        _check_like("parametrization.right_inverse", back, value.dtype, tuple(value.shape))


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether the tensor is, or any tensor of the module.

    >>> is_parametrized(kagari.nn.Linear(2, 2))
    False
    """
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Make the tensor a plain one again: with its computed value, or with that of `original` where
    `leave_parametrized` is False; returns `module`.

    ValueError where it is not parametrized, or is computed from several tensors and should not stay
    as it is.

    >>> layer = register_parametrization(kagari.nn.Linear(2, 2), "weight", kagari.nn.Tanh())
    >>> remove_parametrizations(layer, "weight")
    Linear(in_features=2, out_features=2, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    owner: Any = module
    parametrizations = owner.parametrizations[tensor_name]
    if parametrizations.is_tensor:
        original = parametrizations.original
        if leave_parametrized:
            with kagari.no_grad():
                _write(original, getattr(module, tensor_name))
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del owner.parametrizations[tensor_name]
    if not is_parametrized(module):
        del owner.parametrizations
        owner.__class__ = type(module).__bases__[0]
    _register(module, tensor_name, original)
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class of the module without parametrizations.

    >>> type_before_parametrizations(kagari.nn.Linear(2, 2)).__name__
    'Linear'
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Parametrize `to_module` as `from_module` is, one tensor or all, and give it the same
    originals; returns it."""
    source: Any = from_module
    target: Any = to_module
    if is_parametrized(from_module):
        names = list(source.parametrizations) if tensor_name is None else [tensor_name]
        for name in names:
            if not hasattr(target, name):
                setattr(target, name, Parameter(getattr(source, name)))
            given = source.parametrizations[name]
            for parametrization in given:
                register_parametrization(to_module, name, parametrization)
            several = [f"original{i}" for i in range(given.ntensors)]
            for original in ["original"] if given.is_tensor else several:
                setattr(target.parametrizations[name], original, getattr(given, original))
    return to_module
