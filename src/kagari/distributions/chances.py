"""The base of what is given by probabilities or by their log-odds."""

from typing import Any

from .._C import Tensor
from . import constraints
from .distribution import Distribution
from .parameters import chosen, lazy_property, logits_to_probs, probs_to_logits


class Chances(Distribution):
    """A distribution over `probs` or `logits`, whichever is given; the other is computed when it is
    asked for. `_kept` is how many of their last dimensions belong to one event."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    _parameters = {"probs": 0, "logits": 0}
    _constants: tuple[str, ...] = ("_given",)
    _binary = True

    def _take_chances(
        self, probs: Any, logits: Any, validate_args: bool | None, **others: Any
    ) -> None:
        """Makes a distribution of one of the two, broadcast with other parameters."""
        self._given = chosen(probs, logits)
        value = logits if probs is None else probs
        self._take(validate_args, **others, **{self._given: value})

    @property
    def _param(self) -> Tensor:
        return getattr(self, self._given)

    @property
    def param_shape(self) -> Any:
        return self._param.size()

    @lazy_property
    def logits(self) -> Tensor:
        """Log-odds, or logarithms of probabilities."""
        return probs_to_logits(self.probs, self._binary)

    @lazy_property
    def probs(self) -> Tensor:
        """Probabilities."""
        return logits_to_probs(self.logits, self._binary)
