"""vmap beside a loop, on the arguments that PyTorch's op database has for an op."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import torch

import kagari

SAMPLES = 2  # in a batch
# names of the database whose function here is another than the name says, or takes a file
ELSEWHERE = {"special.": "special", "linalg.": "linalg", "fft.": "fft"}


@cache
def database() -> dict[str, list[Any]]:
    """name -> its entries (one per variant)."""
    from torch.testing._internal.common_methods_invocations import op_db

    found: dict[str, list[Any]] = {}
    for entry in op_db:
        found.setdefault(entry.name, []).append(entry)
    return found


def function_named(name: str) -> Any:
    """The function of kagari that has this name in the database, or None."""
    place: Any = kagari
    for part in name.split("."):
        place = getattr(place, part, None)
    return place or getattr(kagari.Tensor, name, None)


def ours(value: Any) -> Any:
    """Arguments of PyTorch's as kagari's."""
    if isinstance(value, torch.Tensor):
        return kagari.from_numpy(np.array(value.detach().resolve_conj().resolve_neg().numpy()))
    if isinstance(value, torch.dtype):
        return getattr(kagari, str(value).removeprefix("torch."))
    if isinstance(value, torch.device):
        return str(value)
    if isinstance(value, torch.Size):
        return tuple(value)
    if isinstance(value, (list, tuple)):
        return type(value)(ours(v) for v in value)
    if isinstance(value, dict):
        return {k: ours(v) for k, v in value.items()}
    return value


def samples_of(name: str, dtype: torch.dtype, most: int) -> Iterator[tuple[Any, list[Any], dict]]:
    """(function, arguments, keyword arguments), at most `most` for each variant."""
    function = function_named(name)
    if function is None:
        return
    for entry in database()[name]:
        if dtype not in entry.supported_dtypes("cpu"):
            continue
        torch.manual_seed(0)
        for count, sample in enumerate(entry.sample_inputs("cpu", dtype)):
            if count >= most:
                break
            try:
                args = [ours(a) for a in (sample.input, *sample.args)]
                kwargs = ours(sample.kwargs)
            except (TypeError, AttributeError, RuntimeError, ValueError):
                continue
            yield function, args, kwargs


class Leaves:
    """The tensors of (args, kwargs), which a batched call replaces."""

    def __init__(self, args: Any, kwargs: Any) -> None:
        self.tree = (args, kwargs)
        self.tensors: list[Any] = []
        self._visit(self.tree, self.tensors.append)

    def _visit(self, tree: Any, see: Any) -> None:
        if isinstance(tree, kagari.Tensor):
            see(tree)
        elif isinstance(tree, (list, tuple)):
            for part in tree:
                self._visit(part, see)
        elif isinstance(tree, dict):
            for part in tree.values():
                self._visit(part, see)

    def call(self, function: Any, tensors: Any) -> Any:
        rest = iter(tensors)

        def build(tree: Any) -> Any:
            if isinstance(tree, kagari.Tensor):
                return next(rest)
            if isinstance(tree, (list, tuple)):
                parts = [build(part) for part in tree]
                return type(tree)(parts)
            if isinstance(tree, dict):
                return {key: build(part) for key, part in tree.items()}
            return tree

        args, kwargs = build(self.tree)
        return function(*args, **kwargs)


def variants(tensor: Any) -> list[Any]:
    """SAMPLES tensors that an op accepts where it accepts `tensor`, with other values."""
    out = [tensor]
    for i in range(1, SAMPLES):
        if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
            out.append(tensor * (1 - 0.25 * i))
        else:
            out.append(tensor.reshape(-1).roll(i).reshape(tensor.shape))
    return out


def patterns(count: int) -> list[list[int | None]]:
    """in_dims for `count` tensors: all, from the other side, each alone."""
    found: list[list[int | None]] = [[0] * count, [-1] * count]
    if count > 1:
        found += [[0 if i == j else None for i in range(count)] for j in range(count)]
    return found


def flat(result: Any) -> list[Any]:
    """The tensors in a result."""
    if isinstance(result, kagari.Tensor):
        return [result]
    if isinstance(result, (list, tuple)):
        return [t for part in result for t in flat(part)]
    return []


def batched(function: Any, leaves: Leaves, dims: list[int | None]) -> tuple[list[Any], list[Any]]:
    """(by vmap, by a loop) of the flattened results."""
    options = [variants(t) for t in leaves.tensors]
    looped = []
    for i in range(SAMPLES):
        chosen = [o[0 if d is None else i] for o, d in zip(options, dims, strict=True)]
        looped.append(flat(leaves.call(function, [t.clone() for t in chosen])))
    expected = [kagari.stack(parts) for parts in zip(*looped, strict=True)]
    given = [
        o[0].clone() if d is None else kagari.stack(o, d)
        for o, d in zip(options, dims, strict=True)
    ]
    call = kagari.vmap(lambda *tensors: flat(leaves.call(function, tensors)), in_dims=tuple(dims))
    return call(*given), expected
