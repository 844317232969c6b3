"""The Gumbel distribution."""

import math
from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .parameters import broadcast_all, euler_constant
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, ExpTransform
from .uniform import Uniform


class Gumbel(TransformedDistribution):
    """Density exp(-(z + exp(-z))) / scale for z = (x - loc) / scale: the largest of many.

    >>> kagari.distributions.Gumbel(0.0, 1.0).log_prob(kagari.tensor(0.0))
    tensor(-1.)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real  # type: ignore[assignment]

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None):
        self.loc, self.scale = broadcast_all(loc, scale)
        info = kagari.finfo(self.loc.dtype)
        ends = kagari.full_like(self.loc, info.tiny), kagari.full_like(self.loc, 1 - info.eps)
        super().__init__(
            Uniform(*ends, validate_args=validate_args),
            [
                ExpTransform().inv,
                AffineTransform(loc=0, scale=-kagari.ones_like(self.scale)),
                ExpTransform().inv,
                AffineTransform(loc=self.loc, scale=-self.scale),
            ],
            validate_args=validate_args,
        )

    def expand(self, batch_shape: Any, _instance: Any = None) -> "Gumbel":
        loc, scale = self.loc.expand(batch_shape), self.scale.expand(batch_shape)
        moved = [*self.transforms[:-1], AffineTransform(loc=loc, scale=-scale)]
        base = self.base_dist.expand(batch_shape)
        kept = {"loc": loc, "scale": scale, "base_dist": base, "transforms": moved}
        return self._expanded(Gumbel, _instance, batch_shape, **kept)

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * euler_constant

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev.pow(2)

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + euler_constant)
