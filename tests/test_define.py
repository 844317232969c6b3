"""An op defined while the program runs: its kernel, derivatives, meta shape, promotion and PTX."""

import pytest
import torch

import kagari
from kagari.kernels import define as definitions
from kagari.kernels import expr as e
from kagari.kernels import kernel
from kagari.kernels.lowering import ptx


@pytest.fixture(scope="module")
def bump():
    """x / (1 + x^2), scaled: smooth, with every derivative."""

    @kagari.define.pointwise(promote="float")
    def bump(input, *, scale=1.0):
        """input / (1 + input^2), times a scale."""
        return input / (input * input + 1) * scale

    yield bump
    del definitions.registry["bump"]


def reference(x, scale=1.0):
    return x / (x * x + 1) * scale


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_its_kernel(bump, dtype):
    data = torch.linspace(-3, 3, 37, dtype=getattr(torch, dtype))
    x = kagari.tensor(data.tolist(), dtype=getattr(kagari, dtype))
    for scale in (1.0, 2.5):
        got = bump(x, scale=scale)
        want = reference(data.double(), scale)
        tolerance = {"float32": 1e-6, "float64": 1e-14, "bfloat16": 2e-2}[dtype]
        assert got.dtype == x.dtype
        torch.testing.assert_close(
            torch.tensor(got.tolist(), dtype=torch.float64), want, rtol=tolerance, atol=tolerance
        )


def test_first_and_second_derivative(bump):
    values = [-2.0, -0.5, 0.25, 1.5]
    x = kagari.tensor(values, dtype=kagari.float64, requires_grad=True)
    y = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    (first,) = kagari.autograd.grad(bump(x).sum(), [x], create_graph=True)
    (second,) = kagari.autograd.grad(first.sum(), [x])
    (first_t,) = torch.autograd.grad(reference(y).sum(), [y], create_graph=True)
    (second_t,) = torch.autograd.grad(first_t.sum(), [y])
    torch.testing.assert_close(torch.tensor(first.tolist(), dtype=torch.float64), first_t.detach())
    torch.testing.assert_close(torch.tensor(second.tolist(), dtype=torch.float64), second_t)


def test_meta_shape_and_promotion(bump):
    x = kagari.empty(5, 7, device="meta")
    assert bump(x).shape == (5, 7) and bump(x).device.type == "meta"
    assert bump(kagari.tensor([1, 2])).dtype == kagari.float32


def test_its_ptx(bump):
    assert ".entry kernel" in ptx.ptx_of(kernel.program_of("bump.f32"))


def test_as_part_of_another_definition(bump):
    x = e.symbol("x", "f32")
    assert bump(x).op == "call"


def test_wrong_calls_are_explained(bump):
    with pytest.raises(TypeError):
        bump()
    with pytest.raises(RuntimeError, match="before the op is first called"):
        bump(kagari.tensor([1.0]))
        bump.derivative(lambda grad: grad)
