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
        return grad * x * 1.9


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
