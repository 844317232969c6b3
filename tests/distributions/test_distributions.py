"""Distributions against PyTorch: samples, densities, moments, derivatives, shapes, errors."""

import pytest
import torch

import kagari
from tests.ops.pairs import close, compare, ours, same_error

D = torch.float64
A = torch.tensor([[0.3, -1.2, 2.0]], dtype=D)
P = torch.tensor([[0.4], [1.7]], dtype=D)

# arguments, and values to judge
CASES = {
    "Normal": ((A, P), A + 0.3),
    "Uniform": ((A, A + P), A + 0.2),
    "Laplace": ((A, P), A + 0.3),
    "Cauchy": ((A, P), A + 0.3),
    "Exponential": ((P,), P + 0.1),
}  # fmt: skip
MOMENTS = ("mean", "mode", "variance", "stddev", "batch_shape", "event_shape", "has_rsample")


def leaves(args):
    return tuple(a.clone().requires_grad_() for a in args)


def outcome(function):
    """A result, or the class of the error."""
    try:
        return function()
    except (NotImplementedError, ValueError) as error:
        return type(error).__name__


@pytest.mark.parametrize("dtype", [torch.float32, D])
@pytest.mark.parametrize("shape", [(), (4,), (3, 40)])
@pytest.mark.parametrize("name", CASES)
def test_samples_are_pytorchs(name, shape, dtype):
    args = tuple(a.to(dtype) for a in CASES[name][0])
    for way in ("sample", "rsample"):
        kagari.manual_seed(5)
        torch.manual_seed(5)
        got = getattr(getattr(kagari.distributions, name)(*ours(args)), way)(shape)
        expected = getattr(getattr(torch.distributions, name)(*args), way)(shape)
        close(got, expected, 1e-3 if dtype == D else 0.1)
        assert not got.requires_grad


@pytest.mark.parametrize("name", CASES)
def test_densities(name):
    args, value = CASES[name]

    def run(library, args, value):
        d = getattr(library.distributions, name)(*args)
        found = [d.log_prob(value), d.entropy()]
        for ask in (lambda: d.cdf(value), lambda: d.icdf((value - value.detach()) + 0.3)):
            try:
                found.append(ask())
            except NotImplementedError:
                found.append(args[0] * 0)
        return found

    compare(run, leaves(args), value.clone().requires_grad_(), order=1)


@pytest.mark.parametrize("name", CASES)
def test_reparameterised_gradients(name):
    def run(library, args):
        library.manual_seed(3)
        return getattr(library.distributions, name)(*args).rsample((2,))

    compare(run, leaves(CASES[name][0]), order=1)


@pytest.mark.parametrize("name", CASES)
def test_moments_shapes_and_expansion(name):
    args = CASES[name][0]
    for change in (lambda d: d, lambda d: d.expand((4, *d.batch_shape))):
        mine = change(getattr(kagari.distributions, name)(*ours(args)))
        theirs = change(getattr(torch.distributions, name)(*args))
        assert repr(mine) == repr(theirs)
        for ask in MOMENTS:
            got, expected = (outcome(lambda d=d, ask=ask: getattr(d, ask)) for d in (mine, theirs))
            if isinstance(expected, torch.Tensor):
                close(got, expected)
            else:
                assert (
                    got == expected
                    if isinstance(expected, str | bool)
                    else (tuple(got) == tuple(expected))
                )


@pytest.mark.parametrize("name", CASES)
def test_numbers_and_errors(name):
    args, value = CASES[name]
    numbers = [float(a.flatten()[0]) for a in args]
    mine, theirs = (getattr(t.distributions, name)(*numbers) for t in (kagari, torch))
    close(mine.log_prob(kagari.tensor(0.5)), theirs.log_prob(torch.tensor(0.5)))
    for wrong in (
        lambda t, a, v: getattr(t.distributions, name)(*a[:-1], -a[-1].abs() - 5),
        lambda t, a, v: getattr(t.distributions, name)(*a[:-1], a[-1] * float("nan")),
        lambda t, a, v: getattr(t.distributions, name)(*a).log_prob(1.0),
        lambda t, a, v: getattr(t.distributions, name)(*a).log_prob(v * float("nan")),
        lambda t, a, v: getattr(t.distributions, name)(*a).log_prob(v.new_ones(7, 5)),
        lambda t, a, v: getattr(t.distributions, name)("x", "y"),
    ):
        same_error(wrong, args, value)
    unchecked = getattr(kagari.distributions, name)(*ours(args), validate_args=False)
    unchecked.log_prob(ours(value * float("nan")))


@pytest.mark.parametrize("name", CASES)
def test_entropy_of_an_exponential_family(name):
    """Bregman's formula and the closed form agree."""
    made = getattr(kagari.distributions, name)(*ours(CASES[name][0]))
    if isinstance(made, kagari.distributions.ExponentialFamily):
        general = kagari.distributions.ExponentialFamily.entropy(made)
        assert kagari.allclose(general, made.entropy())
