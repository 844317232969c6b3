"""Distributions against PyTorch: samples, densities, moments, derivatives, shapes, errors."""

import pytest
import torch

import kagari
from tests.distributions.cases import CASES
from tests.ops.pairs import close, compare, ours, same_error, theirs

D = torch.float64
MOMENTS = (
    "mean", "mode", "variance", "stddev", "batch_shape", "event_shape", "has_rsample",
    "has_enumerate_support",
)  # fmt: skip
# where PyTorch's own value is not to be had (docs/differences.md), or of few digits
WRONG = {("Kumaraswamy", "mode")}
ROUGH = {"VonMises": 1e6}
# rounding that a difference magnifies
UNSTEADY = ("LKJCholesky", "Kumaraswamy")
# PyTorch compares parameters of float64 with a number of float32, and raises
ONLY_FLOAT32 = {"GeneralizedPareto"}


def leaves(args):
    return tuple(a.clone().requires_grad_() for a in args)


def narrowed(name, args, value):
    if name not in ONLY_FLOAT32:
        return args, value
    return tuple(a.float() for a in args), value.float()


def outcome(function):
    """A result, or the class of the error."""
    try:
        return function()
    except (NotImplementedError, ValueError) as error:
        return type(error).__name__


def made(name, library, args):
    return CASES[name].make(library, *(ours(args) if library is kagari else args))


@pytest.mark.parametrize("dtype", [torch.float32, D])
@pytest.mark.parametrize("shape", [(), (4,), (3, 40)])
@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:Singular sample:UserWarning")
def test_samples_are_pytorchs(name, shape, dtype):
    if name in ONLY_FLOAT32 and dtype == D:
        return
    args = tuple(a.to(dtype) for a in CASES[name].args)
    pair = made(name, kagari, args), made(name, torch, args)
    for way in ("sample", "rsample"):
        kagari.manual_seed(5)
        torch.manual_seed(5)
        got, expected = (outcome(lambda d=d, way=way: getattr(d, way)(shape)) for d in pair)
        if isinstance(expected, str):
            assert got == expected
            continue
        rtol, atol = (1e-11, 1e-30) if dtype == D else (3e-5, 1e-30)
        if name in UNSTEADY:
            rtol, atol = 100 * rtol, 1e-13 if dtype == D else 1e-4
        torch.testing.assert_close(theirs(got), expected, rtol=rtol, atol=atol, equal_nan=True)
        assert not got.requires_grad


@pytest.mark.parametrize("name", CASES)
def test_densities(name):
    case = CASES[name]
    args, value = narrowed(name, case.args, case.value)

    def run(library, args, value):
        d = case.make(library, *args)
        found = [d.log_prob(value)]
        cdf = d.cdf
        if "Gamma" in name or name == "Chi2":  # nobody differentiates igamma in the concentration
            cdf = case.make(library, *(a.detach() for a in args)).cdf
        for ask in (d.entropy, lambda: cdf(value), lambda: d.icdf(value * 0.01 + 0.3)):
            try:
                found.append(ask())
            except NotImplementedError:
                found.append(args[0] * 0)
        return found

    value = value.clone().requires_grad_(case.continuous)
    compare(run, leaves(args), value, order=1, scale=ROUGH.get(name, 10.0))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:Singular sample:UserWarning")
def test_reparameterised_gradients(name):
    if not made(name, torch, CASES[name].args).has_rsample or name.startswith("Wishart"):
        return  # PyTorch overwrites what its gradient of Wishart's samples needs

    def run(library, args):
        library.manual_seed(3)
        return CASES[name].make(library, *args).rsample((2,))

    args = narrowed(name, CASES[name].args, CASES[name].value)[0]
    # PyTorch's derivatives of gamma and beta numbers have three to four digits
    implicit = any(word in name for word in ("Gamma", "Chi2", "Beta", "Dir", "Stud", "Fish"))
    compare(run, leaves(args), order=1, scale=3e6 if implicit else 10.0)


def test_gradients_of_wishart():
    root = kagari.tensor([[1.2, 0.0], [0.4, 0.7]], dtype=kagari.float64, requires_grad=True)

    def sample(root):
        kagari.manual_seed(3)
        df = kagari.tensor([3.5, 6.0], dtype=kagari.float64)
        return kagari.distributions.Wishart(df, scale_tril=root.tril()).rsample((2,))

    assert kagari.autograd.gradcheck(sample, (root,))


@pytest.mark.parametrize("name", CASES)
def test_moments_shapes_and_expansion(name):
    args = narrowed(name, CASES[name].args, CASES[name].value)[0]
    for change in (lambda d: d, lambda d: d.expand((4, *d.batch_shape))):
        mine, theirs_ = (change(made(name, library, args)) for library in (kagari, torch))
        assert repr(mine) == repr(theirs_)
        for ask in MOMENTS:
            if (name, ask) in WRONG:
                continue
            got, expected = (outcome(lambda d=d, ask=ask: getattr(d, ask)) for d in (mine, theirs_))
            if isinstance(expected, torch.Tensor):
                close(got, expected, ROUGH.get(name, 10.0))
            elif isinstance(expected, str | bool):
                assert got == expected, ask
            else:
                assert tuple(got) == tuple(expected), ask


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:Singular sample:UserWarning")
def test_expanded_distributions_work(name):
    args, value = narrowed(name, CASES[name].args, CASES[name].value)
    found = []
    for library in (kagari, torch):
        d = made(name, library, args)
        d = d.expand((2, *d.batch_shape))
        library.manual_seed(2)
        found.append([d.log_prob(ours(value) if library is kagari else value), d.sample()])
        if d.has_enumerate_support:
            found[-1] += [outcome(lambda d=d, e=e: d.enumerate_support(e)) for e in (True, False)]
    for got, expected in zip(*found, strict=True):
        close(got, expected, ROUGH.get(name, 10.0))


@pytest.mark.parametrize("name", CASES)
def test_supports(name):
    """The same region, told in the same words."""
    mine, theirs_ = (made(name, library, CASES[name].args).support for library in (kagari, torch))
    assert repr(mine).split("(")[0] == repr(theirs_).split("(")[0]
    assert (mine.is_discrete, mine.event_dim) == (theirs_.is_discrete, theirs_.event_dim)
    value = CASES[name].value
    for v in (value, value * -1 - 0.25, value * float("nan")):
        close(mine.check(ours(v)), theirs_.check(v))


@pytest.mark.parametrize("name", CASES)
def test_errors(name):
    args, value = narrowed(name, CASES[name].args, CASES[name].value)
    for wrong in (
        lambda t, a, v: CASES[name].make(t, *a[:-1], -a[-1].abs() - 5),
        lambda t, a, v: CASES[name].make(t, *a[:-1], a[-1] * float("nan")),
        lambda t, a, v: CASES[name].make(t, *a).log_prob(1.0),
        lambda t, a, v: CASES[name].make(t, *a).log_prob(v * float("nan")),
        lambda t, a, v: CASES[name].make(t, *a).log_prob(v.new_ones(7, 5)),
        lambda t, a, v: CASES[name].make(t, *["x"] * len(a)),
    ):
        try:
            wrong(torch, args, value)
        except torch.linalg.LinAlgError:  # a parameter of another sign, found out too late
            with pytest.raises(ValueError, match="cov_diag"):
                wrong(kagari, ours(args), ours(value))
        except Exception:  # noqa: BLE001
            same_error(wrong, args, value)


@pytest.mark.parametrize("name", [
    "Bernoulli", "Beta", "Binomial", "Cauchy", "Chi2", "ContinuousBernoulli", "Exponential",
    "FisherSnedecor", "Gamma", "GeneralizedPareto", "Geometric", "Gumbel", "HalfCauchy",
    "HalfNormal", "InverseGamma", "Kumaraswamy", "Laplace", "LogNormal", "NegativeBinomial",
    "Normal", "Pareto", "Poisson", "StudentT", "VonMises", "Weibull",
])  # fmt: skip
def test_numbers(name):
    args = [float(a.flatten()[1 % a.numel()]) for a in CASES[name].args]
    args = [0.5] if name == "Exponential" else args
    mine, theirs_ = (getattr(t.distributions, name)(*args) for t in (kagari, torch))
    assert tuple(mine.batch_shape) == tuple(theirs_.batch_shape) == ()
    value = float(CASES[name].value.flatten()[-1])
    close(mine.log_prob(kagari.tensor(value)), theirs_.log_prob(torch.tensor(value)), 5.0)
    kagari.manual_seed(1)
    torch.manual_seed(1)
    close(mine.sample((20,)), theirs_.sample((20,)), 5.0)
    unchecked = getattr(kagari.distributions, name)(*args, validate_args=False)
    unchecked.log_prob(kagari.tensor(float("nan")))


@pytest.mark.parametrize("name", CASES)
def test_entropy_of_an_exponential_family(name):
    """Bregman's formula and the closed form agree."""
    d = made(name, kagari, CASES[name].args)
    general = kagari.distributions.ExponentialFamily.entropy
    # the others' carrier measures have no mean in closed form
    if isinstance(d, kagari.distributions.ExponentialFamily) and name not in (
        "Poisson", "Beta", "Dirichlet",
    ):  # fmt: skip
        assert kagari.allclose(general(d), d.entropy(), atol=1e-6)


def test_mode_of_kumaraswamy():
    a, b = kagari.tensor([2.0, 4.0, 1.5]), kagari.tensor([3.0, 1.5, 9.0])
    d = kagari.distributions.Kumaraswamy(a, b)
    around = d.mode + kagari.tensor([[-1e-2], [0.0], [1e-2]])
    assert (d.log_prob(around).argmax(0) == 1).all()


def test_names_are_complete():
    missing = [n for n in torch.distributions.__all__ if not hasattr(kagari.distributions, n)]
    assert missing == []


class Shifted(kagari.distributions.Normal):
    def __init__(self, loc):
        super().__init__(loc, 1.0)


def test_a_subclass_with_another_constructor_says_how_it_expands():
    with pytest.raises(NotImplementedError, match=r"Shifted of Normal .* \.expand\(\)"):
        Shifted(kagari.zeros(2)).expand((3, 2))


@pytest.mark.parametrize("library", [kagari, torch])
def test_probabilities_and_triangles(library):
    utils = library.distributions.utils
    p = library.tensor([0.2, 0.3, 0.5])
    assert library.allclose(utils.logits_to_probs(utils.probs_to_logits(p)), p)
    assert library.allclose(utils.logits_to_probs(utils.probs_to_logits(p, True), True), p)
    for diagonal in (-1, 0, 1):
        matrix = library.arange(16.0).reshape(4, 4).tril(diagonal)
        flat = utils.tril_matrix_to_vec(matrix, diagonal)
        assert library.equal(utils.vec_to_tril_matrix(flat, diagonal), matrix)
