"""First and second derivatives of every differentiable op against finite differences, in double
precision. Which ops these are, test_coverage.py holds to account."""

import warnings

import pytest

import kagari
from kagari.autograd import GradcheckError, gradcheck, gradgradcheck
from tests.gradients.samples import Sample, sample_of, samples, sources, spread

# Samples of one case beyond these are left to --full.
FEW = 3


def check(found: list[Sample]) -> None:
    """Compares the derivatives of each sample in a random direction."""
    assert found, "no samples"
    for sample in found:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gradcheck(sample.function, sample.tensors, fast_mode=True)
            gradgradcheck(sample.function, sample.tensors, fast_mode=True)


@pytest.mark.parametrize("case", sources())
def test_derivatives(case, request):
    found = samples(case)
    check(found if request.config.getoption("--full") else spread(found, FEW))


class Wrong(kagari.autograd.Function):
    """x³, with a wrong derivative in one order."""

    order = 1

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        if Wrong.order == 1:
            return grad * 3 * x * x + grad * (x > 0.5)
        return grad * 3 * x * x.detach()


@pytest.mark.parametrize("order", [1, 2])
def test_a_wrong_derivative_is_found(order, monkeypatch):
    monkeypatch.setattr(Wrong, "order", order)
    x = kagari.tensor([0.3, 0.7], dtype=kagari.float64, requires_grad=True)
    sample = sample_of(Wrong.apply, (x,), {})
    with pytest.raises(GradcheckError, match="numerical"):
        check([sample])
    if order == 2:
        gradcheck(sample.function, sample.tensors, fast_mode=True)


def test_an_empty_list_of_samples_is_found():
    with pytest.raises(AssertionError, match="no samples"):
        check([])
