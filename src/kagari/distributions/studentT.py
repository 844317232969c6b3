"""Student's t-distribution."""

import math
from typing import Any

from .._C import Tensor
from . import constraints
from .chi2 import Chi2
from .distribution import Distribution
from .parameters import standard_normal


class StudentT(Distribution):
    """A normal number over the root of a chi-squared one over its `df`, moved and scaled.

    >>> kagari.distributions.StudentT(2.0).log_prob(kagari.tensor(0.0))
    tensor(-1.0397)
    """

    arg_constraints = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real
    has_rsample = True

    def __init__(
        self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None
    ):
        self._take(validate_args, df=df, loc=loc, scale=scale)
        self._chi2 = Chi2(self.df)

    def expand(self, batch_shape: Any, _instance: Any = None) -> "StudentT":
        names = ("df", "loc", "scale", "_chi2")
        expanded = {name: getattr(self, name).expand(batch_shape) for name in names}
        return self._expanded(StudentT, _instance, batch_shape, **expanded)

    @property
    def mean(self) -> Tensor:
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        spread = self.scale.pow(2) * self.df / (self.df - 2)
        return spread.masked_fill(self.df <= 2, math.inf).masked_fill(self.df <= 1, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        x = standard_normal(self._extended_shape(sample_shape), self.df)
        z = self._chi2.rsample(sample_shape)
        return self.loc + self.scale * (x * (z / self.df).rsqrt())

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        y, half = (value - self.loc) / self.scale, 0.5 * (self.df + 1.0)
        norm = self.scale.log() + 0.5 * self.df.log() + 0.5 * math.log(math.pi)
        norm = norm + (0.5 * self.df).lgamma() - half.lgamma()
        return -half * (y.pow(2.0) / self.df).log1p() - norm

    def entropy(self) -> Tensor:
        half, upper = 0.5 * self.df, 0.5 * (self.df + 1)
        log_beta = half.lgamma() + math.lgamma(0.5) - upper.lgamma()
        moved = upper * (upper.digamma() - half.digamma())
        return self.scale.log() + moved + 0.5 * self.df.log() + log_beta
