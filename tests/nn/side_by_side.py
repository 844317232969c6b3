"""A module of kagari and the same of PyTorch: the same parameters and inputs, results compared."""

from typing import Any

import numpy as np
import torch

import kagari


def to_kagari(value: Any) -> Any:
    """Tensors of PyTorch as tensors of kagari, also in containers; devices and dtypes by name."""
    if isinstance(value, torch.Tensor):
        made = kagari.from_numpy(value.detach().numpy().copy())
        return made.requires_grad_() if value.requires_grad else made
    if isinstance(value, (list, tuple)):
        return type(value)(to_kagari(part) for part in value)
    if isinstance(value, dict):
        return {name: to_kagari(part) for name, part in value.items()}
    if isinstance(value, torch.dtype):
        return getattr(kagari, str(value).removeprefix("torch."))
    return value


def to_numpy(value: Any) -> np.ndarray:
    return value.detach().numpy()


def leaves(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def assert_same(ours: Any, theirs: Any, rtol: float = 1e-9, atol: float = 1e-9) -> None:
    """Equal shapes, dtypes and values, leaf by leaf."""
    mine, other = leaves(ours), leaves(theirs)
    assert len(mine) == len(other)
    for a, b in zip(mine, other, strict=True):
        if not isinstance(b, torch.Tensor):
            assert a == b
            continue
        assert tuple(a.shape) == tuple(b.shape)
        assert str(a.dtype) == str(b.dtype)
        np.testing.assert_allclose(to_numpy(a), to_numpy(b), rtol=rtol, atol=atol)


def twins(name: str, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """The module of that name in both libraries, in float64, with equal parameters."""
    theirs = getattr(torch.nn, name)(*args, **kwargs).double()
    ours = getattr(kagari.nn, name)(*to_kagari(args), **to_kagari(kwargs)).double()
    ours.load_state_dict(to_kagari(dict(theirs.state_dict())))
    return ours, theirs


def scalar(result: Any) -> Any:
    """A number that depends on every element of every floating result, unevenly."""
    total = 0
    for leaf in leaves(result):
        if leaf is not None and leaf.is_floating_point():
            total = total + (leaf * leaf).sum() + leaf.sum() * 0.5
    return total


def compare(
    ours: Any, theirs: Any, *inputs: Any, backward: bool = True, options: Any = None
) -> None:
    """The same results, gradients of inputs and parameters, and buffers."""
    mine, other = to_kagari(inputs), inputs
    a, b = ours(*mine, **to_kagari(options or {})), theirs(*other, **(options or {}))
    assert_same(a, b)
    if backward and any(leaf is not None and leaf.requires_grad for leaf in leaves(b)):
        scalar(a).backward()
        scalar(b).backward()
        wanted = [*zip(mine, other, strict=True), *zip(ours.parameters(), theirs.parameters())]
        for x, y in wanted:
            if isinstance(y, torch.Tensor) and y.grad is not None:
                assert_same(x.grad, y.grad, rtol=1e-7, atol=1e-8)
                x.grad = y.grad = None
    for (name, x), (other_name, y) in zip(
        ours.named_buffers(), theirs.named_buffers(), strict=True
    ):
        assert name == other_name
        assert_same(x, y)
