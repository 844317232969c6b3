"""Functions computed block by block, so that what lies between input and result never exists whole.

The forward pass keeps the inputs alone; the backward pass computes each block again, with a
history this time, and differentiates it before it turns to the next.
"""

from collections.abc import Callable, Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari.autograd.modes import differentiating

Block = Callable[..., Tensor]  # (number of the block, *tensors): its part of the result
# (number of the block, its gradient, tensors, totals): adds to the totals that are not None
Rule = Callable[[int, Tensor, Sequence[Any], Sequence[Any]], None]


class _Blockwise(kagari.autograd.Function):
    _transposable = True

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any, block: Block, count: int, join: Any, part: Any, rule: Rule | None, *tensors: Any
    ) -> Tensor:
        ctx.block, ctx.count, ctx.part, ctx.rule = block, count, part, rule
        ctx.save_for_backward(*tensors)
        return join([block(i, *tensors) for i in range(count)])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:  # type: ignore[override]
        # the gradient will be differentiated in its turn
        again = kagari.is_grad_enabled() or kagari._C._intercepted()
        tensors, needs = ctx.saved_tensors, ctx.needs_input_grad[5:]
        totals: list[Tensor | None] = [None] * len(tensors)
        if ctx.rule is not None and not again:
            totals = [
                kagari.zeros(t.shape, dtype=t.dtype) if needed else None
                for t, needed in zip(tensors, needs, strict=True)
            ]
            for i in range(ctx.count):
                ctx.rule(i, ctx.part(grad, i), tensors, totals)
            return (None, None, None, None, None, *totals)
        for i in range(ctx.count):
            with kagari.enable_grad():
                inputs = [
                    _separate(t, again, needed) for t, needed in zip(tensors, needs, strict=True)
                ]
                made = ctx.block(i, *inputs)
            wanted = [
                t for t, needed in zip(inputs, needs, strict=True) if needed and t is not None
            ]
            found = iter(
                kagari.autograd.grad(
                    made, wanted, ctx.part(grad, i), create_graph=again, allow_unused=True
                )
            )
            for j, needed in enumerate(needs):
                gradient = next(found) if needed else None
                if gradient is not None:
                    before = totals[j]
                    totals[j] = gradient if before is None else before + gradient
        return (None, None, None, None, None, *totals)


def _separate(t: Tensor | None, again: bool, needed: bool) -> Tensor | None:
    """The tensor without what other inputs have to do with it; a leaf where that is enough."""
    if t is None or not needed:
        return t
    return t.view_as(t) if again else t.detach().requires_grad_()


def blockwise(
    block: Block, count: int, join: Callable[[Sequence[Tensor]], Tensor],
    part: Callable[[Tensor, int], Tensor], tensors: Sequence[Tensor | None],
    rule: Rule | None = None,
) -> Tensor:  # fmt: skip
    """`join` of the results of `count` blocks; differentiable to any order.

    Args:
        block: called with the number of a block and all tensors; called again for gradients, so it
            must give the same each time.
        part: what of the result's gradient belongs to a block.
        rule: the gradients of a block where they need no history of their own; without it each
            block is computed again and differentiated.
    """
    if differentiating(*tensors):
        return _Blockwise.apply(block, count, join, part, rule, *tensors)
    return join([block(i, *tensors) for i in range(count)])
