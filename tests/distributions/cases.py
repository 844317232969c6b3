"""Every distribution with parameters (the grid's rows are broadcast) and values to judge."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch

D = torch.float64


class Case(NamedTuple):
    """`make(library, *args)` with tensors of the library; `value` broadcasts to its shape."""

    make: Callable[..., Any]
    args: tuple[torch.Tensor, ...]
    value: torch.Tensor
    continuous: bool = True  # the density has a gradient in the value


def t(*rows: Any) -> torch.Tensor:
    return torch.tensor(rows, dtype=D)


REAL = t(0.3, -1.2, 2.0)
POSITIVE = t([0.4], [1.7])
SHAPES = t(0.05, 0.7, 1.0, 3.5, 40.0)  # of gamma distributions, from spiked to nearly normal
RATES = t([0.5], [2.0])
CHANCES = t(0.02, 0.3, 0.5, 0.97)
LOGITS = t(-3.0, 0.0, 0.4, 5.0)
COUNTS = t([0.0], [3.0])
ROWS = t([0.2, 0.3, 0.5], [0.98, 0.01, 0.01])
ROOT = t([1.2, 0.0], [0.4, 0.7])
COVARIANCE = ROOT @ ROOT.T
FACTOR, DIAGONAL = t([0.5, 0.1], [1.0, -0.3], [0.2, 2.0]), t(0.3, 1.0, 2.0)
TEMPERATURE = t(0.7)[0]
CORRELATION = torch.linalg.cholesky(t([1.0, 0.3, -0.2], [0.3, 1.0, 0.5], [-0.2, 0.5, 1.0]))


def named(name: str) -> Callable[..., Any]:
    return lambda library, *args: getattr(library.distributions, name)(*args)


def with_logits(name: str, *before: Any) -> Callable[..., Any]:
    return lambda library, *args: getattr(library.distributions, name)(
        *before, *args[:-1], logits=args[-1]
    )


def case(name: str, *args: torch.Tensor, value: torch.Tensor, continuous: bool = True) -> Case:
    return Case(named(name), args, value, continuous)


CASES = {
    "Bernoulli": case("Bernoulli", CHANCES, value=t([0.0], [1.0]), continuous=False),
    "Bernoulli of logits": Case(with_logits("Bernoulli"), (LOGITS,), t([0.0], [1.0]), False),
    "Beta": case("Beta", SHAPES, RATES, value=t([0.1], [0.8])),
    "Binomial": case("Binomial", t([4.0], [3.0]), CHANCES, value=t(0.0, 1.0, 3.0, 2.0),
                     continuous=False),
    "Binomial of logits": Case(with_logits("Binomial"), (t(3.0)[0], LOGITS), COUNTS, False),
    "Categorical": case("Categorical", ROWS, value=torch.tensor([[0], [2]]), continuous=False),
    "Categorical of logits": Case(with_logits("Categorical"), (LOGITS,), torch.tensor([3, 0]),
                                  False),
    "Cauchy": case("Cauchy", REAL, POSITIVE, value=REAL + 0.3),
    "Chi2": case("Chi2", SHAPES, value=RATES),
    "ContinuousBernoulli": case("ContinuousBernoulli", CHANCES, value=t([0.1], [0.8])),
    "ContinuousBernoulli of logits": Case(
        with_logits("ContinuousBernoulli"), (LOGITS,), t([0.1], [0.8])
    ),
    "Dirichlet": case("Dirichlet", t([0.3, 1.0, 2.0], [5.0, 40.0, 0.9]), value=ROWS),
    "Exponential": case("Exponential", POSITIVE, value=POSITIVE + 0.1),
    "FisherSnedecor": case("FisherSnedecor", t(1.5, 4.0, 9.0), t([1.0], [3.0], [9.0]),
                           value=t(0.2, 1.0, 4.0)),
    "Gamma": case("Gamma", SHAPES, RATES, value=t([0.3], [4.0])),
    "GeneralizedPareto": case("GeneralizedPareto", t([0.5], [-0.3]), t(1.0, 2.0, 0.7),
                              t(0.4, 0.8, -0.3), value=t(1.0, 0.9, 1.3)),
    "Geometric": case("Geometric", CHANCES, value=COUNTS, continuous=False),
    "Geometric of logits": Case(with_logits("Geometric"), (LOGITS,), COUNTS, False),
    "Gumbel": case("Gumbel", REAL, POSITIVE, value=REAL + 0.3),
    "HalfCauchy": case("HalfCauchy", POSITIVE, value=t(0.1, 2.0)),
    "HalfNormal": case("HalfNormal", POSITIVE, value=t(0.1, 2.0)),
    "Independent": Case(
        lambda library, *a: library.distributions.Independent(library.distributions.Normal(*a), 1),
        (REAL, POSITIVE), REAL + 0.3,
    ),
    "InverseGamma": case("InverseGamma", SHAPES, RATES, value=t([0.3], [4.0])),
    "Kumaraswamy": case("Kumaraswamy", t(0.3, 1.0, 4.0), RATES, value=t([0.1], [0.8])),
    "LKJCholesky": Case(
        lambda library, c: library.distributions.LKJCholesky(3, c), (t(0.5, 1.0, 4.0),),
        CORRELATION,
    ),
    "Laplace": case("Laplace", REAL, POSITIVE, value=REAL + 0.3),
    "LogNormal": case("LogNormal", REAL, POSITIVE, value=t(0.2, 1.0, 7.0)),
    "LogisticNormal": case("LogisticNormal", REAL[:2], POSITIVE, value=ROWS),
    "LowRankMultivariateNormal": case("LowRankMultivariateNormal", REAL, FACTOR, DIAGONAL,
                                      value=t([0.0, 1.0, 2.0], [0.3, 0.1, -0.4])),
    "MixtureSameFamily": Case(
        lambda library, w, *a: library.distributions.MixtureSameFamily(
            library.distributions.Categorical(w), library.distributions.Normal(*a)
        ),
        (ROWS, REAL, POSITIVE), t(0.1, -2.0),
    ),
    "MixtureSameFamily of vectors": Case(
        lambda library, w, m: library.distributions.MixtureSameFamily(
            library.distributions.Categorical(w),
            library.distributions.Independent(library.distributions.Normal(m, 1.0), 1),
        ),
        (t(0.4, 0.6), t([0.0, 1.0], [2.0, -1.0])), t(0.1, -2.0),
    ),
    "Multinomial": Case(
        lambda library, p: library.distributions.Multinomial(4, p), (ROWS,),
        t([1.0, 2.0, 1.0], [4.0, 0.0, 0.0]), False,
    ),
    "MultivariateNormal": case("MultivariateNormal", t([0.0, 1.0], [0.3, -0.4]), COVARIANCE,
                               value=t([0.0, 1.0], [0.3, 0.1])),
    "MultivariateNormal of precision": Case(
        lambda library, m, p: library.distributions.MultivariateNormal(m, precision_matrix=p),
        (REAL[:2], COVARIANCE), t([0.0, 1.0], [0.3, 0.1]),
    ),
    "MultivariateNormal of scale": Case(
        lambda library, m, s: library.distributions.MultivariateNormal(m, scale_tril=s),
        (REAL[:2], torch.stack([ROOT, 2 * ROOT])), t(0.0, 1.0),
    ),
    "NegativeBinomial": case("NegativeBinomial", t([0.5], [4.0]), CHANCES, value=COUNTS,
                             continuous=False),
    "NegativeBinomial of logits": Case(
        with_logits("NegativeBinomial"), (t([0.5], [4.0]), LOGITS), COUNTS, False
    ),
    "Normal": case("Normal", REAL, POSITIVE, value=REAL + 0.3),
    "OneHotCategorical": case("OneHotCategorical", ROWS, value=t(0.0, 1.0, 0.0), continuous=False),
    "OneHotCategoricalStraightThrough": case(
        "OneHotCategoricalStraightThrough", ROWS, value=t(0.0, 1.0, 0.0), continuous=False
    ),
    "Pareto": case("Pareto", POSITIVE, t(0.5, 1.5, 3.0), value=t(2.0, 3.0, 9.0)),
    "Poisson": case("Poisson", t(0.1, 3.0, 40.0), value=COUNTS, continuous=False),
    "RelaxedBernoulli": case("RelaxedBernoulli", TEMPERATURE, CHANCES, value=t([0.1], [0.8])),
    "RelaxedBernoulli of logits": Case(
        with_logits("RelaxedBernoulli"), (TEMPERATURE, LOGITS), t([0.1], [0.8])
    ),
    "RelaxedOneHotCategorical": case("RelaxedOneHotCategorical", TEMPERATURE, ROWS, value=ROWS),
    "StudentT": case("StudentT", t(0.7, 1.5, 8.0), REAL, POSITIVE, value=REAL + 0.3),
    "TransformedDistribution": Case(
        lambda library, m, s: library.distributions.TransformedDistribution(
            library.distributions.Normal(m, s),
            [library.distributions.AffineTransform(1.0, -2.0),
             library.distributions.SigmoidTransform()],
        ),
        (REAL, POSITIVE), t(0.2, 0.5, 0.9),
    ),
    "Uniform": case("Uniform", REAL, REAL + POSITIVE, value=REAL + 0.2),
    "VonMises": case("VonMises", REAL, t([0.01], [3.0], [80.0]), value=REAL + 0.3),
    "Weibull": case("Weibull", POSITIVE, t(0.5, 1.0, 4.0), value=t(0.2, 1.0, 7.0)),
    "Wishart": case("Wishart", t(3.5, 6.0), COVARIANCE, value=COVARIANCE * 2),
    "Wishart of scale": Case(
        lambda library, n, s: library.distributions.Wishart(n, scale_tril=s.tril()),
        (t(3.5, 6.0), ROOT),
        COVARIANCE * 2,
    ),
}  # fmt: skip
