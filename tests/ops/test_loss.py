"""Losses beside PyTorch: reductions, weights, ignored targets, smoothing, gradients, errors."""

import pytest
import torch

import kagari
from kagari.nn import functional  # noqa: F401
from tests.ops.beside_torch import FLOATING, compare, compare_gradients, ours, sample

F = "nn.functional."
REDUCTIONS = ("mean", "sum", "none")


def targets(shape, classes, ignored=None):
    made = torch.Generator().manual_seed(3)
    target = torch.randint(0, classes, shape, generator=made)
    if ignored is not None:
        target.view(-1)[::3] = ignored
    return target


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("dtype", FLOATING, ids=str)
def test_class_indices(dtype, reduction):
    for shape in ((5,), (7, 10), (4, 3, 6), (2, 5, 3, 4), (5000, 4)):
        classes = shape[0] if len(shape) == 1 else shape[1]
        rest = () if len(shape) == 1 else (shape[0], *shape[2:])
        x, w = sample(dtype, *shape), sample(dtype, classes, seed=1).abs()
        for weight in (None, w):
            for ignored in (-100, 1):
                target = targets(rest, classes, ignored if rest else None)
                options = {"weight": weight, "ignore_index": ignored, "reduction": reduction}
                compare(F + "nll_loss", x, target, scale=50, **options)
                for smoothing in (0.0, 0.3):
                    compare(
                        F + "cross_entropy", x, target, scale=50, label_smoothing=smoothing,
                        **options,
                    )  # fmt: skip


def test_probabilities():
    x, p = sample(torch.float64, 4, 5, 3), sample(torch.float64, 4, 5, 3).softmax(1)
    w = sample(torch.float64, 5).abs()
    for reduction in REDUCTIONS:
        for weight in (None, w):
            compare(F + "cross_entropy", x, p, weight=weight, reduction=reduction, scale=10)
            compare(F + "cross_entropy", x, p, weight=weight, reduction=reduction,
                    label_smoothing=0.2, scale=10)  # fmt: skip


def test_all_ignored_and_empty():
    x = sample(torch.float32, 3, 4)
    compare(F + "nll_loss", x, torch.full((3,), -100))
    compare(F + "nll_loss", x, torch.full((3,), -100), reduction="sum")
    compare(F + "nll_loss", x[:0], targets((0,), 4), reduction="none")
    compare(F + "nll_loss", x, targets((3,), 4), weight=torch.zeros(4))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradients(reduction):
    w = sample(torch.float64, 5).abs()
    for shape in ((5,), (4, 5), (2, 5, 3)):
        x = sample(torch.float64, *shape).requires_grad_()
        rest = () if len(shape) == 1 else (shape[0], *shape[2:])
        target = targets(rest, 5, -100 if rest else None)
        linear = {"reduction": reduction, "second": False}
        compare_gradients(F + "nll_loss", x, target, **linear)
        compare_gradients(F + "cross_entropy", x, target, reduction=reduction, scale=10)
    for smoothing in (0.0, 0.3):
        compare_gradients(F + "cross_entropy", x, target, w, reduction=reduction,
                          label_smoothing=smoothing, scale=10)  # fmt: skip


def test_gradient_of_the_gradient_is_linear():
    """nll_loss is linear, so the second derivative reaches only the incoming gradient."""
    x = ours(sample(torch.float64, 4, 5)).requires_grad_()
    target = ours(targets((4,), 5))
    loss = kagari.nn.functional.nll_loss(x, target)
    scale = ours(torch.tensor(2.0, dtype=torch.float64)).requires_grad_()
    (first,) = kagari.autograd.grad(loss, x, scale, create_graph=True)
    (again,) = kagari.autograd.grad(first.sum(), scale)
    assert abs(again.item() + 1) < 1e-12


def test_mse():
    for dtype in FLOATING:
        x, y = sample(dtype, 30, 40), sample(dtype, 30, 40, seed=2)
        for reduction in REDUCTIONS:
            compare(F + "mse_loss", x, y, reduction=reduction, scale=5)
            compare(F + "mse_loss", x.T, y.T.contiguous(), reduction=reduction, scale=5)
    a = sample(torch.float64, 3, 4).requires_grad_()
    b = sample(torch.float64, 3, 4, seed=1).requires_grad_()
    for reduction in REDUCTIONS:
        compare_gradients(F + "mse_loss", a, b, reduction=reduction)


def test_errors():
    x, good = sample(torch.float32, 3, 4), targets((3,), 4)
    for call, text in (
        (lambda lib, c: lib.nn.functional.nll_loss(c(x), c(good + 4)), "out of bounds"),
        (lambda lib, c: lib.nn.functional.nll_loss(c(x), c(good - 9)), "out of bounds"),
        (lambda lib, c: lib.nn.functional.nll_loss(c(x), c(good[:2])), "batch_size"),
        (lambda lib, c: lib.nn.functional.nll_loss(c(x), c(good), c(x[0, :2])), "weight"),
        (lambda lib, c: lib.nn.functional.nll_loss(c(x), c(good), reduction="m"), "reduction"),
        (lambda lib, c: lib.nn.functional.nll_loss(c(x), c(good.float())), "(?i)int64|long"),
    ):
        with pytest.raises((IndexError, ValueError, RuntimeError)) as expected:
            call(torch, lambda v: v)
        with pytest.raises(expected.type, match=text):
            call(kagari, ours)
