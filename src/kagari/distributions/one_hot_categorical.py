"""Categorical distributions with a vector of zeros and a one as their value."""

from typing import Any

import kagari
from kagari.nn import functional as F

from .._C import Tensor
from . import constraints
from .categorical import Categorical
from .distribution import Distribution


class OneHotCategorical(Distribution):
    """Categorical, its value a row of zeros and a one.

    >>> d = kagari.distributions.OneHotCategorical(kagari.tensor([0.5, 0.5]))
    >>> d.log_prob(kagari.tensor([0.0, 1.0]))
    tensor(-0.6931)
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> "OneHotCategorical":
        inner = self._categorical.expand(batch_shape)
        return self._expanded(OneHotCategorical, _instance, batch_shape, _categorical=inner)

    @property
    def _param(self) -> Tensor:
        return self._categorical._param

    @property
    def probs(self) -> Tensor:
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        return self._categorical.logits

    @property
    def param_shape(self) -> Any:
        return self._categorical.param_shape

    @property
    def mean(self) -> Tensor:
        return self._categorical.probs

    @property
    def mode(self) -> Tensor:
        return self._row(self._categorical.mode)

    @property
    def variance(self) -> Tensor:
        return self._categorical.probs * (1 - self._categorical.probs)

    def _row(self, index: Tensor) -> Tensor:
        return F.one_hot(index, num_classes=self._categorical._num_events).to(self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self._row(self._categorical.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n, rows = self.event_shape[0], tuple(self._batch_shape)
        values = kagari.eye(n, dtype=self._param.dtype, device=self._param.device)
        values = values.view((n,) + (1,) * len(rows) + (n,))
        return values.expand((n, *rows, n)) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """The same, with a gradient: the samples' is taken to be that of the probabilities.

    >>> d = kagari.distributions.OneHotCategoricalStraightThrough(kagari.ones(2))
    >>> d.rsample().sum()
    tensor(1.)
    """

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        samples = self.sample(sample_shape)
        return samples + (self.probs - self.probs.detach())
