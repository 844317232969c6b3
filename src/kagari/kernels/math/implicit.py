"""How gamma- and beta-distributed numbers move with a parameter at a fixed probability:
dx/da = -(dF/da) / f for the distribution function F and its density f (Figurnov, Mohamed and Mnih,
2018). In float64.

F / f is a series or a continued fraction with simple factors: for the gamma distribution up to
x = a the series DLMF 8.7.1, beyond it 1 - F by the fraction 8.9.2, for the beta distribution the
fraction 8.17.22 of F or 1 - F, whichever converges. The derivative in a is carried through the same
loop. Gamma distributions of large a are had from Cornish and Fisher's expansion in normal numbers.
"""

from collections.abc import Callable

from .. import expr as e
from .accuracy import accurate
from .gamma import digamma
from .logarithm import log

_PRECISION = {"f32": 2.0**-30, "f64": 2.0**-55}
_MOST_STEPS = 20000.0
_LARGE = 1e5
_CLOSE = 0.1  # |x - a| / a in which the expansion serves
_INFINITY = float("inf")
_NAN = float("nan")

Pair = tuple[e.Expr, e.Expr]
Fraction = tuple[e.Expr, ...]


def _series(a: e.Expr, x: e.Expr, active: e.Expr, precision: float) -> Pair:
    """S = 1 + x / (a + 1) + x^2 / ((a + 1)(a + 2)) + ... and -dS/da."""

    def going(k, term, fall, total, fallen, a, x):
        more = (term > total * precision) | (term * fall > fallen * precision)
        return more & (k < _MOST_STEPS)

    def step(k, term, fall, total, fallen, a, x):
        inverse = 1.0 / (a + k)
        term, fall = term * (x * inverse), fall + inverse
        return k + 1.0, term, fall, total + term, fallen + term * fall

    one, none = e.const(1.0, x), e.const(0.0, x)
    start = (one, e.where(active, one, none), none, one, none)
    _, _, _, total, fallen = e.loop(going, step, start, (a, x))
    return total, fallen


def _deeper(fraction: Fraction, n: e.Expr, dn: e.Expr, b: e.Expr, db: float) -> Fraction:
    """One step of Lentz's method with the numerator n and the denominator b: (c, dc, d, dd, value,
    growth, change), where growth is the derivative of value over value."""
    c, dc, d, dd, value, growth, _ = fraction
    new_d = 1.0 / (n * d + b)
    new_dd = -new_d * new_d * (dn * d + n * dd + db)
    new_c = b + n / c
    new_dc = db + (dn - n * (dc / c)) / c
    more = new_dc / new_c + new_dd / new_d
    unsettled = e.abs(new_c * new_d - 1.0) + e.abs(more)
    return new_c, new_dc, new_d, new_dd, value * (new_c * new_d), growth + more, unsettled


def _run(
    step: Callable[..., tuple], b: e.Expr, db: e.Expr, c: float, given: tuple, precision: float
) -> Pair:
    """The value of 1 / (b + ...) and its derivative, by `step` until nothing changes; `given` are
    the step's fixed arguments, after whether the lane is active."""
    active, *fixed = given

    def going(k, *state):
        unsettled, growth = state[6], state[5]
        return (unsettled > precision * (1.0 + e.abs(growth))) & (k < _MOST_STEPS)

    d = 1.0 / b
    none = e.const(0.0, b)
    start = (none + 1.0, e.const(c, b), none, d, -d * d * db, d, -d * db)
    found = e.loop(going, step, (*start, e.where(active, none + 1.0, none)), tuple(fixed))
    return found[5], found[5] * found[6]


def _gamma_fraction(a: e.Expr, x: e.Expr, active: e.Expr, precision: float) -> Pair:
    """1 / (x + 1 - a - (1 - a) / (x + 3 - a - 2 (2 - a) / (x + 5 - a - ...))), and d/da."""
    b = x + 1.0 - a

    def step(k, *rest):
        fraction, (b, a) = rest[:7], rest[7:]
        return k + 1.0, *_deeper(fraction, k * (a - k), k, b + 2.0 * k, -1.0)

    return _run(step, b, e.const(-1.0, b), 1e300, (active, b, a), precision)


def _beta_fraction(p, q, y, first: e.Expr, active: e.Expr, precision: float) -> Pair:
    """1 / (1 + d_1 / (1 + d_2 / ...)) of DLMF 8.17.22 for parameters p and q; and its derivative
    in p (where `first` is 1) or in q (where it is 0)."""

    def step(m, *rest):
        fraction, (p, q, y, first) = rest[:7], rest[7:]
        far = p + 2.0 * m
        scale = m * y / ((far - 1.0) * far)
        n = scale * (q - m)
        dn = scale * (1.0 - first) - n * first * (1.0 / (far - 1.0) + 1.0 / far)
        one = e.const(1.0, y)
        fraction = _deeper(fraction, n, dn, one, 0.0)
        before = fraction[6]
        n, dn = odd(m, p, q, y, first)
        fraction = _deeper(fraction, n, dn, one, 0.0)
        return m + 1.0, *fraction[:6], fraction[6] + before

    def odd(m, p, q, y, first):
        far = p + 2.0 * m
        n = -(p + m) * (p + q + m) * y / (far * (far + 1.0))
        known = first * (1.0 / (p + m) - 1.0 / far - 1.0 / (far + 1.0))
        return n, n * (known + 1.0 / (p + q + m))

    n, dn = odd(e.const(0.0, y), p, q, y, first)
    return _run(step, 1.0 + n, dn, 1.0, (active, p, q, y, first), precision)


def _expansion(a: e.Expr, x: e.Expr, active: e.Expr) -> e.Expr:
    """dx/da from x = a + z sqrt(a) + (z^2 - 1) / 3 + (z^3 - 7 z) / (36 sqrt(a)) - ..., z normal."""
    a, x = e.where(active, a, _LARGE), e.where(active, x, _LARGE)
    inverse = 1.0 / e.sqrt(a)
    z = far = (x - a) * inverse
    for _ in range(8):
        third = (z * z - 7.0) * z * (inverse / 36.0)
        fourth = ((3.0 * z * z + 7.0) * z * z - 16.0) * (inverse * inverse / 810.0)
        z = far - inverse * ((z * z - 1.0) / 3.0 + third - fourth)
    return 1.0 + 0.5 * z * inverse - inverse * inverse * (third * 0.5 - fourth)


@accurate(f32=2.0, f64=2000.0, domain="within the rounding of x")
def standard_gamma_grad(a, x):
    """dx/da for x of the gamma distribution of shape a and scale 1."""
    dtype, precision = x.dtype, _PRECISION[x.dtype]
    a, x = e.cast(a, "f64"), e.cast(x, "f64")
    usual = (a > 0.0) & (x > 0.0) & (a < _INFINITY) & (x < _INFINITY)
    inner, at = e.where(usual, a, 1.0), e.where(usual, x, 1.0)
    large = (inner > _LARGE) & (e.abs(at - inner) < _CLOSE * inner)
    below = (at <= inner) | (at <= 1.1)
    distance = log(at) - digamma(inner)
    total, fallen = _series(inner, at, below & ~large, precision)
    early = at / inner * ((1.0 / inner - distance) * total + fallen)
    value, growing = _gamma_fraction(
        e.where(below, 1.0, inner), e.where(below, 2.0, at), ~below & ~large, precision
    )
    late = at * (distance * value + growing)
    result = e.where(large, _expansion(inner, at, large), e.where(below, early, late))
    edge = e.where((x == 0.0) & (a > 0.0), e.const(0.0, x), _NAN)
    return e.cast(e.where(usual, result, edge), dtype)


@accurate(f32=2.0, f64=2000.0, domain="within the rounding of x")
def dirichlet_grad(x, a, total):
    """dx/da / (1 - x) for x of the beta distribution of a and total - a, the latter fixed."""
    dtype, precision = x.dtype, _PRECISION[x.dtype]
    x, a, total = e.cast(x, "f64"), e.cast(a, "f64"), e.cast(total, "f64")
    b = total - a
    usual = (a > 0.0) & (b > 0.0) & (total < _INFINITY) & (x > 0.0) & (x < 1.0)
    x_, a_, b_ = e.where(usual, x, 0.5), e.where(usual, a, 1.0), e.where(usual, b, 1.0)
    below = x_ * (a_ + b_ + 2.0) <= a_ + 1.0
    p, q = e.where(below, a_, b_), e.where(below, b_, a_)
    first = e.where(below, e.const(1.0, x_), 0.0)
    value, growing = _beta_fraction(p, q, e.where(below, x_, 1.0 - x_), first, usual, precision)
    distance = log(x_) - digamma(a_) + digamma(a_ + b_)
    inside = e.where(below, (1.0 / p - distance) * value - growing, distance * value + growing)
    defined = (a >= 0.0) & (b >= 0.0) & (x >= 0.0) & (x <= 1.0)
    edge = e.where(defined, e.const(0.0, x), _NAN)
    return e.cast(e.where(usual, x_ / p * inside, edge), dtype)
