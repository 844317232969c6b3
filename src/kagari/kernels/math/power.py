"""pow and hypot of real numbers.

float32: log2 and exp2 in float64, which leaves only the final rounding. float64: log x as a sum of
two numbers (about 66 good bits: s = (m-1)/(m+1), 2 s and 2/3 s^3 in double length, the rest of the
series plain), times y in double length, into the exponential of a sum.
"""

from .. import expr as e
from .accuracy import accurate
from .exponential import exp_sum
from .floats import (
    LN2,
    clamp,
    fast_two_sum,
    poly,
    round_bits,
    scale,
    split_exponent,
    two_product,
    two_sum,
)
from .logarithm import log

# log2((1+s)/(1-s)) / s in powers of s^2, and (2^r - 1) / r, to float32's needs
_LOG2 = (
    2.885390081777849, 0.9617966941153478, 0.5770779417596507, 0.4122093156751817,
    0.31990301698417933, 0.2829395966717397,
)  # fmt: skip
_EXP2 = (
    0.6931472056755922, 0.24022651346248872, 0.05550328279293535, 0.009618003529368141,
    0.0013400203534636205, 0.0001547645427302969,
)  # fmt: skip
# (2 atanh(s) - 2 s - 2/3 s^3) / s^5 in powers of s^2
_ATANH = (
    0.4000000000000003, 0.2857142857133685, 0.22222222271801012, 0.18181808140161665,
    0.1538558223088455, 0.13285720924737013, 0.12916431558290298,
)  # fmt: skip
_TWO_THIRDS = (0.6666666666666666, 3.700743415417188e-17)
_INFINITY = float("inf")


def _pow_f32(a: e.Expr, y: e.Expr) -> e.Expr:
    """a^y of a >= 0."""
    a, y = e.cast(a, "f64"), e.cast(y, "f64")
    m, k = split_exponent(a)
    s = (m - 1.0) / (m + 1.0)
    inner = e.fma(s, poly(s * s, _LOG2), k)
    inner = e.where(a == 0.0, -_INFINITY, e.where(a < _INFINITY, inner, a))
    t, n = round_bits(clamp(inner * y, -160.0, 130.0))
    r = clamp(inner * y, -160.0, 130.0) - t
    return e.cast(scale(e.fma(r, poly(r, _EXP2), 1.0), n), "f32")


def _log_pair(a: e.Expr) -> tuple[e.Expr, e.Expr]:
    """log a of a normal or subnormal a > 0 as a sum."""
    m, k = split_exponent(a)
    f = m - 1.0
    d, dl = two_sum(m, e.const(1.0, m))
    inverse = 1.0 / d
    s = f * inverse
    p, pl = two_product(s, d)
    sl = (((f - p) - pl) - s * dl) * inverse
    z, zl = two_product(s, s)
    zl = zl + 2.0 * s * sl
    cube, cubel = two_product(z, s)
    cubel = cubel + (z * sl + zl * s)
    t, tl = two_product(cube, e.const(_TWO_THIRDS[0], m))
    tl = tl + (cube * _TWO_THIRDS[1] + cubel * _TWO_THIRDS[0])
    rest = cube * z * poly(z, _ATANH)
    hi, first = fast_two_sum(k * LN2["f64"][0], 2.0 * s)
    hi, second = fast_two_sum(hi, t)
    return fast_two_sum(hi, (first + second) + ((2.0 * sl + tl) + (rest + k * LN2["f64"][1])))


def _pow_f64(a: e.Expr, y: e.Expr) -> e.Expr:
    hi, lo = _log_pair(a)
    edge = (a == 0.0) | (a == _INFINITY)
    hi = e.where(edge, e.where(a == 0.0, -_INFINITY, a), hi)
    p, pl = two_product(y, hi)
    tame = e.abs(p) < 2000.0
    return exp_sum(p, e.where(tame & ~edge, pl + y * lo, 0.0))


@accurate(f32=0.6, f64=1.3)
def pow(x, y):
    """x^y with C's values at zeros, infinities and NaN."""
    a = e.abs(x)
    power = _pow_f32(a, y) if x.dtype == "f32" else _pow_f64(a, y)
    whole = e.floor(y) == y
    odd = whole & (e.floor(0.5 * y) * 2.0 != y)
    negative = e.copysign(e.const(1.0, x), x) < 0.0
    power = e.where(negative & odd, -power, power)
    undefined = (x < 0.0) & ~whole & (a < _INFINITY)
    power = e.where(undefined | e.isnan(x) | e.isnan(y), float("nan"), power)
    settled = (y == 0.0) | (x == 1.0) | ((x == -1.0) & (e.abs(y) == _INFINITY))
    return e.where(settled, 1.0, power)


@accurate(f32=0.6, f64=1.3)
def hypot(x, y):
    """sqrt(x^2 + y^2) without overflow or underflow on the way."""
    infinite = (e.abs(x) == _INFINITY) | (e.abs(y) == _INFINITY)
    if x.dtype == "f32":
        a, b = e.cast(x, "f64"), e.cast(y, "f64")
        length = e.cast(e.sqrt(a * a + b * b), "f32")
    else:
        size = e.max(e.abs(x), e.abs(y))
        large, small = size > 2.0**500, size < 2.0**-500
        down = e.where(large, 2.0**-600, e.where(small, 2.0**600, e.const(1.0, x)))
        up = e.where(large, 2.0**600, e.where(small, 2.0**-600, e.const(1.0, x)))
        a, b = x * down, y * down
        length = e.sqrt(a * a + b * b) * up
    return e.where(infinite, _INFINITY, length)


@pow.derivative
def _(grad, x, y, output):
    zero = e.const(0, grad)
    through_x = grad * e.conj(y * pow(x, y - 1.0))
    through_y = grad * e.conj(output * log(x))
    at_zero = (x == 0.0) & (e.real(y) >= 0.0)
    return e.where(y == 0.0, zero, through_x), e.where(at_zero, zero, through_y)


hypot.derivative(lambda grad, x, y, output: (grad * (x / output), grad * (y / output)))
