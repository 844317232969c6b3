"""The engine with several gradients at once: `autograd.grad(..., is_grads_batched=True)`."""

from collections.abc import Callable
from typing import Any

from . import levels
from .mapping import level


def run_batched(
    run: Callable[..., Any], roots: list[Any], grads: list[Any], wanted: list[Any]
) -> list[Any]:
    """`run(roots, grads, wanted)` for all of the gradients along dimension 0 of `grads`."""
    sizes = {g.shape[0] if g.dim() else 0 for g in grads if g is not None}
    if not sizes:
        raise RuntimeError("grad: is_grads_batched=True needs grad_outputs with a batch dimension")
    if len(sizes) > 1:
        raise ValueError(f"grad: grad_outputs have different numbers of gradients: {sizes}")
    with level(sizes.pop(), "error") as samples:
        each = [None if g is None else levels.wrap(g, samples.level) for g in grads]
        found = levels.run_backward(run, roots, each, wanted, "grad")
    return [None if g is None else samples.front(g) for g in found]
