"""Pairs of calls, one of kagari and one of PyTorch, compared in values and derivatives."""

from collections.abc import Callable
from typing import Any

import torch

import kagari

TOLERANCE = {
    torch.float16: 2e-3, torch.bfloat16: 2e-2, torch.float32: 2e-5, torch.complex64: 2e-5,
    torch.float64: 1e-10, torch.complex128: 1e-10,
}  # fmt: skip


def ours(value: Any) -> Any:
    """The same argument for kagari: tensors keep dtype, strides and requires_grad."""
    if isinstance(value, torch.Tensor):
        tensor = kagari.from_dlpack(value.detach())
        if value.is_contiguous():
            tensor = tensor.clone()
        return tensor.requires_grad_() if value.requires_grad else tensor
    if isinstance(value, torch.dtype):
        return getattr(kagari, str(value).removeprefix("torch."))
    if isinstance(value, list | tuple):
        return type(value)(ours(item) for item in value)
    return value


def theirs(value: Any) -> Any:
    """A result of kagari as PyTorch sees it."""
    if isinstance(value, kagari.Tensor):
        return torch.from_dlpack(value.detach())
    if isinstance(value, list | tuple):
        return [theirs(item) for item in value]
    return value


def tensors_in(value: Any) -> list[Any]:
    if isinstance(value, torch.Tensor | kagari.Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in tensors_in(item)]
    return []


def close(got: Any, expected: Any, scale: float = 1.0) -> None:
    """Equal in shape and dtype, and in value within the dtype's tolerance times `scale`."""
    if isinstance(expected, list | tuple):
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            close(one, other, scale)
        return
    got = theirs(got)
    if not isinstance(expected, torch.Tensor):
        assert got == expected
        return
    tolerance = TOLERANCE.get(expected.dtype, 0.0) * scale
    size = expected.abs().max().item() if expected.numel() and tolerance else 1.0
    torch.testing.assert_close(
        got, expected.detach(), rtol=tolerance, atol=tolerance * max(1.0, size), equal_nan=True
    )


def weights(outputs: list[torch.Tensor], seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(t.shape, dtype=torch.float64, generator=generator).to(t.dtype)
        if not t.is_complex()
        else torch.randn(t.shape, dtype=t.dtype, generator=generator)
        for t in outputs
    ]


def differentiable(value: Any) -> list[Any]:
    return [t for t in tensors_in(value) if t.requires_grad]


def compare(call: Callable, *args: Any, scale: float = 1.0, order: int = 2, **kwargs: Any) -> None:
    """`call(library, *args)` gives the same values and derivatives in both libraries.

    Derivatives are compared in the direction of random weights, up to `order`.
    """
    mine, reference = ours(args), args
    got, expected = call(kagari, *mine, **ours(kwargs)), call(torch, *reference, **kwargs)
    close(got, expected, scale)
    out, out_t = differentiable(got), differentiable(expected)
    assert len(out) == len(out_t)
    inputs, inputs_t = differentiable(mine), differentiable(reference)
    seed = 0
    while order and out_t and inputs_t:
        order, seed, scale = order - 1, seed + 1, scale * 4
        directions = weights(out_t, seed)
        more = {"create_graph": order > 0, "allow_unused": True}
        grads = kagari.autograd.grad(out, inputs, ours(directions), **more)
        grads_t = torch.autograd.grad(out_t, inputs_t, directions, **more)
        for one, other in zip(grads, grads_t, strict=True):
            if other is None:
                assert one is None or not theirs(one).any()
            elif one is None:
                assert not other.any()
            else:
                close(one, other, scale)
        pairs = zip(grads, grads_t, strict=True)
        both = [(a, b) for a, b in pairs if a is not None and b is not None]
        both = [(a, b) for a, b in both if a.requires_grad and b.requires_grad]
        out, out_t = [a for a, _ in both], [b for _, b in both]


def same_error(call: Callable, *args: Any, **kwargs: Any) -> str:
    """Both libraries raise the same class of error; returns kagari's message."""
    raised = []
    for library, arguments in ((kagari, ours(args)), (torch, args)):
        try:
            call(library, *arguments, **kwargs)
        except Exception as error:  # noqa: BLE001
            raised.append(error)
        else:
            raised.append(None)
    mine, reference = raised
    assert reference is not None, "PyTorch accepts this call"
    assert mine is not None, f"no error; PyTorch says: {reference}"
    names = [c.__name__ for c in type(mine).__mro__]
    assert type(reference).__name__.lstrip("_") in names, f"{mine!r} instead of {reference!r}"
    return str(mine)
