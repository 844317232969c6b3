"""The von Mises distribution."""

import math
from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .distribution import Distribution


class VonMises(Distribution):
    """Density exp(concentration cos(x - loc)) / (2 pi I0(concentration)) of an angle x. Samples by
    Best and Fisher's rejection (1979), in float64.

    >>> kagari.distributions.VonMises(0.0, 1.0).log_prob(kagari.tensor(0.0))
    tensor(-1.0738)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False
    _parameters = {"loc": 0, "concentration": 0}

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None):
        self._take(validate_args, loc=loc, concentration=concentration)

    @property
    def mean(self) -> Tensor:
        """The circular mean."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The circular variance."""
        k = self.concentration
        return 1 - kagari.special.i1e(k) / kagari.special.i0e(k)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with kagari.no_grad():
            loc, kappa = self.loc.double(), self.concentration.double()
            tau = 1 + (1 + 4 * kappa**2).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
            # cancels for a small concentration
            r = kagari.where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho**2) / (2 * rho))
            angle = _rejection(kappa, r, self._extended_shape(sample_shape))
            moved = (angle + math.pi + loc) % (2 * math.pi) - math.pi
            return moved.to(self.loc.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        k = self.concentration
        norm = math.log(2 * math.pi) + kagari.special.i0e(k).log() + k
        return k * (value - self.loc).cos() - norm


def _rejection(kappa: Tensor, r: Tensor, shape: Any) -> Tensor:
    x = kagari.empty(shape, dtype=kappa.dtype, device=kappa.device)
    done = kagari.zeros(shape, dtype=kagari.bool, device=kappa.device)
    while not done.all():
        u1, u2, u3 = kagari.rand((3, *shape), dtype=kappa.dtype, device=kappa.device).unbind()
        z = (math.pi * u1).cos()
        f = (1 + r * z) / (r + z)
        c = kappa * (r - f)
        accept = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
        x = kagari.where(accept, (u3 - 0.5).sign() * f.acos(), x)
        done = done | accept
    return x
