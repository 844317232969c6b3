"""The negative binomial distribution."""

from typing import Any

import kagari
from kagari.nn import functional as F

from .._C import Tensor
from . import constraints
from .chances import Chances
from .gamma import Gamma
from .parameters import broadcast_all, chosen, lazy_property


class NegativeBinomial(Chances):
    """The number of successes of probability `probs` before `total_count` failures.

    >>> kagari.distributions.NegativeBinomial(3.0, 0.5).log_prob(kagari.tensor(2.0))
    tensor(-1.6740)
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer
    _parameters = {"total_count": 0, **Chances._parameters}

    def __init__(
        self,
        total_count: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ):
        chosen(probs, logits)
        count, given = broadcast_all(total_count, logits if probs is None else probs)
        count = count.type_as(given)
        probs, logits = (given, None) if logits is None else (None, given)
        self._take_chances(probs, logits, validate_args, total_count=count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    @lazy_property
    def _gamma(self) -> Gamma:
        rate = (-self.logits).exp()
        return Gamma(concentration=self.total_count, rate=rate, validate_args=False)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with kagari.no_grad():
            return kagari.poisson(self._gamma.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        n, logits = self.total_count, self.logits
        chance = n * F.logsigmoid(-logits) + value * F.logsigmoid(logits)
        ways = (n + value).lgamma() - (1.0 + value).lgamma() - n.lgamma()
        return chance + ways.masked_fill(n + value == 0.0, 0.0)
