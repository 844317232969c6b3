"""Derivatives of scalar expressions by reverse accumulation over the expression graph.

`vjp(y, grad, wrt)` gives the gradients that `grad`, the gradient of y, sends to the inputs `wrt`;
for complex numbers in the convention of PyTorch (grad of a holomorphic f is grad * conj(f')). Named
functions answer with their own rule (function.py). Making the result smaller is left to
simplify.py.
"""

from collections.abc import Callable

from .. import dtypes
from .. import expr as e
from ..function import MISSING


class NotDifferentiable(TypeError):
    """The expression contains a step that has no derivative rule."""


def vjp(y: e.Expr, grad: e.Expr, wrt: list[e.Expr]) -> list[e.Expr | None]:
    """The gradient of each of `wrt`; None where it is zero everywhere, MISSING where a function on
    the way says so."""
    y = inline_ruleless(y)
    order = e.topological([y])
    active = _depending(order, wrt)
    adjoints: dict[e.Expr, e.Expr] = {y: grad} if y in active else {}
    lost: set[e.Expr] = set()
    for x in reversed(order):
        if x in lost:
            lost.update(a for a in x.args if a in active)
            continue
        g = adjoints.get(x)
        if g is None or x not in active or not x.args:
            continue
        for operand, part in zip(x.args, _gradients(x, g), strict=True):
            if part is None or operand not in active:
                continue
            if part is MISSING:
                lost.add(operand)
                continue
            part = fit(part, operand.dtype)
            have = adjoints.get(operand)
            adjoints[operand] = part if have is None else have + part
    return [MISSING if x in lost else adjoints.get(x) for x in wrt]


def inline_ruleless(y: e.Expr) -> e.Expr:
    """Calls of functions that have no rule of their own are replaced by their bodies."""

    def change(x: e.Expr) -> e.Expr | None:
        if x.op == "call" and x.data.vjp is None:
            return inline_ruleless(x.data.expand(x.args))
        return None

    return e.rewrite([y], change)[0]


def fit(grad: e.Expr, dtype: str) -> e.Expr:
    """A gradient in the dtype of its operand: the gradient of a real number is real."""
    if grad.dtype == dtype:
        return grad
    if dtypes.is_complex(dtype) and not dtypes.is_complex(grad.dtype):
        return e.complex_(grad, e.const(0, grad))
    return e.real(grad)


def _depending(order: list[e.Expr], wrt: list[e.Expr]) -> set[e.Expr]:
    """The floating nodes through which a derivative can flow to `wrt`."""
    active = set(wrt)
    for x in order:
        flows = dtypes.is_floating(x.dtype) or dtypes.is_complex(x.dtype)
        if not any(a in active for a in x.args):
            continue
        if x.op == "bitcast":
            raise NotDifferentiable("bitcast has no derivative: give the function one of its own")
        if flows:
            active.add(x)
    return active


def _gradients(x: e.Expr, g: e.Expr) -> tuple[e.Expr | None, ...]:
    if x.op == "call":
        return x.data.vjp(g, x, x.args)
    rule = _RULES.get(x.op)
    if rule is None:
        raise NotDifferentiable(f"{x.op} has no derivative: give the function one of its own")
    return rule(x, g, *x.args)


def _zero(g: e.Expr) -> e.Expr:
    return e.const(0, g)


def _sign(x: e.Expr) -> e.Expr:
    one = e.const(1, x)
    return e.where(x > 0, one, e.where(x < 0, -one, e.const(0, x)))


def _divide(y, g, a, b):
    through = g / e.conj(b)
    return through, -through * e.conj(y)


def _choose(y, g, condition, a, b):
    return None, e.where(condition, g, _zero(g)), e.where(condition, _zero(g), g)


def _extremum(compare: str) -> Callable:
    def rule(y, g, a, b):
        return _choose(y, g, e.binary(compare, a, b), a, b)[1:]

    return rule


def _copysign(y, g, magnitude, sign):
    one = e.const(1, y)
    return g * e.copysign(one, magnitude) * e.copysign(one, sign), None


def _nothing(y, g, *args):
    return (None,) * len(args)


def _cast(y, g, a):
    return (e.cast(g, a.dtype) if not dtypes.is_complex(a.dtype) else g,)


_RULES: dict[str, Callable] = {
    "add": lambda y, g, a, b: (g, g),
    "sub": lambda y, g, a, b: (g, -g),
    "mul": lambda y, g, a, b: (g * e.conj(b), g * e.conj(a)),
    "div": _divide,
    "neg": lambda y, g, a: (-g,),
    "fma": lambda y, g, a, b, c: (g * b, g * a, g),
    "abs": lambda y, g, a: (g * _sign(a),),
    "sqrt": lambda y, g, a: (g / (y * 2),),
    "floor": _nothing,
    "ceil": _nothing,
    "trunc": _nothing,
    "rint": _nothing,
    "min": _extremum("lt"),
    "max": _extremum("gt"),
    "copysign": _copysign,
    "fmod": lambda y, g, a, b: (g, -g * e.trunc(a / b)),
    "where": _choose,
    "rare": _choose,
    "cast": _cast,
    "complex": lambda y, g, re, im: (e.real(g), e.imag(g)),
    "real": lambda y, g, a: (e.complex_(g, _zero(g)),),
    "imag": lambda y, g, a: (e.complex_(_zero(g), g),),
    "conj": lambda y, g, a: (e.conj(g),),
}
