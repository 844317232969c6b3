"""log, log2, log10, log1p and what is made of them. Powers are left to power.py.

x = m 2^k with m in [sqrt(1/2), sqrt(2)), f = m - 1 exactly. float32: log(1+f) = f - f^2/2 + f^3
q(f), q minimax. float64: with s = f / (2 + f), log(1+f) = 2 atanh(s), arranged as in fdlibm so
that f^2/2 is taken off f exactly; the polynomial in s^2 is minimax.
"""

from .. import expr as e
from .accuracy import accurate
from .exponential import exp, sigmoid
from .floats import INTEGER, LN2, LOG2E, MANTISSA, poly, power_of_two, small_integer, split_exponent

_LOG = {
    "f32": (
        0.333333164, -0.250007898, 0.200022936, -0.166251719, 0.141811863, -0.13123627,
        0.128808424, -0.0787126049,
    ),
    "f64": (
        0.6666666666666731, 0.39999999999431995, 0.28571428739383614, 0.22222198820292188,
        0.1818355391020845, 0.15314267003031043, 0.1479420303451902,
    ),
}  # fmt: skip
_INFINITY = float("inf")
_NAN = float("nan")


def log_parts(f: e.Expr) -> tuple[e.Expr, e.Expr]:
    """log(1 + f) for |f| < 0.42 as f and what is to be added to it."""
    square = f * f
    if f.dtype == "f32":
        return f, square * e.fma(f, poly(f, _LOG["f32"]), -0.5)
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * square
    return f, s * (half + z * poly(z, _LOG["f64"])) - half


def combine(k: e.Expr, f: e.Expr) -> e.Expr:
    """k ln 2 + log(1 + f)."""
    high, low = LN2[f.dtype]
    head, tail = log_parts(f)
    return e.fma(k, high, head + e.fma(k, low, tail))


def edges(x: e.Expr, inside: e.Expr) -> e.Expr:
    """A logarithm's values at 0, infinity, NaN and below zero; `inside` elsewhere."""
    outside = e.where(x == 0.0, -_INFINITY, e.where(x > 0.0, x, _NAN))
    return e.where((x > 0.0) & (x < _INFINITY), inside, outside)


@accurate(f32=1.0, f64=1.0)
def log(x):
    m, k = split_exponent(x)
    return edges(x, combine(k, m - 1.0))


@accurate(f32=2.0, f64=2.0)
def log2(x):
    m, k = split_exponent(x)
    head, tail = log_parts(m - 1.0)
    return edges(x, e.fma(head + tail, LOG2E, k))


# log10(2) as a short and a long part: products of exponents with the short one are exact.
_LOG10_2 = {
    "f32": (0.301025390625, 4.605038981195214e-06),
    "f64": (0.3010299956640665, -8.532344317057107e-14),
}


@accurate(f32=2.0, f64=2.0)
def log10(x):
    m, k = split_exponent(x)
    head, tail = log_parts(m - 1.0)
    high, low = _LOG10_2[x.dtype]
    inner = e.fma(head + tail, 0.4342944819032518, k * low)
    return edges(x, e.fma(k, high, inner))


@accurate(f32=1.5, f64=1.5)
def log1p(x):
    """The exponent is that of 1 + x, but f = x 2^-k + (2^-k - 1) is taken from x itself.

    2^-k is held fourfold, lest it be subnormal."""
    bits, integer = MANTISSA[x.dtype], INTEGER[x.dtype]
    root = e.bitcast(e.const(0.7071067811865476, x), integer)
    k = (e.bitcast(1.0 + x, integer) - root) >> bits
    s = power_of_two(2 - k, x.dtype)
    f = e.fma(0.25 * x, s, 0.25 * s - 1.0)
    result = e.where(e.abs(x) < 2.0 ** -(bits + 2), x, combine(small_integer(k, x.dtype), f))
    outside = e.where(x == -1.0, -_INFINITY, e.where(x > 0.0, x, _NAN))
    return e.where((x > -1.0) & (x < _INFINITY), result, outside)


@accurate(f32=2.0, f64=2.0)
def softplus(x):
    """log(1 + e^x)."""
    return e.where(x < 0.0, e.const(0.0, x), x) + log1p(exp(-e.abs(x)))


log.derivative(lambda grad, x: grad / e.conj(x))
log2.derivative(lambda grad, x: grad / e.conj(x * 0.6931471805599453))
log10.derivative(lambda grad, x: grad / e.conj(x * 2.302585092994046))
log1p.derivative(lambda grad, x: grad / e.conj(x + 1.0))
softplus.derivative(lambda grad, x: grad * sigmoid(x))
