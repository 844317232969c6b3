"""The inverse trigonometric and hyperbolic functions. Their complex forms are left to complex.py.

asin: up to 1/2 a minimax polynomial in x^2, above it pi/2 - 2 asin(sqrt((1 - x) / 2)). atan: a
quotient is first brought below 1 (float32) or tan(pi/8) (float64) by the angles pi/4 and pi/2, as
in Cephes, then a minimax polynomial. The hyperbolic ones are log1p of an argument that does not
cancel.
"""

from .. import expr as e
from .accuracy import accurate
from .floats import poly
from .logarithm import log1p

# (asin s - s) / s^3 and (atan t - t) / t^3 in powers of the square
_ASIN = {
    "f32": (0.166667536, 0.0749525651, 0.0454755165, 0.024154311, 0.0422086455),
    "f64": (
        0.1666666666666676, 0.0749999999997078, 0.04464285717471512, 0.030381942700315533,
        0.022372215244868897, 0.01735160681397226, 0.013980887790465765, 0.011398333142334995,
        0.01078361622265636, 0.0036933799489439023, 0.021739720814725142, -0.02104531789606536,
        0.0326578064496851,
    ),
}  # fmt: skip
_ATAN = {
    "f32": (
        -0.333333015, 0.199986413, -0.14265269, 0.109576941, -0.0841978341, 0.05823984,
        -0.0314607657, 0.0110670673, -0.00182778272,
    ),
    "f64": (
        -0.33333333333333204, 0.19999999999954798, -0.14285714280305425, 0.11111110788481184,
        -0.09090897893447979, 0.07692062510488107, -0.06663129046506296, 0.05848064434853602,
        -0.05040067388942153, 0.03808334664526802, -0.017927204200359367,
    ),
}  # fmt: skip
_HALF_PI = {
    "f32": (1.57079637050628662, -4.37113900018624283e-8),
    "f64": (1.5707963267948966, 6.123233995736766e-17),
}
_TAN_EIGHTH_PI = 0.41421356237309503
_LN2 = 0.6931471805599453
_INFINITY = float("inf")


def _asin_half(size: e.Expr) -> tuple[e.Expr, e.Expr]:
    """Whether |x| > 1/2, and then asin(sqrt((1 - |x|) / 2)), else asin(|x|)."""
    above = size > 0.5
    z = e.where(above, 0.5 - 0.5 * size, size * size)
    s = e.where(above, e.sqrt(z), size)
    return above, e.fma(s * z, poly(z, _ASIN[size.dtype]), s)


@accurate(f32=2.0, f64=2.0)
def asin(x):
    above, angle = _asin_half(e.abs(x))
    high, low = _HALF_PI[x.dtype]
    return e.copysign(e.where(above, (high - 2.0 * angle) + low, angle), x)


@accurate(f32=1.5, f64=1.5)
def acos(x):
    above, angle = _asin_half(e.abs(x))
    high, low = _HALF_PI[x.dtype]
    negative = x < 0.0
    middle = (high - e.copysign(angle, x)) + low
    outer = e.where(negative, (2.0 * high - 2.0 * angle) + 2.0 * low, 2.0 * angle)
    return e.where(above, outer, middle)


def _series(t: e.Expr) -> e.Expr:
    z = t * t
    return e.fma(t * z, poly(z, _ATAN[t.dtype]), t)


def _safe(x: e.Expr) -> e.Expr:
    """A divisor that is zero only beside a dividend of zero."""
    return e.where(x == 0.0, 1.0, x)


def _angle(y: e.Expr, x: e.Expr) -> tuple[e.Expr, e.Expr]:
    """The angle of (x, y) in the first quadrant, as a base angle and what is added to it."""
    zero = e.const(0.0, x)
    high, low = _HALF_PI[x.dtype]
    if x.dtype == "f32":
        steep = y > x
        t = _series(e.where(steep, -x, y) / _safe(e.where(steep, y, x)))
        return e.where(steep, high, zero), e.where(steep, t + low, t)
    flat, steep = y <= x * _TAN_EIGHTH_PI, x < y * _TAN_EIGHTH_PI
    top = e.where(flat, y, e.where(steep, -x, y - x))
    bottom = e.where(flat, x, e.where(steep, y, y + x))
    base = e.where(flat, zero, e.where(steep, e.const(high, x), 0.5 * high))
    rest = e.where(flat, zero, e.where(steep, e.const(low, x), 0.5 * low))
    return base, _series(top / _safe(bottom)) + rest


@accurate(f32=1.6, f64=2.0)
def atan(x):
    base, more = _angle(e.abs(x), e.const(1.0, x))
    return e.copysign(base + more, x)


@accurate(f32=1.6, f64=2.2)
def atan2(y, x):
    """The angle of the point (x, y), with C's values for zeros and infinities."""
    a, b, one = e.abs(y), e.abs(x), e.const(1.0, x)
    both = (a == _INFINITY) & (b == _INFINITY)
    a, b = e.where(both, 1.0, a), e.where(both, 1.0, b)
    if x.dtype == "f64":  # _angle adds its operands and multiplies them by 0.4
        size = e.max(a, b)
        scale = e.where(size > 2.0**1000, 2.0**-100, e.where(size < 2.0**-900, 2.0**100, one))
        a, b = a * scale, b * scale
    base, more = _angle(a, b)
    high, low = _HALF_PI[x.dtype]
    left = e.copysign(one, x) < 0.0
    angle = e.where(left, (2.0 * high - base) + (2.0 * low - more), base + more)
    return e.copysign(angle, y)


@accurate(f32=2.5, f64=2.5)
def asinh(x):
    size = e.abs(x)
    large = size > _large(x)
    square = size * size
    small = size + square / (1.0 + e.sqrt(1.0 + square))
    return e.copysign(_log1p_doubled(large, size, small), x)


@accurate(f32=2.5, f64=2.5)
def acosh(x):
    t = x - 1.0
    large = x > _large(x)
    small = t + e.sqrt(2.0 * t + t * t)
    return e.where(x < 1.0, float("nan"), _log1p_doubled(large, x, small))


def _large(x: e.Expr) -> float:
    """Beyond it 1 + x^2 is x^2, and 1 + x is x."""
    return 2.0**28 if x.dtype == "f32" else 2.0**56


def _log1p_doubled(large: e.Expr, x: e.Expr, small: e.Expr) -> e.Expr:
    """log(2 x) where large, else log1p(small)."""
    return log1p(e.where(large, x, small)) + e.where(large, _LN2, e.const(0.0, x))


@accurate(f32=2.5, f64=2.5)
def atanh(x):
    size = e.abs(x)
    return e.copysign(0.5 * log1p(2.0 * size / (1.0 - size)), x)


asin.derivative(lambda grad, x: grad / e.conj(_root(1.0 - x * x)))
acos.derivative(lambda grad, x: -(grad / e.conj(_root(1.0 - x * x))))
atan.derivative(lambda grad, x: grad / e.conj(x * x + 1.0))
asinh.derivative(lambda grad, x: grad / e.conj(_root(x * x + 1.0)))
atanh.derivative(lambda grad, x: grad / e.conj(1.0 - x * x))


@acosh.derivative
def _(grad, x):
    return grad / e.conj(_root(x - 1.0) * _root(x + 1.0))


@atan2.derivative
def _(grad, y, x):
    from .power import hypot

    size = hypot(x, y)
    nonzero = e.where(size == 0.0, 1.0, size)
    return grad * (x / nonzero / nonzero), -grad * (y / nonzero / nonzero)


def _root(x: e.Expr) -> e.Expr:
    from .floats import sqrt

    return sqrt(x)
