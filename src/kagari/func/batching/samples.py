"""One running vmap, and the table of batching rules that its ops go through.

A rule is `rule(samples, op, *args)`, called outside its level with the op's arguments as they came;
it returns tensors with all samples along dimension 0. Elementwise ops have one rule for all of
them, in the core (csrc/ops/vmap.cpp).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import kagari
from kagari import _C
from kagari._C import Tensor

from .. import levels

Rule = Callable[..., Any]
RULES: dict[str, Rule | None] = {}
WATCHED: list[str] = []  # ops whose rule is asked even if no argument is batched


class AsIs:
    """Around a result that is not to be wrapped: it is the same for all samples, or is batched."""

    def __init__(self, value: Tensor) -> None:
        self.value = value


def rule(*names: str, watched: bool = False) -> Callable[[Rule], Rule]:
    """Decorator: the batching rule of these ops."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        if watched:
            WATCHED.extend(names)
        return function

    return register


def composite(*names: str) -> Callable[[Rule], Rule]:
    """Decorator: `function(*args)`, in terms of ops that have rules, seen as one sample."""

    def register(function: Rule) -> Rule:
        def run(samples: "Samples", op: Any, *args: Any) -> Any:
            with samples.running():
                result = function(*args)
            parts = result if isinstance(result, tuple) else (result,)
            return tuple(AsIs(part) for part in parts)

        rule(*names)(run)
        return function

    return register


class Samples:
    """A vmap that is running: its level, how many samples, and what random ops may do."""

    def __init__(self, level: int, size: int, randomness: str) -> None:
        self.level, self.size, self.randomness = level, size, randomness
        self.tangents_only = False  # nothing but tangents of forward mode differs among the samples

    @contextmanager
    def running(self) -> Iterator[None]:
        """Within the block ops are batched."""
        _C._push_vmap(self.level, self._call, WATCHED)
        try:
            yield
        finally:
            _C._pop_interceptor()

    # --- what rules ask -------------------------------------------------------------------------

    def has(self, x: Any) -> bool:
        """Has this level batched `x`?"""
        return isinstance(x, Tensor) and levels.level_of(x) == self.level

    def peek(self, x: Tensor) -> Tensor:
        """All samples along dimension 0 if `x` is batched, else `x`."""
        return _C._batch_of(x)[0] if self.has(x) else x

    def front(self, x: Tensor, rank: int | None = None) -> Tensor:
        """All samples along dimension 0, those of an unbatched tensor being the same; with `rank`,
        dimensions of size 1 behind it until a sample has that many."""
        if self.has(x):
            x = _C._batch_of(x)[0]
        else:
            x = x.unsqueeze(0).expand(self.size, *x.shape)
        return x if rank is None else ranked(x, rank)

    def iota(self, rank: int) -> Tensor:
        """The numbers of the samples, shaped to broadcast against samples of `rank`."""
        return kagari.arange(self.size).reshape(self.size, *[1] * rank)

    def written(self, x: Any, op: Any) -> Tensor:
        """All samples of a tensor that is written to; an error if it has no room for them."""
        if not self.has(x):
            raise RuntimeError(
                f"vmap: inplace arithmetic(self, *extra_args) is not possible because there exists "
                f"a Tensor `other` in extra_args that has more elements than `self`: {op.name} "
                "would write a value per sample into a tensor that all samples share. Use the "
                "out-of-place variant, or make the tensor inside vmap from one that is batched "
                "(new_zeros, zeros_like)"
            )
        return self.peek(x)

    # --- calling rules --------------------------------------------------------------------------

    def _call(self, op: Any, boxed: Any) -> Any:
        if op.name not in RULES:
            if op.made_of_ops:
                return None  # the body runs on the batched tensors
            raise NotImplementedError(
                f"vmap: {op.name} has no batching rule. Write the function with other ops, or call "
                f"{op.name} outside vmap on all samples at once"
            )
        result = RULES[op.name](self, op, *boxed)
        if isinstance(result, tuple):
            return [self._wrapped(part) for part in result]
        return [self._wrapped(result)]

    def _wrapped(self, result: Any) -> Any:
        if isinstance(result, AsIs):
            return result.value
        if isinstance(result, list):
            return [self._wrapped(part) for part in result]
        return result if result is None else _C._make_batched(result, self.level)


def ranked(x: Tensor, rank: int) -> Tensor:
    """`x`, all samples along dimension 0, with samples of at least `rank` dimensions."""
    missing = rank - (x.dim() - 1)
    return x.reshape(x.shape[0], *[1] * missing, *x.shape[1:]) if missing > 0 else x


def wrapped(dim: int, rank: int) -> int:
    """`dim` of a sample, counted from the front. IndexError outside its dimensions."""
    most = max(rank, 1)
    if not -most <= dim < most:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-most}, {most - 1}], but got "
            f"{dim})"
        )
    return dim % most


def run(op: Any, *args: Any) -> Any:
    """Calls the op outside the level: one result, or a tuple of several."""
    results = tuple(op.run(list(args)))
    return results[0] if len(results) == 1 else results
