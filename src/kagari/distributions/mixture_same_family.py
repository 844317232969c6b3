"""Mixtures of distributions of one kind."""

from typing import Any

import kagari

from .._C import Tensor
from . import constraints
from .categorical import Categorical
from .distribution import Distribution


class MixtureSameFamily(Distribution):
    """Chooses among the distributions along the last batch dimension of `component_distribution` by
    the categorical `mixture_distribution`.

    >>> from kagari.distributions import Categorical, MixtureSameFamily, Normal
    >>> parts = Normal(kagari.tensor([-1.0, 1.0]), kagari.ones(2))
    >>> MixtureSameFamily(Categorical(kagari.ones(2)), parts).log_prob(kagari.tensor(0.0))
    tensor(-1.4189)
    """

    arg_constraints: dict[str, Any] = {}  # type: ignore[assignment]
    has_rsample = False

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ):
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        self._check_parts()
        self._num_component = component_distribution.batch_shape[-1]
        self._event_ndims = len(component_distribution._event_shape)
        batch, event = component_distribution.batch_shape[:-1], component_distribution.event_shape
        super().__init__(batch, event, validate_args=validate_args)

    def _check_parts(self) -> None:
        mixture, component = self._mixture_distribution, self._component_distribution
        if not isinstance(mixture, Categorical):
            raise ValueError(
                " The Mixture distribution needs to be an instance of "
                "torch.distributions.Categorical"
            )
        if not isinstance(component, Distribution):
            raise ValueError(
                "The Component distribution need to be an instance of "
                "torch.distributions.Distribution"
            )
        pairs = zip(
            reversed(tuple(mixture.batch_shape)),
            reversed(tuple(component.batch_shape[:-1])),
            strict=False,
        )
        if any(i != 1 and j != 1 and i != j for i, j in pairs):
            raise ValueError(
                f"`mixture_distribution.batch_shape` ({mixture.batch_shape}) is not compatible "
                f"with `component_distribution.batch_shape`({component.batch_shape[:-1]})"
            )
        given, needed = mixture.logits.shape[-1], component.batch_shape[-1]
        if given is not None and needed is not None and given != needed:
            raise ValueError(
                f"`mixture_distribution component` ({given}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({needed})"
            )

    def expand(self, batch_shape: Any, _instance: Any = None) -> "MixtureSameFamily":
        component = self._component_distribution.expand((*batch_shape, self._num_component))
        kept = {
            "_mixture_distribution": self._mixture_distribution.expand(batch_shape),
            "_component_distribution": component,
            "_num_component": self._num_component,
            "_event_ndims": len(component._event_shape),
        }
        return self._expanded(MixtureSameFamily, _instance, batch_shape, **kept)

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        return self._component_distribution

    @property
    def mean(self) -> Tensor:
        return self._averaged(self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        component = self._component_distribution
        away = component.mean - self._beside(self.mean)
        return self._averaged(component.variance) + self._averaged(away.pow(2.0))

    def _averaged(self, values: Tensor) -> Tensor:
        """The mean over the components, which are the dimension before the event's."""
        probs = self._mixture_distribution.probs
        probs = probs.reshape(tuple(probs.shape) + (1,) * self._event_ndims)
        return (probs * values).sum(-1 - self._event_ndims)

    def _beside(self, value: Tensor) -> Tensor:
        """A dimension for the components before the event's."""
        return value.unsqueeze(-1 - self._event_ndims)

    def cdf(self, x: Tensor) -> Tensor:  # type: ignore[override]
        below = self._component_distribution.cdf(self._beside(x))
        return (below * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, x: Tensor) -> Tensor:  # type: ignore[override]
        self._judge(x)
        log_probs = self._component_distribution.log_prob(self._beside(x))
        return (log_probs + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with kagari.no_grad():
            chosen = self._mixture_distribution.sample(sample_shape)
            values = self._component_distribution.sample(sample_shape)
            ones, event = (1,) * (self._event_ndims + 1), tuple(self._event_shape)
            chosen = chosen.reshape(tuple(chosen.shape) + ones)
            chosen = chosen.expand(tuple(chosen.shape[: -len(ones)]) + (1, *event))
            dim = len(tuple(sample_shape)) + len(self._batch_shape)
            return values.gather(dim, chosen).squeeze(dim)

    def __repr__(self) -> str:
        parts = f"{self._mixture_distribution},\n  {self._component_distribution}"
        return f"MixtureSameFamily(\n  {parts})"
