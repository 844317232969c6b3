"""The Bernoulli distribution."""

from typing import Any

import kagari
from kagari.nn import functional as F

from .._C import Tensor
from . import constraints
from .chances import Chances
from .distribution import ExponentialFamily
from .parameters import broadcast_all, row_of_integers


class Bernoulli(Chances, ExponentialFamily):
    """1 with probability `probs`, else 0; from probabilities or from log-odds.

    >>> kagari.distributions.Bernoulli(0.3).log_prob(kagari.tensor(1.0))
    tensor(-1.2040)
    """

    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0
    _parameters = Chances._parameters

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        self._take_chances(probs, logits, validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        mode = (self.probs >= 0.5).to(self.probs)
        return mode.masked_fill(self.probs == 0.5, float("nan"))

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with kagari.no_grad():
            return kagari.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        logits, value = broadcast_all(self.logits, value)
        return -F.binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        return F.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return row_of_integers(2, self._param, self._batch_shape, expand)

    @property
    def _natural_params(self) -> tuple[Tensor]:
        return (kagari.logit(self.probs),)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.exp().log1p()
