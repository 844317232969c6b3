"""The generalised Pareto distribution."""

import math
from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .distribution import Distribution
from .parameters import standard_uniform


class GeneralizedPareto(Distribution):
    """The distribution function 1 - (1 + c z)^(-1 / c) for a concentration c and
    z = (x - loc) / scale >= 0; exponential where c is 0, and bounded where it is negative.

    >>> kagari.distributions.GeneralizedPareto(0.0, 1.0, 0.5).log_prob(kagari.tensor(1.0))
    tensor(-1.2164)
    """

    arg_constraints = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True
    _parameters = {"loc": 0, "scale": 0, "concentration": 0}

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None):
        self._take(validate_args, loc=loc, scale=scale, concentration=concentration)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        last = self.loc - self.scale / self.concentration
        upper = kagari.where(self.concentration < 0, last, math.inf)
        return constraints.interval(self.loc, upper)

    def _shape(self) -> tuple[Tensor, Tensor]:
        """Where the concentration is taken as 0, and one that can be divided by."""
        flat = kagari.isclose(self.concentration, kagari.zeros_like(self.concentration))
        return flat, self.concentration.masked_fill(flat, 1.0)

    def _log_survival(self, value: Tensor) -> Tensor:
        z, (flat, c) = (value - self.loc) / self.scale, self._shape()
        return kagari.where(flat, -z, -(c * z).log1p() / c)

    @property
    def mean(self) -> Tensor:
        c = self.concentration
        return (self.scale / (1 - c) + self.loc).masked_fill(c >= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        c = self.concentration
        variance = self.scale.pow(2) / ((1 - c).pow(2) * (1 - 2 * c))
        return variance.masked_fill(c >= 0.5, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.icdf(standard_uniform(self._extended_shape(sample_shape), self.loc))

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        # the density is the survival function to the power of 1 + c
        flat, _ = self._shape()
        power = 1 + self.concentration.masked_fill(flat, 0.0)
        return power * self._log_survival(value) - self.scale.log()

    def log_survival_function(self, value: Tensor) -> Tensor:
        """log(1 - cdf)."""
        self._judge(value)
        return self._log_survival(value)

    def log_cdf(self, value: Tensor) -> Tensor:
        """log(cdf)."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        return 1 - self.log_survival_function(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        survival, (flat, c) = (-value).log1p(), self._shape()
        return self.loc + self.scale * kagari.where(flat, -survival, (-c * survival).expm1() / c)

    def entropy(self) -> Tensor:
        entropy = self.scale.log() + self.concentration + 1
        return entropy.expand(self._batch_shape)
