"""Fisher's and Snedecor's F distribution."""

import math
from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .distribution import Distribution
from .gamma import Gamma


class FisherSnedecor(Distribution):
    """The quotient of two chi-squared numbers over their degrees of freedom `df1` and `df2`.

    >>> kagari.distributions.FisherSnedecor(1.0, 2.0).log_prob(kagari.tensor(1.0))
    tensor(-1.6479)
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None):
        self._take(validate_args, df1=df1, df2=df2)
        self._gamma1, self._gamma2 = (
            Gamma(self.df1 * 0.5, self.df1),
            Gamma(self.df2 * 0.5, self.df2),
        )

    def expand(self, batch_shape: Any, _instance: Any = None) -> "FisherSnedecor":
        names = ("df1", "df2", "_gamma1", "_gamma2")
        expanded = {name: getattr(self, name).expand(batch_shape) for name in names}
        return self._expanded(FisherSnedecor, _instance, batch_shape, **expanded)

    @property
    def mean(self) -> Tensor:
        df2 = self.df2.masked_fill(self.df2 <= 2, math.nan)
        return df2 / (df2 - 2)

    @property
    def mode(self) -> Tensor:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return mode.masked_fill(self.df1 <= 2, math.nan)

    @property
    def variance(self) -> Tensor:
        df1, df2 = self.df1, self.df2.masked_fill(self.df2 <= 4, math.nan)
        return 2 * df2.pow(2) * (df1 + df2 - 2) / (df1 * (df2 - 2).pow(2) * (df2 - 4))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        tiny = kagari.finfo(self.df1.dtype).tiny
        above = self._gamma1.rsample(sample_shape)
        below = self._gamma2.rsample(sample_shape).clamp(min=tiny)
        return (above / below).clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        half1, half2, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        norm = (half1 + half2).lgamma() - half1.lgamma() - half2.lgamma()
        power = half1 * ratio.log() + (half1 - 1) * value.log()
        return norm + power - (half1 + half2) * (ratio * value).log1p()
