"""kl_divergence: the registry of pairs of distributions, and how a pair is found. The formulas are
in kl_formulas.py and kl_multivariate.py.
"""

import warnings
from collections.abc import Callable
from typing import Any

from .._C import Tensor
from .distribution import Distribution

_FORMULAS: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Any], Any]:
    """Decorator: a function of p and q gives the divergence of these classes, and of their
    subclasses if there is nothing closer. TypeError for what is no class of distributions.

    >>> @kagari.distributions.register_kl(MyNormal, MyNormal)  # doctest: +SKIP
    ... def formula(p, q): ...
    """
    for name, given in (("type_p", type_p), ("type_q", type_q)):
        if not (isinstance(given, type) and issubclass(given, Distribution)):
            raise TypeError(f"Expected {name} to be a Distribution subclass but got {given}")

    def register(formula: Any) -> Any:
        _FORMULAS[type_p, type_q] = formula
        return formula

    return register


def _formula(type_p: type, type_q: type) -> Callable[[Any, Any], Tensor] | None:
    """The formula of the nearest classes; a warning if p and q disagree which these are."""
    nearness = {
        (p, q): (type_p.__mro__.index(p), type_q.__mro__.index(q))
        for p, q in _FORMULAS
        if issubclass(type_p, p) and issubclass(type_q, q)
    }
    if not nearness:
        return None
    left = min(nearness, key=lambda pair: nearness[pair])
    right = min(nearness, key=lambda pair: nearness[pair][::-1])
    if _FORMULAS[left] is not _FORMULAS[right]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). Please "
            f"register_kl({left[0].__name__}, {right[1].__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return _FORMULAS[left]


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The integral of p log(p / q), of batch shape. NotImplementedError for a pair without a
    formula.

    >>> from kagari.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    formula = _formula(type(p), type(q))
    if formula is None:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type "
            f"{type(q).__name__}"
        )
    return formula(p, q)


from . import kl_formulas, kl_multivariate  # noqa: E402, F401  (they register what they have)
