"""Custom ops: Python functions with a schema, a derivative and a shape rule, under torch.ops."""

import inspect
from collections.abc import Callable
from typing import Any

import kagari
from kagari import Tensor

from .schema import Argument, parse

# name of the namespace -> name of the op -> op
namespaces: dict[str, dict[str, "CustomOp"]] = {}

_KERNELS = {  # whose kernel a dispatch key or device type says it is
    "cpu": "cpu", "default": "cpu", "compositeexplicitautograd": "cpu",
    "compositeimplicitautograd": "composite", "": "composite", "autograd": "composite",
    "autogradcpu": "composite", "meta": "fake",
}  # fmt: skip


class CustomOp:
    """An op made of Python functions: `kernel` runs below autograd, `composite` is differentiated
    through, `fake` answers for meta tensors. Also what torch.ops.ns.name and its .default are."""

    def __init__(self, namespace: str, name: str, schema: str) -> None:
        self.namespace, self.name, self.schema = namespace, name, schema
        self.arguments, self.results = parse(schema)
        self.functions: dict[str, Callable[..., Any]] = {}
        self.backward: Callable[..., Any] | None = None
        self.setup_context: Callable[..., Any] | None = None
        self.__name__ = name
        self.__qualname__ = f"{namespace}::{name}"

    def __repr__(self) -> str:
        return f"<custom op {self.__qualname__}{self.schema}>"

    @property
    def default(self) -> "CustomOp":
        """The overload without a name: there is only that."""
        return self

    def set(self, key: str, function: Callable[..., Any]) -> None:
        """Says what computes it for a device type or dispatch key."""
        which = _KERNELS.get(key.lower())
        if which is not None:  # other devices do not exist here
            self.functions[which] = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        values = self._ordered(args, kwargs)
        if "composite" in self.functions:
            return self._run("composite", values)
        tensors = list(_tensors(values))
        if any(tensor.is_meta for tensor in tensors):
            return self._run("fake", values)
        differentiable = kagari.is_grad_enabled() and any(t.requires_grad for t in tensors)
        if not differentiable or any(argument.written for argument in self.arguments):
            with kagari.no_grad():
                return self._run("cpu", values)
        return _Recorded.apply(self, *values)

    def _run(self, which: str, values: list[Any]) -> Any:
        if which not in self.functions:
            kind = "meta" if which == "fake" else "CPU"
            raise NotImplementedError(f"{self.__qualname__}: no function for {kind} tensors is set")
        pairs = list(zip(self.arguments, values))
        keywords = {argument.name: value for argument, value in pairs if argument.keyword}
        places = [value for argument, value in pairs if not argument.keyword]
        return self.functions[which](*places, **keywords)

    def _ordered(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """All arguments in the schema's order."""
        try:
            bound = _signature(self.arguments).bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.__qualname__}{self.schema}: {error}") from None
        bound.apply_defaults()
        return list(bound.arguments.values())


def _signature(arguments: list[Argument]) -> inspect.Signature:
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature(
        [inspect.Parameter(a.name, kinds[a.keyword], default=a.default) for a in arguments]
    )


def _tensors(values: list[Any]) -> Any:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(list(value))


class _Recorded(kagari.autograd.Function):
    """A call of an op that has a derivative of its own, or none."""

    @staticmethod
    def forward(op: CustomOp, *values: Any) -> Any:
        return op._run("cpu", list(values))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.op = inputs[0]
        if ctx.op.setup_context is None:
            return
        pairs = list(zip(ctx.op.arguments, inputs[1:]))
        keywords = {argument.name: value for argument, value in pairs if argument.keyword}
        places = tuple(value for argument, value in pairs if not argument.keyword)
        given = {"keyword_only_inputs": keywords} if keywords else {}
        ctx.op.setup_context(ctx, places, output, **given)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        op = ctx.op
        if op.backward is None:
            raise RuntimeError(
                f"{op.__qualname__}: it has no derivative; give it one by register_autograd"
            )
        found = op.backward(ctx, *grads)
        found = found if isinstance(found, tuple) else (found,)
        missing = sum(argument.keyword for argument in op.arguments)
        return None, *found, *[None] * missing


def split_name(qualname: str, what: str) -> tuple[str, str]:
    """("ns", "name") of "ns::name"."""
    namespace, colons, name = qualname.partition("::")
    if not colons or not name:
        raise ValueError(f"{what}: name: expected 'namespace::name', got {qualname!r}")
    return namespace, name.removesuffix(".default")


def define_op(qualname: str, schema: str) -> CustomOp:
    """A new op; one of the same name is replaced."""
    namespace, name = split_name(qualname, "define")
    op = CustomOp(namespace, name, schema[schema.index("(") :])
    namespaces.setdefault(namespace, {})[name] = op
    return op


def find_op(op: Any, what: str) -> CustomOp:
    """The op of that name, or the op itself."""
    if isinstance(op, CustomOp):
        return op
    if not isinstance(op, str):
        raise ValueError(f"{what}: op: expected a name or a custom op, got {op!r}")
    namespace, name = split_name(op, what)
    if name not in namespaces.get(namespace, {}):
        raise RuntimeError(f"{what}: operator {op} does not exist; define it first")
    return namespaces[namespace][name]
