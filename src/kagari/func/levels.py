"""The vmaps that are running: their levels, and how tensors enter and leave them.

A tensor that a level has batched keeps all its samples along dimension 0 of another tensor, which
may itself be batched by a level further out: an inner level always wraps an outer one.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from kagari import _C
from kagari._C import Tensor


class _Stack(threading.local):
    def __init__(self) -> None:
        self.samples: list[Any] = []  # one batching.Samples per vmap, outermost first


_stack = _Stack()


def active() -> list[Any]:
    """The vmaps of this thread, outermost first."""
    return _stack.samples


def level_of(x: Tensor) -> int:
    """The innermost level that has batched `x`; 0 for none."""
    found = _C._batch_of(x)
    return found[1] if found else 0


def wrap(x: Tensor, level: int, dim: int = 0) -> Tensor:
    """Makes dimension `dim` of `x` the samples of `level`, whichever levels have batched `x`."""
    found = _C._batch_of(x)
    if found and found[1] > level:
        return _C._make_batched(wrap(found[0], level, dim + 1), found[1])
    return _C._make_batched(x.movedim(dim, 0) if dim else x, level)


def levels_in(x: Tensor) -> set[int]:
    """All levels that have batched `x`."""
    found: set[int] = set()
    while slot := _C._batch_of(x):
        x, level = slot
        found.add(level)
    return found


def debug_unwrap(tensor: Tensor, *, recurse: bool = True) -> Tensor:
    """What a tensor inside transforms stands for: of one that vmap has batched, all samples, along
    dimension 0 (of the innermost level alone without `recurse`); any other as it is. To look at in
    a debugger: what is computed from it inside the transforms means nothing.

    >>> rows = kagari.zeros(3, 2)
    >>> kagari.vmap(lambda row: print(kagari.func.debug_unwrap(row).shape) or row)(rows).shape
    torch.Size([3, 2])
    torch.Size([3, 2])
    """
    while slot := _C._batch_of(tensor):
        tensor = slot[0]
        if not recurse:
            break
    return tensor


def unwrap(x: Tensor, levels: Sequence[int]) -> tuple[Tensor, list[int]]:
    """`x` with the samples of `levels` as leading dimensions, and which of them it had."""
    slot = _C._batch_of(x)
    if not slot:
        return x, []
    inner, had = unwrap(slot[0], levels)
    if slot[1] in levels:
        return inner, [*had, slot[1]]
    return _C._make_batched(inner.movedim(len(had), 0) if had else inner, slot[1]), had


def spread(x: Tensor) -> Tensor:
    """`x` batched by every active level, a sample each: what a derivative per sample needs."""
    wanted = {samples.level for samples in active() if not samples.tangents_only}
    return _with_samples(x, wanted - levels_in(x))


def spread_like(x: Tensor, *others: Tensor, writable: bool = False) -> Tensor:
    """`x` batched by every level that has batched one of `others`; `writable`: in memory of its
    own, so that the samples may be written to."""
    wanted = set().union(*(levels_in(other) for other in others)) - levels_in(x)
    x = _with_samples(x, wanted)
    return x.clone() if wanted and writable else x


def _with_samples(x: Tensor, missing: set[int]) -> Tensor:
    """`x` batched by these levels, too. A tangent goes along as it is: it may have the samples that
    its tensor lacked, each of which belongs to one of the copies."""
    if not missing:
        return x
    tangents = {level: _C._tangent(x, level) for is_dual, level in _C._transforms() if is_dual}
    tangents = {level: t for level, t in tangents.items() if t is not None}
    for level in tangents:
        _C._enable_dual_level(level, False)
    try:
        for samples in active():
            if samples.level in missing:
                x = wrap(x.unsqueeze(0).expand(samples.size, *x.shape), samples.level)
    finally:
        for level in tangents:
            _C._enable_dual_level(level, True)
    for level, tangent in tangents.items():
        _C._set_tangent(x, tangent, level)
    return x


def _lowered(tensors: list[Any], levels: list[int]) -> list[Any]:
    """Every tensor with one leading dimension for each of `levels`."""
    sizes = {samples.level: samples.size for samples in active()}
    out = []
    for x in tensors:
        if x is not None:
            x, had = unwrap(x, levels)
            for i, level in enumerate(levels):
                if level not in had:
                    shape = list(x.shape)
                    x = x.unsqueeze(i).expand(*shape[:i], sizes[level], *shape[i:])
        out.append(x)
    return out


def run_backward(
    run: Callable[..., Any], roots: list[Any], grads: list[Any], wanted: list[Any], name: str
) -> list[Any]:
    """`run(roots, grads, wanted)`, the engine, on what was recorded: all samples together.

    Levels that have batched a root step aside: their samples are dimensions of what was recorded.
    Those that have only batched gradients stay, and batch what the engine does with them.
    """
    levels = sorted(set().union(*(levels_in(x) for x in (*roots, *wanted))))
    if not levels:
        return list(run(roots, grads, wanted))
    for i, x in enumerate(wanted):
        if missing := set().union(*(levels_in(r) for r in roots)) - levels_in(x):
            raise RuntimeError(
                f"{name}: input {i} is the same for all samples of vmap level {min(missing)}, so "
                "its gradient would be the sum over them; differentiate with torch.func.grad or "
                "vjp inside vmap, which differentiate with respect to a copy per sample"
            )
    if not grads or any(g is None for g in grads):
        grads = [_default_grad(r, g) for r, g in zip(roots, grads or [None] * len(roots))]

    def lowered() -> list[Any]:
        given = (_lowered(part, levels) for part in (roots, grads, wanted))
        return list(run(*given))

    found = _C._without_levels(levels, lowered)
    for i, g in enumerate(found):
        for position in reversed(range(len(levels))):
            if g is not None:
                g = wrap(g, levels[position], position)
        found[i] = g
    return found


def _default_grad(root: Tensor, grad: Tensor | None) -> Tensor:
    if grad is not None:
        return grad
    if root.numel() != 1:
        raise RuntimeError(
            "grad: grad can be implicitly created only for scalar outputs, got a tensor of shape "
            f"{list(root.shape)}; pass grad_outputs"
        )
    import kagari

    return kagari.ones_like(root)
