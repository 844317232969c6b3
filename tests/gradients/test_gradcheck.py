"""Derivatives of every differentiable op against finite differences, in double precision: first and
second, in reverse and forward mode. Which ops these are, test_coverage.py holds to account."""

import warnings
from collections.abc import Callable

import pytest

import kagari
from kagari.autograd import GradcheckError, gradcheck, gradgradcheck
from tests.gradients.samples import Sample, sample_of, samples, sources, spread

# Samples of one case beyond these are left to --full.
FEW = 3


def gradient(sample: Sample) -> tuple[Callable, list[kagari.Tensor]]:
    """The gradient as a function of the sample's tensors and of gradients to start from, which are
    returned, too. It is not itself recorded, as in jvp(grad(f)): rules may then take other ways."""
    out = sample.function(*sample.tensors)
    out = [t for t in (out if isinstance(out, tuple | list) else [out])
           if isinstance(t, kagari.Tensor) and t.requires_grad]  # fmt: skip
    starts = [kagari.randn(t.shape, dtype=t.dtype, requires_grad=True) for t in out]

    def first(*tensors: kagari.Tensor) -> tuple[kagari.Tensor, ...]:
        own, starts = tensors[: len(sample.tensors)], tensors[len(sample.tensors) :]
        out = sample.function(*own)
        out = [t for t in (out if isinstance(out, tuple | list) else [out])
               if isinstance(t, kagari.Tensor) and t.requires_grad]  # fmt: skip
        return kagari.autograd.grad(out, own, starts, allow_unused=True, materialize_grads=True)

    return first, starts


def check(found: list[Sample], in_place: bool = False) -> None:
    """Compares the derivatives of each sample in a random direction; those of an in-place form but
    for forward over reverse, as its backward is the op's."""
    assert found, "no samples"
    forward = {"check_forward_ad": True, "check_backward_ad": False, "fast_mode": True}
    for sample in found:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gradcheck(sample.function, sample.tensors, fast_mode=True, check_forward_ad=True)
            gradgradcheck(sample.function, sample.tensors, fast_mode=True)
            first, starts = gradient(sample)
            if starts and not in_place:
                gradcheck(first, (*sample.tensors, *starts), **forward)


@pytest.mark.parametrize("case", sources())
def test_derivatives(case, request):
    found = samples(case)
    full = request.config.getoption("--full")
    check(found if full else spread(found, FEW), not full and ", " in case)


class Wrong(kagari.autograd.Function):
    """x³, with a wrong derivative in one order."""

    order = 1
    _transposable = True

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
