"""gradcheck finds wrong derivatives and passes right ones."""

import pytest

import kagari
from kagari.autograd import GradcheckError, gradcheck, gradgradcheck


def double(*values):
    return kagari.tensor(values, dtype=kagari.float64, requires_grad=True)


def test_right_derivatives_pass():
    x, y = double(0.3, -0.8), double(1.5, 2.5)
    assert gradcheck(lambda a, b: (a * b).sin() / b, (x, y))
    assert gradgradcheck(lambda a, b: (a * b).sin() / b, (x, y))


@pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
def test_fast_mode(check):
    x, y = double(0.3, -0.8), double(1.5, 2.5)
    z = kagari.tensor([0.3 + 0.5j, -1 + 0.2j], dtype=kagari.complex128, requires_grad=True)
    assert check(lambda a, b: ((a * b).sin() / b, a.exp()), (x, y), fast_mode=True)
    assert check(lambda z: z.exp() * z.conj(), (z,), fast_mode=True)
    assert not check(Wrong.apply, (x,), fast_mode=True, raise_exception=False)


def test_the_gradient_of_a_constant_is_checked():
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: x.detach() * 2, (double(1.0, 2.0),))
    assert gradcheck(lambda x: kagari.ones(2, dtype=kagari.float64), (double(1.0),))


def test_complex():
    z = kagari.tensor([0.3 + 0.5j, -1 + 0.2j], dtype=kagari.complex128, requires_grad=True)
    assert gradcheck(lambda z: z.exp() * z.conj(), (z,))
    assert gradcheck(lambda z: z.abs(), (z,))


class Wrong(kagari.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x.detach() * 1.9


def test_wrong_derivative_is_found():
    with pytest.raises(GradcheckError, match="numerical .* analytical"):
        gradcheck(Wrong.apply, (double(1.0, 2.0),))
    assert not gradcheck(Wrong.apply, (double(1.0, 2.0),), raise_exception=False)


@pytest.mark.parametrize(
    "inputs",
    [kagari.ones(2), kagari.ones(2, requires_grad=True), (kagari.ones(2, dtype=kagari.float64),)],
)
def test_inputs_must_be_double_and_require_grad(inputs):
    with pytest.raises(ValueError):
        gradcheck(lambda x: x * 2, inputs)
