"""Hurwitz's zeta function and the derivatives of digamma; computed in float64.

The sum over (q + k)^-s up to q + k > 9, at least nine terms, in a loop that ends early where terms
no longer count; what is left by Euler and Maclaurin's formula (DLMF 25.11.5). Below 0, where s must
be an integer, the terms up to 0 are the difference of two such sums.
"""

from .. import expr as e
from ..function import MISSING
from .accuracy import accurate
from .floats import two_sum
from .gamma import trigamma
from .power import pow

# B_2j / (2j)! for j = 1, 2, ...
_MACLAURIN = (
    0.08333333333333333, -0.001388888888888889, 3.306878306878307e-05, -8.267195767195768e-07,
    2.08767569878681e-08, -5.284190138687493e-10, 1.3382536530684679e-11, -3.3896802963225827e-13,
    8.586062056277845e-15, -2.174868698558062e-16, 5.509002828360229e-18, -1.3954464685812522e-19,
)  # fmt: skip
_TERMS = 9.0
_INFINITY = float("inf")
_NAN = float("nan")


def _sum(s: e.Expr, q: e.Expr) -> e.Expr:
    """zeta(s, q) for s > 1 and q > 0."""
    s = e.where(s > 1e18, 1e18, s)  # no larger one gives other values, and infinity NaN
    power = pow(q, -s)

    def going(k, at, power, total, s, q):
        return ((k < _TERMS) | (at <= _TERMS)) & (power > total * 2.0**-60) & (total < _INFINITY)

    def step(k, at, power, total, s, q):
        k = k + 1.0
        at, rest = two_sum(q, k)  # the power would magnify what rounding loses here
        power = pow(at, -s) * (1.0 - s * (rest / at))
        return k, at, power, total + power

    _, at, power, total = e.loop(going, step, (e.const(0.0, q), q, power, power), (s, q))
    rest = power * at / (s - 1.0) - 0.5 * power
    inverse = 1.0 / at
    term, rising = power * s * inverse, s
    for j, coefficient in enumerate(_MACLAURIN):
        rest = rest + term * coefficient
        if j < len(_MACLAURIN) - 1:
            term = term * ((rising + 1.0) * inverse) * ((rising + 2.0) * inverse)
            rising = rising + 2.0
    return e.where((power > total * 2.0**-60) & (total < _INFINITY), total + rest, total)


def _sum_below(s: e.Expr, q: e.Expr) -> e.Expr:
    """zeta(s, q) for q < 0, no integer, and an integer s > 1: the terms from q to 0 are
    zeta(s, 1 - r) - zeta(s, 1 - q) but for the sign of an odd s, those beyond zeta(s, r)."""
    whole = e.floor(-q)
    beyond = -q - whole  # 1 - r
    ahead = _sum(s, (whole + 1.0) + q)
    odd = s - 2.0 * e.floor(0.5 * s) != 0.0
    behind = _sum(s, beyond) - _sum(s, 1.0 - q)
    return ahead + e.where(odd, -behind, behind)


def hurwitz(s: e.Expr, q: e.Expr) -> e.Expr:
    """In float64, for s > 1; infinite at the poles, NaN where terms would be complex."""
    below = q < 0.0
    pole = (q <= 0.0) & (e.floor(q) == q)
    safe = e.where(below | pole, 1.0, q)
    usual = e.where(q == _INFINITY, 0.0, _sum(s, safe))
    real = e.floor(s) == s
    inside = e.where(below & real & ~pole, q, -0.5)
    value = e.rare(below & real & ~pole, _sum_below(s, inside), usual)
    return e.where(pole, _INFINITY, e.where(below & ~real, _NAN, value))


@accurate(f32=0.6, f64=10.0, domain="q > 0")
def zeta(s, q):
    """The sum of (q + k)^-s over k = 0, 1, ...; NaN for s < 1."""
    wide = e.cast(s, "f64")
    inside = e.where(wide > 1.0, wide, 2.0)
    value = hurwitz(inside, e.cast(q, "f64"))
    value = e.where(wide > 1.0, value, e.where(wide == 1.0, e.const(_INFINITY, wide), _NAN))
    return e.cast(e.where(e.isnan(q), _NAN, value), q.dtype)


@accurate(f32=0.6, f64=10.0, domain="x > 0, from order 2 to 20")
def polygamma(x, n):
    """(-1)^(n + 1) n! zeta(n + 1, x), the derivative of order n of digamma, for integers
    1 <= n <= 170."""
    order = e.cast(n, "f64")

    def step(k, product, order):
        return k + 1.0, product * k

    one = e.const(1.0, order)
    factorial = e.loop(lambda k, product, order: k <= order, step, (one, one), (order,))[1]
    even = order - 2.0 * e.floor(0.5 * order) == 0.0
    value = e.where(even, -factorial, factorial) * hurwitz(order + 1.0, e.cast(x, "f64"))
    return e.cast(e.where(e.isnan(x), _NAN, value), x.dtype)


zeta.derivative(lambda grad, s, q: (MISSING, -grad * s * zeta(s + 1.0, q)))
polygamma.derivative(lambda grad, x, n: (grad * polygamma(x, n + 1), MISSING))
trigamma.derivative(lambda grad, x: grad * polygamma(x, e.const(2, "i64")))
