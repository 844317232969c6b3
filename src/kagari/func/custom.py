"""Custom autograd.Functions under vmap: by their own rule, or by one made from forward and
backward."""

from typing import Any, NamedTuple

from kagari import _C
from kagari._C import Tensor
from kagari.utils import _pytree as pytree

from . import levels
from .mapping import level


class VmapInfo(NamedTuple):
    """What a Function's vmap rule is told."""

    batch_size: int
    randomness: str


def is_batched(args: Any) -> bool:
    """Has vmap batched one of these arguments?"""
    return any(isinstance(a, Tensor) and _C._batch_of(a) is not None for a in args)


def map_function(cls: Any, args: tuple[Any, ...]) -> Any:
    """`cls.apply(*args)` for arguments that the innermost of their levels has batched."""
    from kagari.autograd.function import Function

    number = max(levels.level_of(a) for a in args if isinstance(a, Tensor))
    samples = next(s for s in levels.active() if s.level == number)
    given = [samples.peek(a) if isinstance(a, Tensor) else a for a in args]
    dims = tuple(0 if samples.has(a) else None for a in args)
    if cls.generate_vmap_rule:
        outputs, single = _C._without_levels(
            [number], lambda: _generated(cls, samples, given, dims)
        )
        wrapped = [levels.wrap(o, number) if isinstance(o, Tensor) else o for o in outputs]
        return wrapped[0] if single else tuple(wrapped)
    if cls.vmap is Function.vmap:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please "
            "override and implement the vmap staticmethod or set generate_vmap_rule=True."
        )
    info = VmapInfo(samples.size, samples.randomness)
    result, out_dims = _C._without_levels([number], lambda: cls.vmap(info, dims, *given))
    leaves, spec = pytree.tree_flatten(result)
    where = pytree._broadcast_to_and_flatten(out_dims, spec)
    if where is None:
        raise RuntimeError(
            f"{cls.__name__}.vmap: out_dims {out_dims} do not fit the structure of its outputs"
        )
    mapped = [
        leaf if dim is None else levels.wrap(leaf, number, dim % leaf.dim())
        for leaf, dim in zip(leaves, where, strict=True)
    ]
    return pytree.tree_unflatten(mapped, spec)


def _generated(cls: Any, samples: Any, given: list[Any], dims: tuple[Any, ...]) -> Any:
    """(outputs with all samples in front, is there only one) of a Function whose forward and
    backward are `cls`'s, each run under vmap."""
    from kagari.autograd.function import Function

    state: dict[str, Any] = {}

    class Mapped(Function):
        @staticmethod
        def forward(ctx: Any, *args: Any) -> Any:
            inner = cls._context()
            inner.needs_input_grad = ctx.needs_input_grad
            with level(samples.size, samples.randomness) as here:
                state["level"] = here.level
                one = _entered(here, args, dims)
                if cls.setup_context is not Function.setup_context:
                    result = cls.forward(*one)
                    cls.setup_context(inner, tuple(one), result)
                else:
                    result = cls.forward(inner, *one)
                saved = [(here.peek(t), here.has(t)) for t in inner._to_save]
                state["single"] = not isinstance(result, (tuple, list))
                parts = [result] if state["single"] else list(result)
                outs = tuple(here.front(p) if isinstance(p, Tensor) else p for p in parts)
            # what is saved and also returned must be the very object that is returned
            ctx.save_for_backward(*(t for t, _ in saved))
            ctx.set_materialize_grads(inner._materialize)
            state["batched"], state["inner"] = [b for _, b in saved], inner
            return outs

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            with level(samples.size, samples.randomness) as here:
                kept = _entered(
                    here, ctx.saved_tensors, [0 if b else None for b in state["batched"]]
                )
                one = _entered(here, grads, [None if g is None else 0 for g in grads])
                found = _backward_of(cls, state["inner"], kept, one)
                parts = list(found) if isinstance(found, tuple) else [found]
                outs = []
                for part, dim in zip(parts, dims, strict=True):
                    if isinstance(part, Tensor):
                        part = here.front(part)
                        part = part if dim == 0 else part.sum(0)  # shared by all samples
                    outs.append(part)
            return tuple(outs)

    outputs = Mapped.apply(*given)
    return outputs, state["single"]


def _entered(here: Any, args: Any, dims: Any) -> list[Any]:
    return [
        levels.wrap(a, here.level) if isinstance(a, Tensor) and d is not None else a
        for a, d in zip(args, dims, strict=True)
    ]


class _Kept:
    """Saved tensors as `ctx.saved_tensors` asks for them."""

    def __init__(self, tensors: list[Any]) -> None:
        self.tensors = tuple(tensors)

    def unpack(self) -> tuple[Any, ...]:
        return self.tensors


def _backward_of(cls: Any, ctx: Any, kept: list[Any], grads: list[Any]) -> Any:
    ctx._saved = _Kept(kept)
    try:
        return ctx._run_backward(*grads)
    finally:
        ctx._saved = None
