"""Forward-mode derivatives of ops without a rule of their own (csrc/ops/forward has the others).

Backward is linear in the gradient w it starts with: V(w). Its transpose is the derivative forward:
J(t) is the gradient by w of <V(w), t>. So an op whose backward can be differentiated needs no rule.
"""

from collections.abc import Iterator
from typing import Any

from .. import _C
from .._C import Tensor, _intercepted, _set_transposed, is_grad_enabled, places
from .modes import enable_grad, no_grad, set_grad_enabled

_ops = places["ops"]


def _flat(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _flat(value)


def same_memory(t: Tensor, recorded: bool) -> Tensor:
    """A tensor with the values and the other tangents of `t`; its history only if `recorded`."""
    if recorded:
        return _ops["_same_memory"](t)
    with no_grad():
        return _ops["_same_memory"](t)


class _Aliases:
    """Arguments with fresh tensors to differentiate by where there is a tangent."""

    def __init__(self, args: list[Any], tangents: list[Any], recorded: bool) -> None:
        self.beside = list(_flat(args))  # what vmap has batched of these, it batches of all
        self.left = iter(tangents)
        self.recorded = recorded
        self.tensors: list[Tensor] = []
        self.tangents: list[Tensor] = []

    def replace(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [self.replace(v) for v in value]
        if not isinstance(value, Tensor):
            return value
        tangent = next(self.left)
        if tangent is None:
            return value
        alias = same_memory(value, self.recorded)
        if _intercepted():
            from ..func.levels import spread_like

            with set_grad_enabled(self.recorded):
                alias = spread_like(alias, *self.beside)
        if not alias.requires_grad:
            alias.requires_grad_()
        _C._share_tangents(alias, value)
        self.tensors.append(alias)
        self.tangents.append(tangent)
        return alias


def _needs_history(tensors: Any) -> bool:
    return is_grad_enabled() and any(t.requires_grad for t in _flat(tensors))


def transposed(op: Any, boxed: Any, tangents: list[Any]) -> tuple[Any, list[Any], list[Tensor]]:
    """Results of the op, their tangents, and what their graph keeps of the arguments."""
    args = list(boxed)
    recorded = _needs_history(args)
    with enable_grad():
        aliases = _Aliases(args, tangents, recorded)
        results = op.run([aliases.replace(value) for value in args])
        outputs = list(_flat(list(results)))
        create = recorded or _needs_history(aliases.tangents)
        found = transpose(op.name, outputs, aliases.tensors, aliases.tangents, create)
    if not recorded:
        results = [_without_history(r) for r in results]
    return results, found, aliases.tensors


def _without_history(result: Any) -> Any:
    if isinstance(result, (list, tuple)):
        return [_without_history(r) for r in result]
    if isinstance(result, Tensor) and result.requires_grad:
        return same_memory(result, False)
    return result


def transpose(
    name: str, outputs: list[Tensor], inputs: list[Tensor], tangents: list[Tensor], create: bool
) -> list[Any]:
    """The tangents of `outputs`, which were computed from `inputs`; None where there is none."""
    from .. import zeros_like
    from . import grad

    places = [i for i, o in enumerate(outputs) if o.requires_grad]
    chosen = [outputs[i] for i in places]
    result: list[Any] = [None] * len(outputs)
    if not chosen:
        if any(o.dtype.is_floating_point or o.dtype.is_complex for o in outputs):
            raise NotImplementedError(
                f"Trying to use forward AD with {name} that does not support it because it has no "
                "derivative."
            )
        return result
    starts = [zeros_like(o).requires_grad_() for o in chosen]
    pulled = grad(chosen, inputs, starts, create_graph=True, allow_unused=True)
    pairs = [
        (g, t.to(g.dtype))
        for g, t in zip(pulled, tangents, strict=True)
        if g is not None and g.requires_grad
    ]
    if len(pairs) < sum(g is not None for g in pulled):
        _check_zero(name, chosen, inputs)
    found: Any = [None] * len(chosen)
    if pairs:
        found = grad(
            [g for g, _ in pairs], starts, [t for _, t in pairs], None, create, allow_unused=True
        )
    for i, o, t in zip(places, chosen, found, strict=True):
        result[i] = zeros_like(o) if t is None else t
    return result


def _check_zero(name: str, outputs: list[Tensor], inputs: list[Tensor]) -> None:
    """A gradient that does not depend on what it starts with must be zero; else its rule cannot
    be differentiated."""
    from .. import ones_like
    from . import grad

    ones = [ones_like(o) for o in outputs]
    for g in grad(outputs, inputs, ones, retain_graph=True, create_graph=True, allow_unused=True):
        if g is not None and not g.requires_grad and bool(g.ne(0).any()):
            raise NotImplementedError(
                f"Trying to use forward AD with {name} that does not support it because its "
                "backward cannot be differentiated."
            )


_set_transposed(transposed)
