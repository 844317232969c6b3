"""Complex arithmetic as arithmetic on pairs of reals, for the backends.

After `split` no operation is complex. What stays are the inputs, as `real(x)` and `imag(x)`; a
complex result becomes two roots.
"""

from .. import dtypes
from .. import expr as e
from ..function import expand

Pair = tuple[e.Expr, e.Expr]


def split(roots: list[e.Expr]) -> list[tuple[e.Expr, ...]]:
    """Each root as (value,) or (real part, imaginary part), with all functions expanded."""
    roots = expand(roots)
    made: dict[e.Expr, tuple[e.Expr, ...]] = {}
    for x in e.topological(roots):
        args = [made[a] for a in x.args]
        touches = len(args) and any(len(a) == 2 for a in args)
        if x.op == "input" and dtypes.is_complex(x.dtype):
            made[x] = (e.real(x), e.imag(x))
        elif not touches and not dtypes.is_complex(x.dtype):
            made[x] = (e.remake(x, tuple(a[0] for a in args)),)
        else:
            made[x] = _RULES[x.op](*args)
    return [made[root] for root in roots]


def _both(op: str):
    def rule(a, b):
        """A real operand has no imaginary part to add."""
        re = e.binary(op, a[0], b[0])
        if len(a) == 1:
            return re, (b[1] if op == "add" else -b[1])
        return re, (a[1] if len(b) == 1 else e.binary(op, a[1], b[1]))

    return rule


def _mul(a, b):
    if len(a) == 1:
        return a[0] * b[0], a[0] * b[1]
    if len(b) == 1:
        return a[0] * b[0], a[1] * b[0]
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _div(a, b):
    """By the larger part of b first (Smith, 1962): |b|^2 would overflow early."""
    if len(b) == 1:
        return a[0] / b[0], a[1] / b[0]
    lying = e.abs(b[0]) >= e.abs(b[1])
    large, small = e.where(lying, b[0], b[1]), e.where(lying, b[1], b[0])
    ratio, zero = small / large, (large == 0.0) & (small == 0.0)
    size = e.where(zero, e.abs(large), large + small * ratio)
    if len(a) == 1:
        part = a[0] * ratio
        re, im = e.where(lying, a[0], part), -e.where(lying, part, a[0])
        return e.where(zero, a[0], re) / size, e.where(zero, e.const(0, re), im) / size
    first, second = e.where(lying, a[0], a[1]), e.where(lying, a[1], a[0])
    re, im = first + second * ratio, second - first * ratio
    re, im = e.where(zero, a[0], re), e.where(zero, a[1], e.where(lying, im, -im))
    return re / size, im / size


def _where(condition, a, b):
    return tuple(e.where(condition[0], p, q) for p, q in zip(a, b, strict=True))


_RULES = {
    "add": _both("add"),
    "sub": _both("sub"),
    "mul": _mul,
    "div": _div,
    "neg": lambda a: (-a[0], -a[1]),
    "conj": lambda a: (a[0], -a[1]),
    "real": lambda a: (a[0],),
    "imag": lambda a: (a[1],),
    "complex": lambda re, im: (re[0], im[0]),
    "eq": lambda a, b: ((a[0] == b[0]) & (a[1] == b[1]),),
    "ne": lambda a, b: ((a[0] != b[0]) | (a[1] != b[1]),),
    "where": _where,
    "rare": _where,
}
