"""The Weibull distribution."""

from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .exponential import Exponential
from .parameters import broadcast_all, euler_constant
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, PowerTransform


class Weibull(TransformedDistribution):
    """The distribution function 1 - exp(-(x / scale)^concentration).

    >>> kagari.distributions.Weibull(1.0, 1.0).log_prob(kagari.tensor(1.0))
    tensor(-1.)
    """

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive  # type: ignore[assignment]

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None):
        self.scale, self.concentration = broadcast_all(scale, concentration)
        self.concentration_reciprocal = self.concentration.reciprocal()
        base = Exponential(kagari.ones_like(self.scale), validate_args=validate_args)
        super().__init__(base, self._steps(self), validate_args=validate_args)

    @staticmethod
    def _steps(of: Any) -> list[Any]:
        power = PowerTransform(exponent=of.concentration_reciprocal)
        return [power, AffineTransform(loc=0, scale=of.scale)]

    def expand(self, batch_shape: Any, _instance: Any = None) -> "Weibull":
        names = ("scale", "concentration", "concentration_reciprocal", "base_dist")
        expanded = {name: getattr(self, name).expand(batch_shape) for name in names}
        new = self._expanded(Weibull, _instance, batch_shape, **expanded)
        new.transforms = self._steps(new)
        return new

    @property
    def mean(self) -> Tensor:
        return self.scale * (1 + self.concentration_reciprocal).lgamma().exp()

    @property
    def mode(self) -> Tensor:
        power = (self.concentration - 1) / self.concentration
        return self.scale * power ** self.concentration.reciprocal()

    @property
    def variance(self) -> Tensor:
        second = (1 + 2 * self.concentration_reciprocal).lgamma().exp()
        first = (2 * (1 + self.concentration_reciprocal).lgamma()).exp()
        return self.scale.pow(2) * (second - first)

    def entropy(self) -> Tensor:
        r = self.concentration_reciprocal
        return euler_constant * (1 - r) + (self.scale * r).log() + 1
