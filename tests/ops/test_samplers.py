"""Binomial, gamma and Dirichlet numbers: PyTorch's for the same seed, and their gradients."""

import pytest
import torch

import kagari
from tests.ops.pairs import compare, ours, same_error, theirs
from tests.ops.test_random import same_bits

WIDE = [torch.float32, torch.float64]
SIZES = [(), (0,), (1,), (5,), (16, 17), (20_000,)]


def spread(shape, dtype, seed=0):
    """Positive numbers from 0.002 to 400."""
    generator = torch.Generator().manual_seed(seed)
    uniform = torch.rand(shape, dtype=torch.float64, generator=generator)
    return (uniform * 12 - 6).exp().to(dtype)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("dtype", WIDE)
def test_gamma(shape, dtype):
    alpha = spread(shape, dtype)
    same_bits(lambda lib: lib._standard_gamma(alpha if lib is torch else ours(alpha)))


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("dtype", WIDE)
def test_binomial(shape, dtype):
    count = spread(shape, dtype).mul(9).floor()
    p = (spread(shape, dtype, 1).log() / 9 + 0.5).to(dtype)  # from below 0 to above 1
    for chance in (p, p * 0.02, 1 - p * 0.02):
        same_bits(
            lambda lib, chance=chance: lib.binomial(
                *((count, chance) if lib is torch else ours((count, chance)))
            )
        )


@pytest.mark.parametrize("shape", [(), (1,), (3,), (40, 1), (6, 200), (3, 4, 5)])
def test_dirichlet(shape):
    alpha = spread(shape, torch.float32)
    same_bits(lambda lib: lib._sample_dirichlet(alpha if lib is torch else ours(alpha)))
    kagari.manual_seed(3)
    torch.manual_seed(3)
    # in float64 the order in which PyTorch adds them, which is the processor's, can be seen
    got, expected = kagari._sample_dirichlet(ours(alpha.double())), alpha.double()
    torch.testing.assert_close(theirs(got), torch._sample_dirichlet(expected), rtol=1e-15, atol=0.0)


def test_extreme_parameters():
    alpha = torch.tensor([0.0, 1e-30, 1e-8, 1e10, 1e30, float("inf")])
    same_bits(lambda lib: lib._standard_gamma(alpha if lib is torch else ours(alpha)))
    assert kagari._standard_gamma(kagari.tensor([float("nan")])).isnan().all()
    assert (kagari._standard_gamma(kagari.tensor([-1.0, -0.3])) < 1e-30).all()
    nan = kagari.tensor(float("nan"))
    assert kagari.binomial(nan, kagari.tensor(0.5)).isnan()
    assert kagari.binomial(kagari.tensor(5.0), nan).isnan()
    huge = kagari.binomial(kagari.tensor(1e30), kagari.tensor([0.0, 1.0]))
    assert huge.tolist() == [0.0, ours(torch.tensor(1e30)).item()]


@pytest.mark.parametrize("name", ["_standard_gamma", "_sample_dirichlet", "poisson"])
def test_strided_parameters(name):
    alpha = spread((6, 8), torch.float64)
    for view in (alpha.T, alpha[:, ::2], alpha[0].expand(3, 8)):
        kagari.manual_seed(3)
        torch.manual_seed(3)
        got, expected = getattr(kagari, name)(ours(view)), getattr(torch, name)(view)
        torch.testing.assert_close(theirs(got), expected, rtol=1e-15, atol=0.0)


def test_implicit_gradients():
    """PyTorch's, which have three to four digits; tests/kernels/test_math.py has more."""

    def run(library, alpha):
        library.manual_seed(7)
        return library._standard_gamma(alpha)

    compare(run, spread((30, 3), torch.float64).requires_grad_(), order=1, scale=1e7)


@pytest.mark.parametrize("shape", [2.5, 0.4, 30.0])
def test_gradients_are_those_of_means(shape):
    """The mean of x^2 is a (a + 1): its derivative by the samples' is 2 a + 1."""
    kagari.manual_seed(0)
    alpha = kagari.full((100_000,), shape, dtype=kagari.float64, requires_grad=True)
    (kagari._standard_gamma(alpha) ** 2).sum().backward()
    found = alpha.grad.mean().item()
    assert abs(found - (2 * shape + 1)) < 5 * alpha.grad.std().item() / 100_000**0.5


def test_gradients_on_the_simplex_are_those_of_means():
    kagari.manual_seed(0)
    alpha = kagari.tensor([0.5, 2.0, 1.5], dtype=kagari.float64)
    rows = alpha.expand(100_000, 3).clone().requires_grad_()
    (kagari._sample_dirichlet(rows)[:, 0]).sum().backward()
    mean = alpha.clone().requires_grad_()
    (mean[0] / mean.sum()).backward()
    error = rows.grad.std(0) / 100_000**0.5
    assert ((rows.grad.mean(0) - mean.grad).abs() < 5 * error).all()


def test_wrong_input():
    for wrong in (
        lambda t: t.binomial(t.ones(3, dtype=t.int64), t.ones(3)),
        lambda t: t.binomial(t.ones(3), t.ones(3, dtype=t.int64)),
        lambda t: t.binomial(t.ones(3), t.ones(3, dtype=t.float64)),
        lambda t: t.binomial(t.ones(3), t.ones(2)),
        lambda t: t.binomial(t.ones(3).half(), t.ones(3).half()),
        lambda t: t._standard_gamma(t.ones(3).half()),
        lambda t: t._standard_gamma(t.ones(3, dtype=t.int64)),
        lambda t: t._sample_dirichlet(t.ones(3).half()),
        lambda t: t._standard_gamma_grad(t.ones(3).half(), t.ones(3).half()),
        lambda t: t.binomial(t.ones(3), t.ones(3).requires_grad_()).sum().backward(),
        lambda t: t.poisson(-t.ones(3)),
    ):
        same_error(wrong)


def test_without_memory():
    meta = kagari.ones(3, 4, device="meta")
    for found in (
        kagari._standard_gamma(meta),
        kagari._sample_dirichlet(meta),
        kagari.binomial(meta, meta[0]),
        kagari._standard_gamma_grad(meta, meta),
        kagari._dirichlet_grad(meta, meta, meta),
    ):
        assert found.is_meta and tuple(found.shape) == (3, 4)


def test_each_sample_of_vmap_has_its_own():
    alpha = kagari.full((5, 4), 2.0)
    draws = {
        "gamma": kagari._standard_gamma,
        "dirichlet": kagari._sample_dirichlet,
        "binomial": lambda a: kagari.binomial(a * 50, a / 4),
    }
    for draw in draws.values():
        kagari.manual_seed(1)
        found = kagari.vmap(draw, randomness="different")(alpha)
        kagari.manual_seed(1)
        assert kagari.equal(found, draw(alpha))
        with pytest.raises(RuntimeError, match="randomness error mode"):
            kagari.vmap(draw)(alpha)
        with pytest.raises(RuntimeError, match="same randomness with a batched"):
            kagari.vmap(draw, randomness="same")(alpha)
        same = kagari.vmap(lambda x, d=draw: x * 0 + d(alpha[0]), randomness="same")(alpha)
        assert (same == same[0]).all()
