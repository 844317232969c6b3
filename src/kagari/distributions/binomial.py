"""The binomial distribution."""

from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .chances import Chances
from .parameters import broadcast_all, chosen, row_of_integers


class Binomial(Chances):
    """The number of successes in `total_count` trials of probability `probs`.

    >>> kagari.distributions.Binomial(4, 0.5).log_prob(kagari.tensor(2.0))
    tensor(-0.9808)
    """

    arg_constraints = {"total_count": constraints.nonnegative_integer, **Chances.arg_constraints}
    has_enumerate_support = True
    _parameters = {"total_count": 0, **Chances._parameters}

    def __init__(
        self,
        total_count: Any = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ):
        chosen(probs, logits)
        count, given = broadcast_all(total_count, logits if probs is None else probs)
        count = count.type_as(given)
        probs, logits = (given, None) if logits is None else (None, given)
        self._take_chances(probs, logits, validate_args, total_count=count)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with kagari.no_grad():
            return kagari.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        n, logits = self.total_count, self.logits
        ways = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        # log (1 + e^logits), with a gradient of a half at 0
        above = (logits.clamp(min=0) + logits - logits.clamp(max=0)) / 2
        return value * logits + ways - n * (above + (-logits.abs()).exp().log1p())

    def entropy(self) -> Tensor:
        self._one_count("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        count = self._one_count("enumerate_support")
        return row_of_integers(1 + count, self._param, self._batch_shape, expand)

    def _one_count(self, asked: str) -> int:
        count = int(self.total_count.max())
        if self.total_count.min() != count:
            raise NotImplementedError(f"Inhomogeneous total count not supported by `{asked}`.")
        return count
