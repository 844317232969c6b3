"""The gamma distribution."""

from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .distribution import ExponentialFamily


class Gamma(ExponentialFamily):
    """Density rate^c x^(c - 1) exp(-rate x) / gamma(c) on x >= 0, for a concentration c.

    >>> kagari.distributions.Gamma(2.0, 1.0).log_prob(kagari.tensor(1.0))
    tensor(-1.)
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _parameters = {"concentration": 0, "rate": 0}
    _mean_carrier_measure = 0

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None):
        self._take(validate_args, concentration=concentration, rate=rate)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        value = kagari._standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)
        value.data.clamp_(min=kagari.finfo(value.dtype).tiny)  # without a gradient of its own
        return value

    def log_prob(self, value: Tensor) -> Tensor:
        value = kagari.as_tensor(value, dtype=self.rate.dtype, device=self.rate.device)
        self._judge(value)
        c, rate = self.concentration, self.rate
        return kagari.xlogy(c, rate) + kagari.xlogy(c - 1, value) - rate * value - c.lgamma()

    def cdf(self, value: Tensor) -> Tensor:
        self._judge(value)
        return kagari.special.gammainc(self.concentration, self.rate * value)

    def entropy(self) -> Tensor:
        c = self.concentration
        return c - self.rate.log() + c.lgamma() + (1.0 - c) * c.digamma()

    @property
    def _natural_params(self) -> tuple[Tensor, Tensor]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        return (x + 1).lgamma() + (x + 1) * (-y.reciprocal()).log()
