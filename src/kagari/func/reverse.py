"""Transforms by reverse-mode differentiation: grad, grad_and_value, vjp.

Each differentiates with respect to fresh aliases of its inputs, so that nested transforms never
confuse their derivatives. A result keeps its history only as far as something outside needs it.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from .. import _C, autograd
from .._C import Tensor
from ..autograd.modes import enable_grad, no_grad
from ..utils._pytree import tree_flatten, tree_leaves, tree_map, tree_map_only, tree_unflatten
from .arguments import checked_argnums, chosen, replaced, split_aux, tensors_only
from .levels import spread

_ops = _C.places["ops"]


class Level:
    """One differentiation: what it is with respect to, and what of its results outlives it."""

    def __init__(self) -> None:
        self.recording = _C.is_grad_enabled()  # outside of it
        self.own: list[Tensor] = []
        self.inputs: list[tuple[Tensor, int]] = []

    def alias(self, value: Any) -> Tensor:
        """The tensor as an input of this level."""
        if not isinstance(value, Tensor):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(value)}")
        value = spread(value)  # inside vmap a derivative per sample is one by a copy per sample
        if self.recording and value.requires_grad:
            made = spread(_ops["_alias"](value))
        else:
            with no_grad():
                made = spread(_ops["_same_memory"](value))
            self.own.append(made.requires_grad_())
        self.inputs.append((made, made._version))
        return made

    def check_unwritten(self) -> None:
        """A written alias would stand for what was written, no more for the input."""
        if any(alias._version != version for alias, version in self.inputs):
            raise RuntimeError(
                "a Variable that is differentiated by a transform is being used in an in-place "
                "operation: clone the input before writing to it"
            )

    def outlives(self, tensors: Sequence[Tensor]) -> bool:
        """Has anything outside a use for the history of these?"""
        wanted = [t for t in tensors if t.requires_grad]
        return self.recording and bool(wanted) and _C._depends_on_others(wanted, self.own)

    def release(self, tree: Any) -> Any:
        """The results as the outside sees them."""

        def outside(t: Tensor) -> Tensor:
            if not t.requires_grad or self.outlives([t]):
                return t
            with no_grad():
                return _ops["_same_memory"](t)

        return tree_map_only(Tensor, outside, tree)


def _gradients(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    starts: Sequence[Tensor] | None,
    retain_graph: bool,
    create_graph: bool,
) -> list[Tensor]:
    """As autograd.grad, for outputs that may not depend on the inputs at all: zeros then."""
    pairs = [(o, None if starts is None else starts[i]) for i, o in enumerate(outputs)]
    pairs = [(o, start) for o, start in pairs if o.requires_grad]
    if not pairs:
        return [_zeros(x) for x in inputs]
    found = autograd.grad(
        [o for o, _ in pairs],
        list(inputs),
        [start for _, start in pairs],
        retain_graph=retain_graph,
        create_graph=create_graph,
        allow_unused=True,
    )
    return [_zeros(x) if g is None else g for x, g in zip(inputs, found, strict=True)]


def _zeros(x: Tensor) -> Tensor:
    from .. import zeros_like

    return zeros_like(x.detach())


def grad_and_value(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns (gradient, value), or with `has_aux`, for a `func` that returns
    (value, aux), (gradient, (value, aux)).

    `func` returns a tensor of one element. `argnums` says with respect to which arguments, whose
    structure (tensors, or dicts, lists and tuples of them) the gradient has. RuntimeError for
    other results of `func` or argnums out of range.

    >>> kagari.func.grad_and_value(lambda x: x**2)(kagari.tensor(3.0))
    (tensor(6.), tensor(9.))
    """

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        level = Level()
        with enable_grad():
            where = checked_argnums(argnums, len(args))
            inputs = tree_map(level.alias, chosen(args, where))
            output = func(*replaced(args, where, inputs), **kwargs)
            name = "grad_and_value(f)(*args)"
            value, aux = split_aux(output, name) if has_aux else (output, None)
            if not isinstance(value, Tensor):
                raise RuntimeError(
                    f"{name}: Expected f(*args) to return a Tensor, got {type(value)}"
                )
            if value.dim() != 0:
                raise RuntimeError(
                    f"{name}: Expected f(*args) to return a scalar Tensor, got tensor with "
                    f"{value.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            level.check_unwritten()
            leaves, spec = tree_flatten(inputs)
            create = level.outlives([t for t in tree_leaves((value, aux)) if isinstance(t, Tensor)])
            found = _gradients([value], leaves, None, create, create)
        gradient = tree_unflatten(level.release(found), spec)
        value, aux = level.release(value), level.release(aux)
        return (gradient, (value, aux)) if has_aux else (gradient, value)

    return wrapper


def grad(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns the gradient of `func`, which returns a tensor of one element (with
    `has_aux`: (value, aux), and the result is (gradient, aux)). It may be nested to any depth.

    `argnums`: with respect to which arguments; a tuple of them gives a tuple of gradients. They
    are tensors, or dicts, lists and tuples of them. RuntimeError for other results of `func`.

    >>> kagari.func.grad(kagari.func.grad(kagari.sin))(kagari.tensor(0.0))
    tensor(-0.)
    """

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        gradient, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `func(*primals)` and a function from a cotangent of the value's structure to
    the tuple of cotangents of the primals: (value, vjp_fn), with `has_aux` (value, vjp_fn, aux).

    Primals are tensors, or dicts, lists and tuples of them. RuntimeError where `func` returns
    anything but tensors.

    >>> value, pull_back = kagari.func.vjp(kagari.sin, kagari.zeros(2))
    >>> pull_back(kagari.ones(2))
    (tensor([1., 1.]),)
    """
    level = Level()
    with enable_grad():
        inputs = tree_map(level.alias, primals)
        output = func(*inputs)
        name = "vjp(f, *primals)"
        value, aux = split_aux(output, name) if has_aux else (output, None)
        outputs, out_spec = tree_flatten(value)
        tensors_only(outputs, f"{name}: expected f(*primals) to return only tensors")
        if not outputs:
            raise RuntimeError(
                f"{name}: Expected f to be a function that has non-empty output (got output = "
                f"{value})"
            )
        level.check_unwritten()
    leaves, spec = tree_flatten(inputs)

    def vjp_fn(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        later = Level()
        later.own = level.own
        starts, given = tree_flatten(cotangents)
        if given != out_spec:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of "
                f"outputs to the function. cotangents: {given}, primal output: {out_spec}"
            )
        create = later.outlives([*outputs, *starts]) if create_graph is None else create_graph
        found = _gradients(outputs, leaves, starts, retain_graph, create)
        return tree_unflatten(later.release(found), spec)

    released = tree_unflatten(level.release(outputs), out_spec)
    return (released, vjp_fn, level.release(aux)) if has_aux else (released, vjp_fn)
