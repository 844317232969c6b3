"""The stated error of every function: `@accurate(f32=1.0, f64=1.5)` makes a named function of a
formula and notes its bounds, in units in the last place of the result. Tests measure them;
docs/accuracy.md prints them.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from ..dtypes import is_complex
from ..expr import Expr, Unsupported
from ..function import Function

Formula = Callable[..., Expr]


@dataclass(frozen=True)
class Bound:
    """Largest error in ulp per dtype; `domain` says where, if not everywhere."""

    ulp: dict[str, float]
    domain: str


BOUNDS: dict[str, Bound] = {}
FUNCTIONS: dict[str, Function] = {}
_COMPLEX: dict[str, Formula] = {}


def accurate(f32: float, f64: float, domain: str = "") -> Callable[[Formula], Function]:
    """Decorator: a named scalar function of a formula for f32 and f64, with its error bound."""

    def named(formula: Formula) -> Function:
        name = formula.__name__

        def body(*args: Expr) -> Expr:
            if is_complex(args[0].dtype) and name in _COMPLEX:
                return _COMPLEX[name](*args)
            if args[0].dtype not in ("f32", "f64"):
                raise Unsupported(f"{name} does not exist for {args[0].dtype}")
            return formula(*args)

        body.__doc__ = formula.__doc__
        BOUNDS[name] = Bound({"f32": f32, "f64": f64}, domain)
        FUNCTIONS[name] = Function(name, body, tuple(inspect.signature(formula).parameters))
        return FUNCTIONS[name]

    return named


def on_complex(function: Function) -> Callable[[Formula], Formula]:
    """Decorator: what the function is on complex numbers."""

    def keep(formula: Formula) -> Formula:
        _COMPLEX[function.name] = formula
        return formula

    return keep


def page() -> str:
    """docs/accuracy.md."""
    lines = [
        "# Accuracy",
        "",
        "Largest errors of the elementary and special functions, in units in the last place of",
        "the exact result (0.5 is the best possible). `tests/kernels/test_math.py` measures them",
        "against mpmath over the whole range, subnormal numbers included; infinities, NaN and",
        "signed zeros are exact. float16 and bfloat16 compute in float32.",
        "Written by `python -m kagari.kernels.math`.",
        "",
        "| function | float32 | float64 | where |",
        "| --- | --- | --- | --- |",
    ]
    for name, bound in sorted(BOUNDS.items()):
        where = bound.domain or "everywhere"
        lines.append(f"| {name} | {bound.ulp['f32']} | {bound.ulp['f64']} | {where} |")
    return "\n".join(lines) + "\n"
