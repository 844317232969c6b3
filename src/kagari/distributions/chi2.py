"""The chi-squared distribution."""

from typing import Any

from .._C import Tensor
from . import constraints
from .gamma import Gamma


class Chi2(Gamma):
    """The sum of `df` squared normal numbers: Gamma(df / 2, 1 / 2).

    >>> kagari.distributions.Chi2(2.0).log_prob(kagari.tensor(1.0))
    tensor(-1.1931)
    """

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None):
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> "Chi2":
        new = self._get_checked_instance(Chi2, _instance)
        return super().expand(batch_shape, new)  # type: ignore[return-value]

    @property
    def df(self) -> Tensor:
        return self.concentration * 2
