"""The relaxed Bernoulli distribution (Maddison, Mnih and Teh; Jang, Gu and Poole, 2016)."""

from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .chances import Chances
from .parameters import broadcast_all, clamp_probs, standard_uniform
from .transformed_distribution import TransformedDistribution
from .transforms import SigmoidTransform


class LogitRelaxedBernoulli(Chances):
    """The log-odds of a relaxed Bernoulli number.

    >>> d = kagari.distributions.relaxed_bernoulli.LogitRelaxedBernoulli(1.0, 0.5)
    >>> d.log_prob(kagari.tensor(0.0))
    tensor(-1.3863)
    """

    support = constraints.real
    _parameters = Chances._parameters
    _constants = ("_given", "temperature")

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ):
        self.temperature = temperature
        self._take_chances(probs, logits, validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        probs = clamp_probs(self.probs.expand(shape))
        u = clamp_probs(standard_uniform(shape, probs))
        logistic = u.log() - (-u).log1p()
        return (logistic + probs.log() - (-probs).log1p()) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        self._judge(value)
        logits, value = broadcast_all(self.logits, value)
        difference = logits - value.mul(self.temperature)
        temperature = kagari.as_tensor(self.temperature, dtype=logits.dtype)
        return temperature.log() + difference - 2 * difference.exp().log1p()


class RelaxedBernoulli(TransformedDistribution):
    """Numbers in (0, 1), near its ends for a low `temperature`, with a gradient in `probs`.

    >>> d = kagari.distributions.RelaxedBernoulli(kagari.tensor(1.0), 0.5)
    >>> d.log_prob(kagari.tensor(0.5))
    tensor(0.)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval  # type: ignore[assignment]
    has_rsample = True  # type: ignore[assignment]

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ):
        base = LogitRelaxedBernoulli(temperature, probs, logits)
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> "RelaxedBernoulli":
        return self._expanded_base(RelaxedBernoulli, _instance, batch_shape)

    @property
    def temperature(self) -> Any:
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        return self.base_dist.probs
