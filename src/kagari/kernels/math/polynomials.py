"""Orthogonal polynomials of a degree that is known at run time; computed in float64.

Each goes up by its three-term recurrence (DLMF 18.9), in a loop that ends at the degree or where
the value is NaN. Chebyshev's polynomials of higher degree between -1 and 1 have their
trigonometric form instead (DLMF 18.5.1-4). No recurrence goes beyond degree 10000, where
the value is NaN. A degree is truncated to an integer; below 0, and for
NaN and what no 64-bit integer holds, the value is 0.
"""

from collections.abc import Callable

from .. import expr as e
from .accuracy import accurate
from .inverse import acos
from .trigonometric import cos, sin

_TRIGONOMETRIC = 8.0  # degrees above it
_LARGEST = 2.0**63
_HIGHEST = 10000.0  # degrees to which a recurrence climbs: no argument may keep a program busy
_HIGHEST_HERMITE = {"f32": 128.0, "f64": 512.0}

Step = Callable[[e.Expr, e.Expr, e.Expr, e.Expr], e.Expr]


def _degree(n: e.Expr) -> e.Expr:
    """The degree in float64, -1 for what is none."""
    n = e.trunc(e.cast(n, "f64"))
    return e.where((n >= 0.0) & (n < _LARGEST), n, -1.0)


def _climb(n: e.Expr, x: e.Expr, first: e.Expr, step: Step, last: e.Expr | None = None) -> e.Expr:
    """The polynomial of degree n from those of degrees 0 (which is 1) and 1;
    `step(k, x, below, value)` goes from k to k + 1. Beyond degree `last` nothing is computed."""
    one = e.const(1.0, x)

    def going(k, below, value, n, x):
        return (k < n) & (value == value)

    def up(k, below, value, n, x):
        return k + 1.0, value, step(k, x, below, value)

    top = n if last is None else last
    value = e.loop(going, up, (one, one, first), (e.where(top > _HIGHEST, 0.0, top), x))[2]
    value = e.where(top > _HIGHEST, float("nan"), value)
    return e.where(n < 1.0, e.where(n < 0.0, 0.0, one), value)


def _alternating(n: e.Expr) -> e.Expr:
    """(-1)^n."""
    return e.where(n - 2.0 * e.floor(n * 0.5) == 0.0, e.const(1.0, n), -1.0)


def _double(k, x, below, value):
    return 2.0 * x * value - below


def _chebyshev(n: e.Expr, x: e.Expr, first: e.Expr, wave: Callable, ends: tuple) -> e.Expr:
    """`wave(n, angle, x)` is the trigonometric form, `ends` the values at 1 and (but for the sign
    of an odd degree) at -1."""
    inside = (e.abs(x) <= 1.0) & (n > _TRIGONOMETRIC)
    climbed = _climb(n, x, first, _double, e.where(inside, 0.0, n))
    value = e.where(inside, wave(n, acos(e.where(inside, x, 0.0)), x), climbed)
    at_end = e.where(x == 1.0, ends[0], _alternating(n) * ends[1])
    return e.where((e.abs(x) == 1.0) & inside, at_end, value)


def _t(n, x):
    one = e.const(1.0, x)
    return _chebyshev(n, x, x, lambda n, angle, x: cos(n * angle), (one, one))


def _u(n, x):
    def wave(n, angle, x):
        return sin((n + 1.0) * angle) / e.sqrt((1.0 - x) * (1.0 + x))

    return _chebyshev(n, x, 2.0 * x, wave, (n + 1.0, n + 1.0))


def _v(n, x):
    def wave(n, angle, x):
        return cos((n + 0.5) * angle) / e.sqrt(0.5 + 0.5 * x)

    return _chebyshev(n, x, 2.0 * x - 1.0, wave, (e.const(1.0, x), 2.0 * n + 1.0))


def _w(n, x):
    def wave(n, angle, x):
        return sin((n + 0.5) * angle) / e.sqrt(0.5 - 0.5 * x)

    return _chebyshev(n, x, 2.0 * x + 1.0, wave, (2.0 * n + 1.0, e.const(1.0, x)))


def _wide(kind: Callable, n: e.Expr, x: e.Expr, shifted: bool = False) -> e.Expr:
    wide = e.cast(x, "f64")
    value = kind(_degree(n), wide + wide - 1.0 if shifted else wide)
    return e.cast(value, x.dtype)


_CLOSE = "in ulp of 1 + |result|, up to degree 30, |x| to 3"


@accurate(f32=0.6, f64=60.0, domain=_CLOSE)
def chebyshev_t(x, n):
    return _wide(_t, n, x)


@accurate(f32=0.6, f64=60.0, domain=_CLOSE)
def chebyshev_u(x, n):
    return _wide(_u, n, x)


@accurate(f32=0.6, f64=60.0, domain=_CLOSE)
def chebyshev_v(x, n):
    return _wide(_v, n, x)


@accurate(f32=0.6, f64=60.0, domain=_CLOSE)
def chebyshev_w(x, n):
    return _wide(_w, n, x)


@accurate(f32=0.6, f64=60.0, domain=_CLOSE)
def shifted_chebyshev_t(x, n):
    return _wide(_t, n, x, True)


@accurate(f32=0.6, f64=60.0, domain=_CLOSE)
def shifted_chebyshev_u(x, n):
    return _wide(_u, n, x, True)


@accurate(f32=0.6, f64=60.0, domain=_CLOSE)
def shifted_chebyshev_v(x, n):
    return _wide(_v, n, x, True)


@accurate(f32=0.6, f64=60.0, domain=_CLOSE)
def shifted_chebyshev_w(x, n):
    return _wide(_w, n, x, True)


def _hermite(x: e.Expr, n: e.Expr, factor: float) -> e.Expr:
    """NaN above the degree whose values the dtype cannot hold."""
    degree, wide = _degree(n), factor * e.cast(x, "f64")
    high = degree > _HIGHEST_HERMITE[x.dtype]

    def step(k, x, below, value):
        return x * value - factor * k * below

    value = _climb(degree, wide, wide, step, e.where(high, 0.0, degree))
    return e.cast(e.where(high, float("nan"), value), x.dtype)


@accurate(f32=0.6, f64=60.0, domain=_CLOSE)
def hermite_h(x, n):
    return _hermite(x, n, 2.0)


@accurate(f32=0.6, f64=60.0, domain=_CLOSE)
def hermite_he(x, n):
    return _hermite(x, n, 1.0)


@accurate(f32=0.6, f64=60.0, domain=_CLOSE)
def laguerre_l(x, n):
    def step(k, x, below, value):
        return ((2.0 * k + (1.0 - x)) * value - k * below) / (k + 1.0)

    degree, wide = _degree(n), e.cast(x, "f64")
    return e.cast(_climb(degree, wide, 1.0 - wide, step), x.dtype)


@accurate(f32=0.6, f64=60.0, domain=_CLOSE)
def legendre_p(x, n):
    def step(k, x, below, value):
        return ((2.0 * k + 1.0) * x * value - k * below) / (k + 1.0)

    degree, wide = _degree(n), e.cast(x, "f64")
    return e.cast(_climb(degree, wide, wide, step), x.dtype)
