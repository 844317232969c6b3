"""The geometric distribution."""

from typing import Any

import kagari
from kagari.nn import functional as F

from .._C import Tensor
from . import constraints
from .chances import Chances
from .parameters import broadcast_all


class Geometric(Chances):
    """The number of failures before the first success of probability `probs`.

    >>> kagari.distributions.Geometric(0.5).log_prob(kagari.tensor(2.0))
    tensor(-2.0794)
    """

    support = constraints.nonnegative_integer
    _parameters = Chances._parameters

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        self._take_chances(probs, logits, validate_args)
        if self._validate_args and probs is not None and not (self.probs > 0).all():
            value = self.probs
            raise ValueError(
                f"Expected parameter probs ({type(value).__name__} of shape {tuple(value.shape)}) "
                f"of distribution {self!r} to be positive but found invalid values:\n{value}"
            )

    @property
    def mean(self) -> Tensor:
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        return kagari.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with kagari.no_grad():
            tiny = kagari.finfo(self.probs.dtype).tiny
            u = self.probs.new_empty(shape).uniform_(tiny, 1)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        value, probs = broadcast_all(value, self.probs)
        certain = (probs == 1) & (value == 0)  # 0 log 0 is 0
        return value * (-probs.masked_fill(certain, 0)).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        cross = F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")
        return cross / self.probs
