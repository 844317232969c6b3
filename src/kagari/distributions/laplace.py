"""The Laplace distribution."""

from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .distribution import Distribution


class Laplace(Distribution):
    """Density exp(-|x - loc| / scale) / (2 scale).

    >>> kagari.distributions.Laplace(0.0, 1.0).log_prob(kagari.tensor(0.0))
    tensor(-0.6931)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _parameters = {"loc": 0, "scale": 0}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None):
        self._take(validate_args, loc=loc, scale=scale)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale.pow(2)

    @property
    def stddev(self) -> Tensor:
        return 2**0.5 * self.scale

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        eps = kagari.finfo(self.loc.dtype).eps
        u = self.loc.new_empty(shape).uniform_(eps - 1, 1)
        return self.loc - self.scale * u.sign() * kagari.log1p(-u.abs())

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        return -kagari.log(2 * self.scale) - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        self._judge(value)
        away = value - self.loc
        return 0.5 - 0.5 * away.sign() * kagari.expm1(-away.abs() / self.scale)

    def icdf(self, value: Tensor) -> Tensor:
        side = value - 0.5
        return self.loc - self.scale * side.sign() * kagari.log1p(-2 * side.abs())

    def entropy(self) -> Tensor:
        return 1 + kagari.log(2 * self.scale)
