"""The Kumaraswamy distribution."""

import math
from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .parameters import broadcast_all, euler_constant
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, PowerTransform
from .uniform import Uniform


class Kumaraswamy(TransformedDistribution):
    """The distribution function 1 - (1 - x^a)^b on [0, 1], for the concentrations a and b.

    >>> kagari.distributions.Kumaraswamy(2.0, 2.0).mean
    tensor(0.5333)
    """

    arg_constraints = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    support = constraints.unit_interval  # type: ignore[assignment]

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None):
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        a, b = self.concentration1, self.concentration0
        ends = kagari.full_like(b, 0), kagari.full_like(b, 1)
        super().__init__(
            Uniform(*ends, validate_args=validate_args),
            [
                PowerTransform(exponent=b.reciprocal()),
                AffineTransform(loc=1.0, scale=-1.0),
                PowerTransform(exponent=a.reciprocal()),
            ],
            validate_args=validate_args,
        )

    def expand(self, batch_shape: Any, _instance: Any = None) -> "Kumaraswamy":
        names = ("concentration1", "concentration0")
        expanded = {name: getattr(self, name).expand(batch_shape) for name in names}
        return self._expanded_base(Kumaraswamy, _instance, batch_shape, **expanded)

    def _moment(self, n: int) -> Tensor:
        a, b = self.concentration1, self.concentration0
        place = 1 + n / a
        return b * (place.lgamma() + b.lgamma() - (place + b).lgamma()).exp()

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        mode = ((a - 1) / (a * b - 1)).pow(a.reciprocal())
        return mode.masked_fill((b < 1) | (a < 1), math.nan)

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self.mean.pow(2)

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        harmonic = (b + 1).digamma() + euler_constant
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * harmonic - a.log() - b.log()
