"""Statistics, differences and integrals of samples, beside PyTorch."""

import pytest
import torch

import kagari
from tests.ops.beside_torch import DTYPES, compare, compare_gradients, ours, sample

INTEGRALS = ("trapezoid", "trapz", "cumulative_trapezoid")


@pytest.mark.parametrize("dtype", [torch.int64, torch.float64, torch.complex128], ids=str)
def test_cov_and_corrcoef(dtype):
    for shape in ((), (5,), (3, 6)):
        x = sample(dtype, *shape)
        for name in ("cov", "Tensor.cov"):
            compare(name, x, correction=0)
        if shape != ():
            compare("corrcoef", x, scale=10)
    x = sample(dtype, 3, 6)
    often, much = torch.tensor([1, 2, 0, 1, 3, 1]), torch.rand(6, dtype=torch.float64)
    compare("cov", x, fweights=often, scale=10)
    compare("cov", x, aweights=much, correction=2, scale=10)
    compare("cov", x, fweights=often, aweights=much, scale=10)


def test_cov_gradients():
    x = sample(torch.float64, 3, 6).requires_grad_()
    compare_gradients("cov", x, scale=10)
    compare_gradients("corrcoef", x, scale=100)


def test_cov_of_too_few():
    with pytest.warns(UserWarning, match="degrees of freedom"):
        assert kagari.cov(kagari.tensor([1.0])).isnan().item()
    wrong = (
        {"fweights": kagari.tensor([1.0, 1.0])}, {"aweights": kagari.tensor([1, 1])},
        {"fweights": kagari.tensor([1])}, {"fweights": kagari.tensor([1, -1])},
        {"aweights": kagari.tensor([0.0, 0.0])}, {"fweights": kagari.tensor([[1, 1]])},
    )  # fmt: skip
    for options in wrong:
        with pytest.raises(RuntimeError, match="cov"):
            kagari.cov(kagari.ones(2, 2), **options)
    for call in (kagari.cov, kagari.corrcoef):
        with pytest.raises(RuntimeError):
            call(kagari.ones(1, 2, 3))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_diff(dtype):
    x = sample(dtype, 4, 5)
    for n in (0, 1, 2, 7):
        for dim in (0, -1):
            compare("diff", x, n, dim)
    compare("diff", x, 0, 0, x)
    compare("diff", x, 1, 0, sample(dtype, 2, 5, seed=1), sample(dtype, 1, 5, seed=2))


def test_diff_gradients_and_errors():
    x, front = sample(torch.float64, 3, 4).requires_grad_(), sample(torch.float64, 3, 1, seed=3)
    compare_gradients("diff", x, n=2, prepend=None)
    compare_gradients("diff", x, 1, -1, front.requires_grad_())
    out = kagari.empty(0)
    assert kagari.diff(kagari.tensor([1.0, 3.0]), out=out) is out
    assert out.tolist() == [2.0]
    for args in (
        (kagari.tensor(1.0),),
        (kagari.ones(2), -1),
        (kagari.ones(2), 1, 0, kagari.ones(1, 1)),
    ):
        with pytest.raises(RuntimeError):
            kagari.diff(*args)


@pytest.mark.parametrize("order", [1, 2])
def test_gradient(order):
    x = sample(torch.float64, 4, 5)
    places = [torch.tensor([0.0, 1, 3, 4]).double(), torch.tensor([0.0, 2, 3, 5, 6]).double()]
    options = (
        {}, {"spacing": 2.0}, {"spacing": [2.0, 0.5]}, {"dim": 1}, {"dim": (1, 0), "spacing": 3},
    )  # fmt: skip
    for chosen in options:
        compare("gradient", x, edge_order=order, **chosen, scale=10)
    compare("gradient", x, edge_order=order, spacing=places, scale=10)
    compare("gradient", x.to(torch.int64), edge_order=order)
    compare_gradients("gradient", x.requires_grad_(), edge_order=order)


@pytest.mark.parametrize(
    ("error", "options"),
    [
        (RuntimeError, {"edge_order": 3}), (RuntimeError, {"dim": (0, 0)}),
        (IndexError, {"dim": 3}), (RuntimeError, {"spacing": [1.0]}),
        (RuntimeError, {"spacing": [kagari.ones(2), kagari.ones(2)]}),
        (RuntimeError, {"edge_order": 2, "dim": 0}),
    ],
)  # fmt: skip
def test_gradient_errors(error, options):
    with pytest.raises(error):
        kagari.gradient(kagari.ones(2, 5), **options)


@pytest.mark.parametrize("name", INTEGRALS)
def test_integrals(name):
    for dtype in (torch.int32, torch.float32, torch.complex64):
        y = sample(dtype, 3, 4)
        for dim in (0, 1):
            compare(name, y, dim=dim)
            compare(name, y, dx=0.5, dim=dim)
            compare(name, y, sample(torch.float32, y.shape[dim]), dim=dim)
        compare(name, y, sample(torch.float32, 3, 4), dim=1)
        compare(name, y, sample(torch.float32, 1, 4), dim=1)
        compare(name, y[:0], dim=0)
    y, x = sample(torch.float64, 3, 4).requires_grad_(), sample(torch.float64, 4).requires_grad_()
    compare_gradients(name, y, x)
    with pytest.raises(RuntimeError):
        getattr(kagari, name)(kagari.ones(2), kagari.ones(3))
    with pytest.raises(RuntimeError):
        getattr(kagari, name)(kagari.ones(2).bool())


def test_histogram():
    x = sample(torch.float64, 40)
    for bins in (1, 4, 100):
        compare("histogram", x, bins)
        compare("histogram", x, bins, range=(-1.0, 1.0), density=True)
        compare("histogram", x, bins, weight=x.abs())
    compare("histogram", x, torch.tensor([-1.0, 0.0, 0.5, 2.0]).double(), density=True)
    compare("histogram", torch.tensor([1.0, torch.nan]), 3, range=(0, 2))
    compare("histogram", torch.zeros(0), 3)
    compare("histogram", torch.ones(2), 3)
    hist, edges = kagari.empty(0), kagari.empty(0)
    kagari.histogram(kagari.tensor([0.0, 1.0]), 2, out=(hist, edges))
    assert hist.tolist() == [1.0, 1.0]
    assert edges.tolist() == [0.0, 0.5, 1.0]


def test_histogramdd():
    x = sample(torch.float64, 4, 10, 2)
    edges = [torch.tensor([-1.0, 0.0, 1.0]).double(), torch.tensor([-2.0, 0.5, 2.0, 3.0]).double()]
    for bins in ([2, 3], 3, edges):
        expected = torch.histogramdd(x, bins, weight=x[..., 0].abs(), density=True)
        bins = bins if isinstance(bins, int) else ours(bins)
        got = kagari.histogramdd(ours(x), bins, weight=ours(x[..., 0].abs()), density=True)
        assert kagari.allclose(got.hist, ours(expected.hist))
        assert all(map(kagari.allclose, got.bin_edges, ours(expected.bin_edges)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: kagari.histogram(kagari.ones(2), 0),
        lambda: kagari.histogram(kagari.ones(2), 3, range=(2.0, 0.0)),
        lambda: kagari.histogram(kagari.tensor([float("inf"), 0.0]), 3),
        lambda: kagari.histogram(kagari.ones(2), kagari.ones(1, 2)),
        lambda: kagari.histogram(kagari.ones(2), kagari.ones(3).double()),
        lambda: kagari.histogram(kagari.ones(2), 3, weight=kagari.ones(3)),
        lambda: kagari.histogramdd(kagari.ones(2), [2]),
        lambda: kagari.histogramdd(kagari.ones(2, 2), [2]),
        lambda: kagari.histogramdd(kagari.ones(2, 2), [2, 2], range=[0.0, 1.0]),
    ],
)
def test_histogram_errors(call):
    with pytest.raises(RuntimeError):
        call()
