"""Makes expressions smaller: each rule is named, and says when it changes a value.

Rules marked exact keep every bit. The others are for derivatives: they may change the sign of a
zero or the last bit, never a finite value into a NaN. What folds at construction (expr.py) is not
repeated here.
"""

import math
from collections.abc import Callable

from .. import dtypes
from .. import expr as e


def simplify(roots: list[e.Expr]) -> list[e.Expr]:
    """Apply the rules bottom-up until nothing changes."""
    while True:
        after = e.rewrite(roots, _step)
        if all(a is b for a, b in zip(after, roots, strict=True)):
            return after
        roots = after


def _step(x: e.Expr) -> e.Expr | None:
    for rule in _RULES.get(x.op, ()):
        found = rule(x, *x.args)
        if found is not None:
            return found
    return None


def _is_zero(x: e.Expr) -> bool:
    return e.is_const(x, 0) or e.is_const(x, -0.0)


def _join_choices(x, a, b):
    """where(c, p, 0) + where(c, 0, q) = where(c, p, q)."""
    if a.op != "where" or b.op != "where" or a.args[0] is not b.args[0]:
        return None
    condition, p, p_else = a.args
    _, q_then, q = b.args
    if _is_zero(p_else) and _is_zero(q_then):
        return e.where(condition, p, q)
    if _is_zero(p) and _is_zero(q):
        return e.where(condition, q_then, p_else)
    if _is_zero(p_else) and _is_zero(q):
        return e.where(condition, p + q_then, p_else)
    return None


def _add_zero(x, a, b):
    if _is_zero(b) and a.dtype == x.dtype:
        return a
    return b if _is_zero(a) and b.dtype == x.dtype else None


def _sub_zero(x, a, b):
    if _is_zero(b) and a.dtype == x.dtype:
        return a
    return -b if _is_zero(a) and b.dtype == x.dtype else None


def _add_negative(x, a, b):
    """a + (-b) = a - b, exact."""
    if b.op == "neg":
        return a - b.args[0]
    return b - a.args[0] if a.op == "neg" else None


def _sub_negative(x, a, b):
    """a - (-b) = a + b, exact."""
    return a + b.args[0] if b.op == "neg" else None


def _pull_sign(x, a, b):
    """(-a) * b = -(a * b), exact; likewise division."""
    if a.op == "neg":
        return -e.binary(x.op, a.args[0], b)
    return -e.binary(x.op, a, b.args[0]) if b.op == "neg" else None


def _times_minus_one(x, a, b):
    """a * -1 = -a, exact."""
    if e.is_const(b, -1) and a.dtype == x.dtype:
        return -a
    return -b if e.is_const(a, -1) and b.dtype == x.dtype else None


def _real_const(x: e.Expr) -> bool:
    return x.op == "const" and dtypes.is_floating(x.dtype)


def _gather_constants(x, a, b):
    """(y * c) * d = y * (c * d), where the product of the constants is far from the extremes."""
    if _real_const(a):
        a, b = b, a
    if not _real_const(b) or a.op != "mul" or dtypes.is_complex(x.dtype):
        return None
    y, c = a.args if _real_const(a.args[1]) else a.args[::-1]
    if not _real_const(c):
        return None
    product = c.data * b.data
    tame = 1e-30 < abs(product) < 1e30
    return y * e.const(product, b) if tame else None


def _reciprocal(x, a, b):
    """a / c = a * (1 / c) for a power of two, exact."""
    if not _real_const(b) or not 1e-30 < abs(b.data) < 1e30:
        return None
    return a * e.const(1 / b.data, b) if math.frexp(b.data)[0] in (0.5, -0.5) else None


def _nested_choice(x, condition, a, b):
    """where(c, where(c, p, q), r) = where(c, p, r), exact."""
    if a.op == "where" and a.args[0] is condition:
        return e.where(condition, a.args[1], b)
    if b.op == "where" and b.args[0] is condition:
        return e.where(condition, a, b.args[2])
    return e.where(condition.args[0], b, a) if condition.op == "not" else None


_RULES: dict[str, tuple[Callable, ...]] = {
    "add": (_join_choices, _add_zero, _add_negative),
    "sub": (_sub_zero, _sub_negative),
    "mul": (_times_minus_one, _pull_sign, _gather_constants),
    "div": (_pull_sign, _reciprocal),
    "where": (_nested_choice,),
}
