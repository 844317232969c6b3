"""torch.library: ops of one's own, from Python functions. See registry.py for what an op is.

>>> import kagari
>>> @custom_op("demo::twice", mutates_args=())
... def twice(x: kagari.Tensor) -> kagari.Tensor:
...     return x * 2
>>> kagari.ops.demo.twice(kagari.ones(2))
tensor([2., 2.])
"""

from collections.abc import Callable, Iterable
from typing import Any

from .registry import CustomOp, define_op, find_op, namespaces
from .schema import infer_schema as infer_schema

__all__ = [
    "CustomOpDef", "Library", "custom_op", "define", "impl", "infer_schema", "register_autograd",
    "register_fake", "register_kernel",
]  # fmt: skip


class CustomOpDef(CustomOp):
    """An op made by `custom_op`, with its registrations as methods that work as decorators."""

    def register_fake(self, fn: Callable[..., Any], /) -> Callable[..., Any]:
        """Says what it gives for meta tensors."""
        self.set("Meta", fn)
        return fn

    def register_kernel(
        self, device_types: Any, fn: Callable[..., Any] | None = None, /
    ) -> Callable[..., Any]:
        """Says what computes it on some devices."""
        return register_kernel(self, device_types, fn)

    def register_autograd(
        self,
        backward: Callable[..., Any],
        /,
        *,
        setup_context: Callable[..., Any] | None = None,
    ) -> None:
        """Gives it a derivative."""
        register_autograd(self, backward, setup_context=setup_context)


def custom_op(
    name: str,
    fn: Callable[..., Any] | None = None,
    /,
    *,
    mutates_args: str | Iterable[str],
    device_types: str | list[str] | None = None,
    schema: str | None = None,
    tags: Any = None,
) -> Any:
    """Makes an op "namespace::name" of a function, which then runs below autograd.

    Args:
        mutates_args: names of the tensors it writes to.
        schema: "(Tensor x) -> Tensor"; if None, read from the annotations.
    """

    def make(function: Callable[..., Any]) -> CustomOpDef:
        text = schema or infer_schema(function, mutates_args=mutates_args)
        made = define_op(name, text)
        made.__class__ = CustomOpDef
        for key in [device_types] if isinstance(device_types, str) else device_types or ["cpu"]:
            made.set(key, function)
        return made  # type: ignore[return-value]

    return make if fn is None else make(fn)


def define(qualname: str, schema: str, *, lib: Any = None, tags: Any = ()) -> None:
    """Makes an op without functions.

    >>> define("demo::thrice", "(Tensor x) -> Tensor")
    """
    define_op(qualname, schema)


def impl(
    qualname: str, types: str | Iterable[str], func: Callable[..., Any] | None = None, *,
    lib: Any = None,
) -> Any:  # fmt: skip
    """Says what computes an op for device types or dispatch keys; a decorator without `func`."""
    return register_kernel(qualname, types, func)


def register_kernel(
    op: Any, device_types: Any, func: Callable[..., Any] | None = None, /, *, lib: Any = None
) -> Any:
    """Says what computes an op on some devices; a decorator without `func`."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        found = find_op(op, "register_kernel")
        keys = [device_types] if isinstance(device_types, str) else device_types or ["cpu"]
        for key in keys:
            found.set(key, function)
        return function

    return register if func is None else register(func)


def register_fake(
    op: Any, func: Callable[..., Any] | None = None, /, *, lib: Any = None,
    _stacklevel: int = 1, allow_override: bool = False,
) -> Any:  # fmt: skip
    """Says what an op gives for meta tensors; a decorator without `func`."""
    return register_kernel(op, "Meta", func)


def register_autograd(
    op: Any, backward: Callable[..., Any], /, *,
    setup_context: Callable[..., Any] | None = None, lib: Any = None,
) -> None:  # fmt: skip
    """Gives an op a derivative: `backward(ctx, *grads)` gives one gradient for each input, from
    what `setup_context(ctx, inputs, output)` kept."""
    found = find_op(op, "register_autograd")
    found.backward, found.setup_context = backward, setup_context


class Library:
    """Defines and computes the ops of one namespace.

    >>> lib = Library("demo", "FRAGMENT")
    >>> lib.define("half(Tensor x) -> Tensor")
    'demo::half'
    >>> lib.impl("half", lambda x: x / 2, "CPU")
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        if kind not in ("DEF", "IMPL", "FRAGMENT"):
            raise ValueError(f"Library: kind: expected DEF, IMPL or FRAGMENT, got {kind!r}")
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key
        self._made: list[str] = []

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Makes an op of "name(Tensor x) -> Tensor"; gives its full name."""
        name = schema[: schema.index("(")].strip()
        self._made.append(define_op(f"{self.ns}::{name}", schema).name)
        return f"{self.ns}::{name}"

    def impl(
        self, op_name: Any, fn: Callable[..., Any], dispatch_key: str = "", *,
        with_keyset: bool = False, allow_override: bool = False,
    ) -> None:  # fmt: skip
        """Says what computes an op for a dispatch key."""
        if isinstance(op_name, str) and "::" not in op_name:
            op_name = f"{self.ns}::{op_name}"
        find_op(op_name, "Library.impl").set(dispatch_key or self.dispatch_key, fn)

    def _destroy(self) -> None:
        for name in self._made:
            namespaces.get(self.ns, {}).pop(name, None)
