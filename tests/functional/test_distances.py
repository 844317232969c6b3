"""cdist beside PyTorch: values, gradients at and away from zero distance, wrong input."""

import pytest
import torch

import kagari
from tests.ops.beside_torch import compare, compare_gradients, ours, sample

ORDERS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, float("inf"))
MODES = (
    "use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)  # fmt: skip


@pytest.mark.parametrize("p", ORDERS)
def test_values_and_gradients(p):
    x1, x2 = sample(torch.float64, 2, 5, 3), sample(torch.float64, 4, 3, seed=1)
    compare("cdist", x1, x2, p, scale=10)
    x1, x2 = x1.requires_grad_(), x2.requires_grad_()
    compare_gradients("cdist", x1, x2, p=p, second=False, scale=100)


@pytest.mark.parametrize("p", ORDERS)
def test_gradient_at_zero_distance(p):
    x = torch.tensor([[1.0, 2.0], [1.0, 2.0], [1.0, 3.0]], dtype=torch.float64, requires_grad=True)
    compare_gradients("cdist", x, x.detach().clone().requires_grad_(), p=p, second=False)


@pytest.mark.parametrize("mode", MODES)
def test_modes(mode):
    for rows in (3, 40):
        x1, x2 = sample(torch.float64, rows, 6), sample(torch.float64, rows + 1, 6, seed=1)
        compare("cdist", x1, x2, compute_mode=mode, scale=1000)


def test_second_gradient():
    a = kagari.randn(3, 2, dtype=kagari.float64, requires_grad=True)
    b = kagari.randn(4, 2, dtype=kagari.float64, requires_grad=True)
    for p in (1.0, 2.0, 3.0):
        assert kagari.autograd.gradgradcheck(lambda x, y, p=p: kagari.cdist(x, y, p), (a, b))


def test_pieces_are_the_whole(monkeypatch):
    from kagari.functional import distances

    x1, x2 = (ours(sample(torch.float64, 3, 7, 5, seed=s)).requires_grad_() for s in (0, 1))
    whole = kagari.cdist(x1, x2, 1.0)
    expected = kagari.autograd.grad(whole.square().sum(), (x1, x2))
    monkeypatch.setattr(distances, "_CHUNK", 1)
    pieces = kagari.cdist(x1, x2, 1.0)
    got = kagari.autograd.grad(pieces.square().sum(), (x1, x2))
    assert kagari.equal(whole, pieces)
    assert all(kagari.allclose(g, e) for g, e in zip(got, expected, strict=True))


def test_empty():
    for a, b in (((0, 3), (2, 3)), ((2, 0), (3, 0)), ((2, 0, 3), (2, 4, 3))):
        compare("cdist", torch.zeros(a), torch.zeros(b))


@pytest.mark.parametrize(
    ("error", "args"),
    [
        (RuntimeError, (kagari.ones(3), kagari.ones(1, 3))),
        (RuntimeError, (kagari.ones(2, 3), kagari.ones(2, 4))),
        (RuntimeError, (kagari.ones(2, 3).long(), kagari.ones(2, 3))),
        (RuntimeError, (kagari.ones(2, 3), kagari.ones(2, 3), -1.0)),
        (ValueError, (kagari.ones(2, 3), kagari.ones(2, 3), 2.0, "quickly")),
    ],
)
def test_wrong_input(error, args):
    with pytest.raises(error):
        kagari.cdist(*args)
