"""The __torch_function__ protocol: classes that replace what functions on tensors do.

Ops ask in C++ whether an argument's class overrides them (csrc/python/arguments.cpp) and come here
only if so; functions and methods written in Python ask by `overridable` or handle_torch_function.
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

import kagari
from kagari import _C
from kagari._C import Tensor

_disabled_torch_function_impl = _C._disabled_torch_function_impl


class DisableTorchFunctionSubclass:
    """Within the block no class overrides anything."""

    def __enter__(self) -> Self:
        self._before = _C._set_overrides(False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _C._set_overrides(self._before)


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Does the class of one of these override functions on tensors?"""
    return any(_C._has_override(arg) for arg in relevant_args)


def has_torch_function_unary(arg: Any) -> bool:
    """has_torch_function for one argument."""
    return _C._has_override(arg)


def has_torch_function_variadic(*args: Any) -> bool:
    """has_torch_function for arguments given one by one."""
    return has_torch_function(args)


def _overriding(args: Iterable[Any]) -> list[Any]:
    """One argument per overriding class: subclasses before their bases, else in order."""
    found: list[Any] = []
    for arg in args:
        if not _C._has_override(arg) or any(type(arg) is type(f) for f in found):
            continue
        before = next((i for i, f in enumerate(found) if issubclass(type(arg), type(f))), None)
        found.insert(len(found) if before is None else before, arg)
    return found


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """Asks the overriding classes in turn; the first answer that is not NotImplemented counts."""
    found = _overriding(relevant_args)
    types = tuple(type(arg) for arg in found)
    for arg in found:
        result = type(arg).__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    name = getattr(public_api, "__qualname__", repr(public_api))
    raise TypeError(
        f"no implementation found for '{name}' on types that implement __torch_function__: "
        f"{[t.__name__ for t in types]}"
    )


def _parts(args: Iterable[Any]) -> Iterable[Any]:
    """Arguments, and the items of lists and tuples among them."""
    for arg in args:
        if isinstance(arg, list | tuple):
            yield from _parts(arg)
        else:
            yield arg


def _dispatch(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Called by C++ for an op with an overriding argument."""
    return handle_torch_function(function, _parts([*args, *kwargs.values()]), *args, **kwargs)


def overridable(owner: type, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """A method written in Python that subclasses override through __torch_function__."""

    @functools.wraps(method)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        if type(self) is not owner and _C._has_override(self):
            return handle_torch_function(checked, (self,), self, *args, **kwargs)
        return method(self, *args, **kwargs)

    checked.__name__ = name
    checked.__qualname__ = f"{owner.__name__}.{name}"
    return checked


# --- what Tensor itself does ---------------------------------------------------------------------


@functools.cache
def get_default_nowrap_functions() -> set[Any]:
    """Functions whose results Tensor's own __torch_function__ leaves as they are."""
    names = (
        "__repr__",
        "__format__",
        "__reduce_ex__",
        "__deepcopy__",
        "untyped_storage",
        "storage",
    )
    return {getattr(Tensor, name) for name in names if hasattr(Tensor, name)}


def _convert(result: Any, cls: type) -> Any:
    if isinstance(result, Tensor) and not isinstance(result, cls):
        return _C._alias_as(cls, result)
    if isinstance(result, tuple | list):
        parts = [_convert(part, cls) for part in result]
        if hasattr(result, "_fields"):
            return type(result)(*parts)
        return type(result)(parts)
    return result


def _default_torch_function(
    cls: type, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
) -> Any:
    """Runs the function and gives tensors in its result this class."""
    if not all(issubclass(cls, t) for t in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = func(*args, **(kwargs or {}))
        if cls is Tensor or func in get_default_nowrap_functions():
            return result
        return _convert(result, cls)


Tensor.__torch_function__ = classmethod(_default_torch_function)


# --- for a block of code -------------------------------------------------------------------------


class TorchFunctionMode:
    """Within the block __torch_function__ of this object sees every op, whatever its arguments.

    Ops arrive as the core knows them: arguments in the order of the signature, defaults filled in.
    The ops that __torch_function__ itself calls go past it.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        raise NotImplementedError("TorchFunctionMode: define __torch_function__ in a subclass")

    def __enter__(self) -> Self:
        _C._push_interceptor(self._call)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _C._pop_interceptor()

    def _call(self, op: Any, boxed: Any) -> list[Any]:
        several = "-> (" in op.schema

        def func(*args: Any, **kwargs: Any) -> Any:
            given = [*args, *(kwargs[name] for name in op.parameters[len(args) :])]
            results = op.run(given)
            return tuple(results) if several else results[0]

        func.__name__ = func.__qualname__ = op.name
        args = tuple(boxed)
        types = tuple({type(arg) for arg in _parts(args) if isinstance(arg, Tensor)} - {Tensor})
        result = self.__torch_function__(func, types, args, {})
        return list(result) if several else [result]


# --- what can be overridden ----------------------------------------------------------------------


def is_tensor_like(inp: Any) -> bool:
    """A tensor, or an object of a class with __torch_function__."""
    return isinstance(inp, Tensor) or hasattr(type(inp), "__torch_function__")


def redispatch_function(
    func: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any] | None
) -> Any:
    """Calls `func` for a class that overrides it: past its own __torch_function__ once, while ops
    inside a function written in Python are seen again."""
    plain = getattr(func, "__wrapped__", None)
    if plain is not None:
        return plain(*args, **(kwargs or {}))
    with DisableTorchFunctionSubclass():
        return func(*args, **(kwargs or {}))


@functools.cache
def get_overridable_functions() -> dict[Any, list[Callable[..., Any]]]:
    """Everything that __torch_function__ sees, by the place it is found in."""
    places: dict[Any, list[Callable[..., Any]]] = {
        kagari: [f for name, f in vars(kagari).items() if name in _C.places["functions."]],
        Tensor: [
            member
            for name, member in vars(Tensor).items()
            if callable(member) and not name.startswith("_")
        ],
    }
    return places


def is_tensor_method_or_property(func: Any) -> bool:
    """Is it found on Tensor?"""
    return func in get_overridable_functions()[Tensor] or getattr(func, "__name__", "") == "__get__"


def resolve_name(f: Any) -> str | None:
    """A readable name of a function that can be overridden.

    >>> kagari.overrides.resolve_name(kagari.Tensor.add)
    'torch.Tensor.add'
    """
    for place, functions in get_overridable_functions().items():
        if f in functions:
            owner = "torch" if place is kagari else "torch.Tensor"
            return f"{owner}.{f.__name__}"
    return None


@functools.cache
def get_ignored_functions() -> set[Callable[..., Any]]:
    """Public functions that no class can override: none of their arguments is a tensor.

    >>> kagari.Tensor.as_subclass in kagari.overrides.get_ignored_functions()
    True
    >>> kagari.add in kagari.overrides.get_ignored_functions()
    False
    """
    homes = ("kagari._C", "kagari._creation", "kagari._switches", "kagari._limits", "kagari.random")
    overridable = get_overridable_functions()[kagari]
    found = {
        member
        for name, member in vars(kagari).items()
        if callable(member)
        and not name.startswith("_")
        and not name.endswith("_like")
        and getattr(member, "__module__", None) in (None, *homes)
        and member not in overridable
    }
    return found | {Tensor.as_subclass, Tensor._make_subclass, Tensor.__new__, Tensor.__dir__}


@functools.cache
def get_testing_overrides() -> dict[Callable[..., Any], Callable[..., Any]]:
    """For each op a function of the same signature that returns -1, to test classes with.

    >>> kagari.overrides.get_testing_overrides()[kagari.exp](kagari.ones(2))
    -1
    """
    found = {}
    for functions in get_overridable_functions().values():
        for function in functions:
            signature = _signature(function)
            if signature is not None:
                found[function] = _stand_in(function.__name__, signature)
    return found


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """The signature of a function; of an op, that of its first schema."""
    schemas = getattr(function, "schemas", None)
    if schemas is None:
        try:
            return inspect.signature(function)
        except (TypeError, ValueError):
            return None
    from kagari._schemas import Schema

    return Schema.parse(schemas[0]).signature()


def _stand_in(name: str, signature: inspect.Signature) -> Callable[..., Any]:
    def stand_in(*args: Any, **kwargs: Any) -> int:
        signature.bind(*args, **kwargs)
        return -1

    stand_in.__name__ = stand_in.__qualname__ = name
    stand_in.__signature__ = signature  # type: ignore[attr-defined]
    return stand_in


def wrap_torch_function(
    dispatcher: Callable[..., Iterable[Any]],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: makes a function overridable; `dispatcher` names the arguments that count."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            relevant = tuple(dispatcher(*args, **kwargs))
            if has_torch_function(relevant):
                return handle_torch_function(checked, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return checked

    return decorate
