"""The continuous Bernoulli distribution (Loaiza-Ganem and Cunningham, 2019)."""

import math
from typing import Any

import kagari
from kagari.nn import functional as F

from .._C import Tensor
from . import constraints
from .chances import Chances
from .distribution import ExponentialFamily
from .parameters import broadcast_all, chosen, clamp_probs, standard_uniform


class ContinuousBernoulli(Chances, ExponentialFamily):
    """Density proportional to probs^x (1 - probs)^(1 - x) on [0, 1]. Between the probabilities
    `lims` the normalising constant and what follows from it are had from their Taylor series.

    >>> kagari.distributions.ContinuousBernoulli(0.3).mean
    tensor(0.4302)
    """

    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0
    _parameters = Chances._parameters
    _constants = ("_given", "_lims")

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ):
        self._lims = lims
        if chosen(probs, logits) == "probs":
            (probs,) = broadcast_all(probs)
            inside = self.arg_constraints["probs"].check(probs)
            if validate_args is not None and not inside.all():
                raise ValueError("The parameter probs has invalid values")
            probs = clamp_probs(probs)
        self._take_chances(probs, logits, validate_args)

    def _stable(self) -> Tensor:
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _cut_probs(self) -> Tensor:
        return kagari.where(self._stable(), self.probs, self._lims[0])

    def _log_norm(self) -> Tensor:
        cut = self._cut_probs()
        below, above = cut.where(cut <= 0.5, 0.0), cut.where(cut >= 0.5, 1.0)
        width = kagari.where(cut <= 0.5, (-2.0 * below).log1p(), (2.0 * above - 1.0).log())
        log_norm = ((-cut).log1p() - cut.log()).abs().log() - width
        x = (self.probs - 0.5).pow(2)
        taylor = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x
        return kagari.where(self._stable(), log_norm, taylor)

    @property
    def mean(self) -> Tensor:
        cut = self._cut_probs()
        mean = cut / (2.0 * cut - 1.0) + 1.0 / ((-cut).log1p() - cut.log())
        x = self.probs - 0.5
        taylor = 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.pow(2)) * x
        return kagari.where(self._stable(), mean, taylor)

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    @property
    def variance(self) -> Tensor:
        cut = self._cut_probs()
        spread = cut * (cut - 1.0) / (1.0 - 2.0 * cut).pow(2)
        spread = spread + 1.0 / ((-cut).log1p() - cut.log()).pow(2)
        x = (self.probs - 0.5).pow(2)
        taylor = 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x
        return kagari.where(self._stable(), spread, taylor)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.icdf(standard_uniform(self._extended_shape(sample_shape), self.probs))

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        logits, value = broadcast_all(self.logits, value)
        cross = F.binary_cross_entropy_with_logits(logits, value, reduction="none")
        return self._log_norm() - cross

    def cdf(self, value: Tensor) -> Tensor:
        self._judge(value)
        cut = self._cut_probs()
        below = cut.pow(value) * (1.0 - cut).pow(1.0 - value) + cut - 1.0
        inside = kagari.where(self._stable(), below / (2.0 * cut - 1.0), value)
        return inside.where(value > 0, 0.0).where(value < 1, 1.0)

    def icdf(self, value: Tensor) -> Tensor:
        cut = self._cut_probs()
        none = (-cut).log1p()
        place = ((-cut + value * (2.0 * cut - 1.0)).log1p() - none) / (cut.log() - none)
        return kagari.where(self._stable(), place, value)

    def entropy(self) -> Tensor:
        none, all_ = (-self.probs).log1p(), self.probs.log()
        return self.mean * (none - all_) - self._log_norm() - none

    @property
    def _natural_params(self) -> tuple[Tensor]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        low, high = self._lims[0] - 0.5, self._lims[1] - 0.5
        stable = (x <= low) | (x > high)
        cut = kagari.where(stable, x, low)
        taylor = 0.5 * x + x.pow(2) / 24.0 - x.pow(4) / 2880.0
        return kagari.where(stable, cut.expm1().abs().log() - cut.abs().log(), taylor)
