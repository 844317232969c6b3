"""The stated error of every function: `@accurate(f32=1.0, f64=1.5)` makes a named function of a formula and
notes its bounds, in units in the last place of the result. Tests measure them; docs/accuracy.md prints them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ..expr import Expr
from ..function import Function


@dataclass(frozen=True)
class Bound:
    """Largest error in ulp per dtype, over all arguments or where `domain` says."""

    ulp: dict[str, float]
    domain: str


BOUNDS: dict[str, Bound] = {}
FUNCTIONS: dict[str, Function] = {}


def accurate(f32: float, f64: float, domain: str = "all") -> Callable[[Callable[..., Expr]], Function]:
    """Decorator: a named scalar function with its error bound."""

    def named(formula: Callable[..., Expr]) -> Function:
        made = Function(formula.__name__, formula)
        BOUNDS[made.name] = Bound({"f32": f32, "f64": f64}, domain)
        FUNCTIONS[made.name] = made
        return made

    return named
