"""kl_divergence against PyTorch, for all its pairs, and how a pair is found."""

import pytest
import torch

import kagari
from tests.distributions.cases import (
    CASES,
    CHANCES,
    COVARIANCE,
    DIAGONAL,
    FACTOR,
    REAL,
    ROOT,
    ROWS,
    case,
    t,
)
from tests.ops.pairs import close, compare, ours, theirs

EYE = torch.eye(3).double()
# two of each kind; a row of an other length broadcasts
PAIRS = {
    "Bernoulli": (case("Bernoulli", t(0.0, 0.3, 1.0, 0.5), value=CHANCES),
                  case("Bernoulli", t([0.2], [0.0], [1.0]), value=CHANCES)),
    "Beta": (case("Beta", t(0.3, 2.0), t(1.5, 4.0), value=ROWS),
             case("Beta", t([2.0], [1.0]), t([0.4], [3.0]), value=ROWS)),
    "Binomial": (case("Binomial", t(4.0, 5.0), t(0.3, 0.9), value=ROWS),
                 case("Binomial", t(4.0)[0], t([0.2], [0.6]), value=ROWS)),
    "Categorical": (case("Categorical", t([0.2, 0.8, 0.0], [0.1, 0.3, 0.6]), value=ROWS),
                    case("Categorical", t([[0.3, 0.3, 0.4]], [[0.5, 0.0, 0.5]]), value=ROWS)),
    "Cauchy": (CASES["Cauchy"], case("Cauchy", t(0.0)[0], t(2.0)[0], value=ROWS)),
    "ContinuousBernoulli": (case("ContinuousBernoulli", CHANCES, value=ROWS),
                            case("ContinuousBernoulli", t([0.2], [0.7]), value=ROWS)),
    "Dirichlet": (case("Dirichlet", t([0.3, 1.0], [5.0, 0.9]), value=ROWS),
                  case("Dirichlet", t(2.0, 3.0), value=ROWS)),
    "Exponential": (case("Exponential", t(0.5, 2.0), value=ROWS),
                    case("Exponential", t([1.0], [3.0]), value=ROWS)),
    "Gamma": (case("Gamma", t(0.5, 2.0), t(1.5, 0.3), value=ROWS),
              case("Gamma", t([1.0], [3.0]), t([2.0], [0.7]), value=ROWS)),
    "Geometric": (case("Geometric", t(0.5, 0.2), value=ROWS),
                  case("Geometric", t([0.1], [0.7]), value=ROWS)),
    "Gumbel": (case("Gumbel", t(0.5, -2.0), t(1.5, 0.3), value=ROWS),
               case("Gumbel", t([1.0], [3.0]), t([2.0], [0.7]), value=ROWS)),
    "HalfNormal": (case("HalfNormal", t(0.5, 2.0), value=ROWS),
                   case("HalfNormal", t([1.0], [3.0]), value=ROWS)),
    "Independent": (CASES["Independent"], CASES["Independent"]),
    "Laplace": (case("Laplace", t(0.5, -2.0), t(1.5, 0.3), value=ROWS),
                case("Laplace", t([1.0], [3.0]), t([2.0], [0.7]), value=ROWS)),
    "LowRankMultivariateNormal": (
        case("LowRankMultivariateNormal", REAL, FACTOR, DIAGONAL, value=ROWS),
        case("LowRankMultivariateNormal", t([0.0] * 3, [1.0] * 3), FACTOR * 2, DIAGONAL.flip(0),
             value=ROWS),
    ),
    "MultivariateNormal": (
        case("MultivariateNormal", t([0.0] * 3, [1.0] * 3), EYE + FACTOR @ FACTOR.T, value=ROWS),
        case("MultivariateNormal", t([0.3] * 3, [-1.0] * 3), EYE * 2, value=ROWS),
    ),
    "Normal": (case("Normal", t(0.5, -2.0), t(1.5, 0.3), value=ROWS),
               case("Normal", t([1.0], [3.0]), t([2.0], [0.7]), value=ROWS)),
    "OneHotCategorical": (case("OneHotCategorical", ROWS, value=ROWS),
                          case("OneHotCategorical", ROWS[0], value=ROWS)),
    "Pareto": (case("Pareto", t(0.5, 2.0), t(1.5, 3.0), value=ROWS),
               case("Pareto", t([0.5], [0.1], [1.0]), t([2.0], [0.7], [2.0]), value=ROWS)),
    "Poisson": (case("Poisson", t(0.5, 2.0), value=ROWS),
                case("Poisson", t([0.1], [0.7]), value=ROWS)),
    "TransformedDistribution": (CASES["LogNormal"],
                                case("LogNormal", t(0.0)[0], t(2.0)[0], value=ROWS)),
    "Uniform": (case("Uniform", t(0.1, 0.3), t(0.7, 0.9), value=ROWS),
                case("Uniform", t([-1.0], [0.2], [0.4]), t([2.0], [0.8], [0.5]), value=ROWS)),
    "ExponentialFamily": (CASES["Wishart"], case("Wishart", t(4.0)[0], ROOT @ ROOT.T + COVARIANCE,
                                                 value=ROWS)),
}  # fmt: skip
VECTORS = {"Categorical", "Dirichlet", "ExponentialFamily", "LowRankMultivariateNormal",
           "MultivariateNormal", "OneHotCategorical"}  # fmt: skip
FORMULAS = sorted((p.__name__, q.__name__) for p, q in torch.distributions.kl._KL_REGISTRY)


def test_all_pairs_are_there():
    mine = {(p.__name__, q.__name__) for p, q in kagari.distributions.kl._FORMULAS}
    assert mine == set(FORMULAS)
    assert {name for pair in FORMULAS for name in pair} == set(PAIRS)


@pytest.mark.parametrize(("p", "q"), FORMULAS)
def test_divergences(p, q):
    one, other = PAIRS[p][0], PAIRS[q][1]
    count = len(one.args)
    args = one.args + other.args
    if not {p, q} & VECTORS:  # PyTorch's masks do not broadcast
        args = torch.broadcast_tensors(*args)
    args = tuple(a.clone().requires_grad_() for a in args)
    if "Binomial" in (p, q):  # a number of trials has no gradient
        args = tuple(a.detach() for a in args)

    def run(library, args):
        left, right = one.make(library, *args[:count]), other.make(library, *args[count:])
        found = library.distributions.kl_divergence(left, right)
        return found if found.requires_grad else found.to(library.float64)

    # infinite and undefined gradients are PyTorch's affair
    order = 0 if {p, q} & {"Bernoulli", "Categorical", "Pareto", "Uniform"} else 1
    if order == 0:
        got = run(kagari, ours(args))
        close(got.detach(), run(torch, args).detach(), 100.0)
    else:
        compare(run, args, order=1, scale=100.0)


def test_uniform_within_the_ends():
    """A support that is just covered is covered; PyTorch says infinite."""
    d = kagari.distributions
    p = d.ContinuousBernoulli(0.3)
    assert kagari.allclose(d.kl_divergence(p, d.Uniform(0.0, 1.0)), -p.entropy())
    assert d.kl_divergence(p, d.Uniform(0.0, 0.9)).isinf()


@pytest.mark.parametrize("name", ["Normal", "Laplace", "Gumbel", "Gamma", "Beta", "Pareto"])
def test_normal_by_sampling(name):
    """The mean of log p - log q over samples of p."""
    one, q = PAIRS[name][0], kagari.distributions.Normal(0.5, 2.0)
    args = [a + 2 for a in one.args] if name == "Pareto" else one.args
    p = one.make(kagari, *ours(tuple(args)))
    kagari.manual_seed(0)
    x = p.sample((200_000,))
    terms = p.log_prob(x) - q.log_prob(x.float()).double()
    found, error = terms.mean(0), terms.std(0) / 200_000**0.5
    away = (found - kagari.distributions.kl_divergence(p, q)).abs() / error
    assert (away < 5).all(), theirs(away)


class First(kagari.distributions.Normal):
    pass


class Second(First):
    pass


def test_the_nearest_formula_is_taken():
    d, kl = kagari.distributions, kagari.distributions.kl
    before = dict(kl._FORMULAS)
    try:
        d.register_kl(First, d.Normal)(lambda p, q: "first")
        d.register_kl(d.Normal, First)(lambda p, q: "second")
        assert d.kl_divergence(Second(0.0, 1.0), d.Normal(0.0, 1.0)) == "first"
        assert d.kl_divergence(d.Normal(0.0, 1.0), Second(0.0, 1.0)) == "second"
        with pytest.warns(RuntimeWarning, match=r"register_kl\(First, First\)"):
            assert d.kl_divergence(Second(0.0, 1.0), Second(0.0, 1.0)) == "first"
    finally:
        kl._FORMULAS.clear()
        kl._FORMULAS.update(before)


def test_pairs_without_a_formula():
    d = kagari.distributions
    with pytest.raises(NotImplementedError, match=r"p type Normal and q type VonMises"):
        d.kl_divergence(d.Normal(0.0, 1.0), d.VonMises(0.0, 1.0))
    with pytest.raises(NotImplementedError, match="Bregman"):
        d.kl_divergence(d.Normal(0.0, 1.0), d.Poisson(1.0))
    with pytest.raises(TypeError, match="Expected type_q to be a Distribution subclass"):
        d.register_kl(d.Normal, int)
    with pytest.raises(NotImplementedError, match="q.total_count > p.total_count"):
        d.kl_divergence(d.Binomial(3, 0.5), d.Binomial(4, 0.5))
    flat, full = d.MultivariateNormal(kagari.zeros(2), kagari.eye(2)), None
    full = d.MultivariateNormal(kagari.zeros(3), kagari.eye(3))
    with pytest.raises(ValueError, match="different event shapes"):
        d.kl_divergence(flat, full)
