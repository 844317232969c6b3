"""The same code run on PyTorch and on kagari: values, layouts, gradients of two orders, errors."""

from collections.abc import Callable
from typing import Any

import torch

import kagari
from tests.ops.beside_torch import ours, theirs


def to_kagari(value: Any) -> Any:
    """Independent of the original; strides and requires_grad are kept."""
    if isinstance(value, torch.Tensor):
        copy = value.detach().clone(memory_format=torch.preserve_format)
        return ours(copy.requires_grad_(value.requires_grad))
    return ours(value)


def flatten(results: Any) -> list[Any]:
    if isinstance(results, (tuple, list)):
        return [part for r in results for part in flatten(r)]
    return [results]


def assert_same(got: Any, expected: Any, exact: bool = False) -> None:
    if not isinstance(expected, torch.Tensor):
        assert got == expected
        return
    got, expected = theirs(got), expected.detach()
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    if exact:
        assert torch.equal(got.isnan(), expected.isnan())
        assert torch.equal(got.nan_to_num(), expected.nan_to_num())
    else:
        torch.testing.assert_close(got, expected, equal_nan=True)


def run(function: Callable[..., Any], library: Any, arguments: Any) -> Any:
    """The result, or the exception."""
    try:
        return function(library, *arguments)
    except Exception as error:
        return error


def agree(function: Callable[..., Any], *arguments: Any, exact: bool = False) -> None:
    """`function(library, *arguments)` gives the same in both, be it values or a class of error."""
    copies = [a.clone() if isinstance(a, torch.Tensor) else a for a in arguments]
    got = run(function, kagari, [to_kagari(a) for a in arguments])
    expected = run(function, torch, copies)
    if isinstance(expected, Exception) or isinstance(got, Exception):
        assert type(got).__name__ == type(expected).__name__, f"{got!r} against {expected!r}"
        return
    for mine, other in zip(flatten(got), flatten(expected), strict=True):
        assert_same(mine, other, exact)


def gradients(
    function: Callable[..., Any], library: Any, inputs: list[Any], weights: Any, order: int
) -> Any:
    """First derivatives of the weighted outputs, then second ones of the weighted first."""

    def weighted(parts: Any, draw: int) -> Any:
        return sum((p * weights(library, p, draw + i)).sum() for i, p in enumerate(parts))

    outputs = [o for o in flatten(function(library, *inputs)) if o.requires_grad]
    wanted = [i for i in inputs if hasattr(i, "requires_grad") and i.requires_grad]
    first = library.autograd.grad(
        weighted(outputs, 0), wanted, create_graph=True, allow_unused=True
    )
    second: list[Any] = []
    chained = [g for g in first if g is not None and g.requires_grad]
    if chained and order == 2:
        second = list(library.autograd.grad(weighted(chained, 50), wanted, allow_unused=True))
    return [*first, *second]


def _weights(library: Any, like: Any, draw: int) -> Any:
    generator = torch.Generator().manual_seed(draw)
    weight = torch.randn(tuple(like.shape), generator=generator, dtype=torch.float64)
    return weight if library is torch else to_kagari(weight)


def gradients_agree(function: Callable[..., Any], *arguments: Any, order: int = 2) -> None:
    """First and, unless `order` is 1, second derivatives in the float64 arguments agree."""
    arguments = tuple(
        a.detach().clone().requires_grad_()
        if isinstance(a, torch.Tensor) and a.dtype == torch.float64
        else a
        for a in arguments
    )
    expected = gradients(function, torch, list(arguments), _weights, order)
    got = gradients(function, kagari, [to_kagari(a) for a in arguments], _weights, order)
    for mine, other in zip(got, expected, strict=True):
        if mine is None or other is None:
            rest = other if mine is None else theirs(mine)
            assert rest is None or not rest.detach().any()
        else:
            assert_same(mine, other)
