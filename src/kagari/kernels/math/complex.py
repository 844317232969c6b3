"""The functions on complex numbers, from the real ones on their parts.

Inverse functions follow Kahan ("Branch cuts for complex elementary functions", 1987), so that cuts
and signed zeros come out as in C; infinities and NaN give what the tables of C99's annex G say. The
error is small beside |result|; no bound per part is stated.
"""

import math

from .. import expr as e
from . import exponential, floats, inverse, logarithm, power, trigonometric
from .accuracy import on_complex
from .exponential import cosh, exp, expm1, sinh
from .floats import sqrt
from .inverse import asinh, atan2
from .logarithm import log, log1p
from .power import hypot
from .trigonometric import cos, sin, tan

_LN2 = 0.6931471805599453
_LOG2E = 1.4426950408889634
_LOG10E = 0.4342944819032518
_INFINITY = math.inf
_RIGHT_ANGLE = math.pi / 2


def parts(z: e.Expr) -> tuple[e.Expr, e.Expr]:
    return e.real(z), e.imag(z)


def times_i(z: e.Expr) -> e.Expr:
    return e.complex_(-e.imag(z), e.real(z))


def plus_one(z: e.Expr) -> e.Expr:
    """z + 1 by parts: the zero of a real summand's imaginary part could change a sign."""
    return e.complex_(e.real(z) + 1.0, e.imag(z))


def one_minus(z: e.Expr) -> e.Expr:
    return e.complex_(1.0 - e.real(z), -e.imag(z))


def by_i(z: e.Expr) -> e.Expr:
    return e.complex_(e.imag(z), -e.real(z))


def _keep_zero(y: e.Expr, product: e.Expr) -> e.Expr:
    """A zero stays zero beside a factor that is infinite or NaN."""
    return e.where(y == 0.0, y, product)


def _infinite(x: e.Expr) -> e.Expr:
    return e.abs(x) == _INFINITY


def _no_angle(size: e.Expr, y: e.Expr) -> e.Expr:
    """Whether the size is infinite and the angle no number: then only the size is known."""
    return _infinite(size) & ~(e.abs(y) < _INFINITY)


@on_complex(exponential.exp)
def _exp(z):
    x, y = parts(z)
    size, unknown, one = exp(x), _no_angle(x, y), e.const(1.0, x)
    direction = e.where(unknown & (x < 0.0), e.copysign(one, y), sin(y))
    return e.complex_(size * e.where(unknown, one, cos(y)), _keep_zero(y, size * direction))


@on_complex(exponential.exp2)
def _exp2(z):
    return exp(z * _LN2)


@on_complex(exponential.expm1)
def _expm1(z):
    x, y = parts(z)
    half, whole = sin(0.5 * y), exp(z)
    near = expm1(x) * cos(y) - 2.0 * half * half
    return e.complex_(e.where(_no_angle(x, y), e.real(whole) - 1.0, near), e.imag(whole))


@on_complex(exponential.sigmoid)
def _sigmoid(z):
    return 1.0 / (1.0 + exp(-z))


def log_abs(z: e.Expr) -> e.Expr:
    """log |z|, accurate where |z| is near 1."""
    x, y = (e.abs(p) for p in parts(z))
    large, small = e.max(x, y), e.min(x, y)
    near = 0.5 * log1p((large - 1.0) * (large + 1.0) + small * small)
    size = hypot(x, y)
    return e.where((size > 0.5) & (size < 2.0), near, log(size))


@on_complex(logarithm.log)
def _log(z):
    x, y = parts(z)
    return e.complex_(log_abs(z), atan2(y, x))


@on_complex(logarithm.log2)
def _log2(z):
    return e.complex_(log_abs(z) * _LOG2E, e.imag(log(z)) * _LOG2E)


@on_complex(logarithm.log10)
def _log10(z):
    return e.complex_(log_abs(z) * _LOG10E, e.imag(log(z)) * _LOG10E)


@on_complex(logarithm.log1p)
def _log1p(z):
    x, y = parts(z)
    near = 0.5 * log1p(2.0 * x + (x * x + y * y))
    size = e.where(hypot(x, y) < 0.5, near, log_abs(plus_one(z)))
    return e.complex_(size, atan2(y, 1.0 + x))


@on_complex(floats.sqrt)
def _sqrt(z):
    x, y = parts(z)
    t = e.sqrt(0.5 * e.abs(x) + 0.5 * hypot(x, y))
    other = e.where(t == 0.0, e.abs(y), 0.5 * e.abs(y) / t)
    right, tall = x >= 0.0, _infinite(y)
    re, im = e.where(right, t, other), e.copysign(e.where(right, other, t), y)
    return e.complex_(e.where(tall, e.const(_INFINITY, x), re), e.where(tall, y, im))


@on_complex(exponential.sinh)
def _sinh(z):
    x, y = parts(z)
    along = sinh(x) * e.where(_no_angle(x, y), e.copysign(e.const(1.0, x), x), cos(y))
    return e.complex_(_keep_zero(x, along), _keep_zero(y, cosh(x) * sin(y)))


@on_complex(exponential.cosh)
def _cosh(z):
    x, y = parts(z)
    along = cosh(x) * e.where(_no_angle(x, y), e.const(1.0, x), cos(y))
    zero = e.copysign(e.const(0.0, x), x) * e.copysign(e.const(1.0, x), y)
    across = e.where((x == 0.0) | (y == 0.0), zero, sinh(x) * sin(y))
    return e.complex_(along, across)


@on_complex(trigonometric.sin)
def _sin(z):
    return by_i(exponential.sinh(times_i(z)))


@on_complex(trigonometric.cos)
def _cos(z):
    return exponential.cosh(times_i(z))


@on_complex(exponential.tanh)
def _tanh(z):
    """Kahan's form: it does not overflow before the result is 1."""
    x, y = parts(z)
    large = e.abs(x) > 20.0
    t, s = tan(y), sinh(e.where(large, e.const(1.0, x), x))
    beta = 1.0 + t * t
    below = 1.0 + beta * s * s
    re = beta * e.sqrt(1.0 + s * s) * s / below
    far = 4.0 * sin(y) * cos(y) * exp(-2.0 * e.abs(x))
    far = e.where(_no_angle(x, y), e.copysign(e.const(0.0, x), y), far)
    one = e.copysign(e.const(1.0, x), x)
    across = e.where(large, far, _keep_zero(y, t / below))
    return e.complex_(e.where(large, one, _keep_zero(x, re)), across)


@on_complex(trigonometric.tan)
def _tan(z):
    return by_i(exponential.tanh(times_i(z)))


def _far(z: e.Expr) -> e.Expr:
    """Whether a part is infinite: the inverse functions then only know a direction."""
    x, y = parts(z)
    return _infinite(x) | _infinite(y)


@on_complex(inverse.asin)
def _asin(z):
    x, y = parts(z)
    plus, minus = sqrt(plus_one(z)), sqrt(one_minus(z))
    across = e.where(_far(z), e.abs(y), e.real(plus * minus))
    size = e.where(_far(z), e.copysign(e.const(_INFINITY, x), y), e.imag(e.conj(minus) * plus))
    return e.complex_(_keep_zero(x, atan2(x, across)), asinh(size))


@on_complex(inverse.acos)
def _acos(z):
    x, y = parts(z)
    plus, minus = sqrt(plus_one(z)), sqrt(one_minus(z))
    angle = e.rare(_far(z), atan2(e.abs(y), x), 2.0 * atan2(e.real(minus), e.real(plus)))
    angle = e.where(x == 0.0, e.const(_RIGHT_ANGLE, x), angle)
    size = e.where(_far(z), e.copysign(e.const(_INFINITY, x), -y), e.imag(e.conj(plus) * minus))
    return e.complex_(angle, asinh(size))


@on_complex(inverse.acosh)
def _acosh(z):
    x, y = parts(z)
    plus, minus = sqrt(plus_one(z)), sqrt(e.complex_(x - 1.0, y))
    angle = e.rare(_far(z), atan2(y, x), 2.0 * atan2(e.imag(minus), e.real(plus)))
    angle = e.where(x == 0.0, e.copysign(e.const(_RIGHT_ANGLE, x), y), angle)
    size = e.where(_far(z), e.const(_INFINITY, x), e.real(e.conj(minus) * plus))
    return e.complex_(asinh(size), angle)


@on_complex(inverse.asinh)
def _asinh(z):
    return by_i(inverse.asin(times_i(z)))


@on_complex(inverse.atanh)
def _atanh(z):
    """log((1 + z) / (1 - z)) / 2 on the right half plane; about 1 / z where squares overflow."""
    x, y = parts(z)
    right, tall = e.abs(x), _infinite(y)
    near = 0.25 * log1p(4.0 * right / ((1.0 - right) * (1.0 - right) + y * y))
    scale = e.max(right, e.abs(y))
    u, v = right / scale, y / scale
    size = e.where(
        scale > (2.0**60 if x.dtype == "f32" else 2.0**500), u / (u * u + v * v) / scale, near
    )
    size = e.where((x == 0.0) | _far(z), e.const(0.0, x), size)
    cosine = 0.5 * ((1.0 - right) * (1.0 + right) - y * y)
    turn = atan2(
        e.where(tall, e.copysign(e.const(0.0, y), y), y), e.where(tall, e.const(-1.0, x), cosine)
    )
    return e.complex_(e.copysign(size, x), 0.5 * turn)


@on_complex(inverse.atan)
def _atan(z):
    return by_i(inverse.atanh(times_i(z)))


@on_complex(power.pow)
def _pow(z, w):
    """e^(w log z); 0 to a power with a positive real part is 0, anything to the power 0 is 1."""
    one, zero = e.const(1, z), e.const(0, z)
    power_ = e.where((z == 0.0) & (e.real(w) > 0.0), zero, exp(w * log(z)))
    return e.where(w == 0.0, one, power_)
