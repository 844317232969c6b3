"""lgamma and its derivatives digamma and trigamma; float32 is computed in float64.

lgamma: the argument is brought to [3/2, 5/2) by the recurrence, there a minimax polynomial with
the zero at 2 taken out; from 8.5 on Stirling's series, its tail minimax. digamma and trigamma: the
sum over six steps of the recurrence as one quotient, then the asymptotic series. Below 1/2,
reflection.
"""

from .. import expr as e
from .accuracy import accurate
from .floats import poly
from .logarithm import log, log1p

# lgamma(2 + t) / t
_LGAMMA = (
    0.42278433509846713, 0.32246703342411326, -0.06735230105319831, 0.020580808427780567,
    -0.00738555102864968, 0.002890510331023767, -0.0011927539127593017, 0.0005096695156754149,
    -0.00022315473515262433, 9.945767004395347e-05, -4.492653122567632e-05,
    2.0505617299687608e-05, -9.43723640329334e-06, 4.384590224556675e-06, -2.0497545637343897e-06,
    9.203134109620022e-07, -4.2004446715729497e-07, 2.7849583598742404e-07,
    -1.4329234949321652e-07,
)  # fmt: skip
# The tail of Stirling's series times x, in powers of 1/x^2
_STIRLING = (
    0.08333333333333333, -0.0027777777777741003, 0.0007936507898355569, -0.000595236607115974,
    0.0008414728669180929, -0.001890540829310009, 0.0050692653893233686,
)  # fmt: skip
# sin(pi r) / (pi r) in powers of r^2
_SINPI = (
    1.0, -1.6449340668482262, 0.8117424252833373, -0.19075182412143046, 0.026147847804529323,
    -0.002346080886822308, 0.00014842780086944866, -6.972000478171928e-06, 2.449307965484179e-07,
)  # fmt: skip
# (log x - 1/(2x) - digamma(x)) x^2 and (trigamma(x) - 1/x - 1/(2x^2)) x^3 in powers of 1/x^2
_DIGAMMA = (
    0.08333333333333331, -0.008333333333269863, 0.003968253919025385, -0.004166652064555412,
    0.007573613095913933, -0.020918991414514736, 0.0752593384130065, -0.23056165374941362,
)  # fmt: skip
_TRIGAMMA = (
    0.16666666666666666, -0.03333333333326794, 0.02380952374488565, -0.033333308651478655,
    0.07575282120821572, -0.2525923170486919, 1.1322631382365183, -5.69932430888191,
    20.514081308693434,
)  # fmt: skip
_PI = 3.141592653589793
_HALF_LOG_2PI = 0.9189385332046728
_INFINITY = float("inf")
_NAN = float("nan")


def _sin_pi(x: e.Expr) -> e.Expr:
    """|sin(pi x)|."""
    r = x - e.rint(x)
    return e.abs(_PI * r * poly(r * r, _SINPI))


def stirling_tail(t: e.Expr) -> e.Expr:
    """lgamma(t) less (t - 1/2) log t - t + log(2 pi) / 2, for t >= 8.5."""
    inverse = 1.0 / t
    return inverse * poly(inverse * inverse, _STIRLING)


def lgamma_above_one(t: e.Expr, excess: e.Expr | None = None) -> e.Expr:
    """lgamma of t >= 1; given t - 1 exactly, without loss where that is small."""
    value = _lgamma_positive(t)
    if excess is None:
        return value
    near = e.where(excess < 0.5, excess, 0.0)
    return e.where(excess < 0.5, near * poly(near, _LGAMMA) - log1p(near), value)


def _lgamma_positive(t: e.Expr) -> e.Expr:
    """lgamma of t >= 1/2. One logarithm serves: of the product of the recurrence, or of t."""
    large = t >= 8.5
    one = e.const(1.0, t)
    near = e.where(large, 2.0, t)
    n = e.floor(near - 1.5)
    y = near - n
    product = one
    for step in range(6):
        product = e.where(n > float(step), product * (y + float(step)), product)
    logarithm = log(e.where(large, t, e.where(n < 0.0, near, product)))
    rest = near - (n + 2.0)
    small = rest * poly(rest, _LGAMMA) + e.where(n < 0.0, -logarithm, logarithm)
    stirling = (t - 0.5) * (logarithm - 1.0) + ((_HALF_LOG_2PI - 0.5) + stirling_tail(t))
    return e.where(large, e.where(t == _INFINITY, t, stirling), small)


@accurate(f32=0.6, f64=4.5, domain="x > 0; below, the error is 4 ulp of 1 + |result|")
def lgamma(x):
    """log |gamma(x)|."""
    wide = e.cast(x, "f64")
    low = wide < 0.5
    main = _lgamma_positive(e.where(low, 1.0 - wide, wide))
    r = e.abs(wide - e.rint(wide))
    reflected = e.where(r == 0.0, _INFINITY, -log(r * poly(r * r, _SINPI)) - main)
    result = e.where(e.abs(wide) == _INFINITY, _INFINITY, e.where(low, reflected, main))
    return e.cast(result, x.dtype)


def _shifted(x: e.Expr) -> tuple[e.Expr, e.Expr]:
    """Whether x is to be moved up by 6, and where it then is."""
    low = x < 6.0
    return low, e.where(low, x + 6.0, x)


@accurate(f32=0.6, f64=12.0, domain="x > 0, not from 1 to 2; below, away from poles and zeros")
def digamma(x):
    """The derivative of lgamma; NaN at the negative integers."""
    wide = e.cast(x, "f64")
    reflect = wide < 0.0
    t = e.where(reflect, 1.0 - wide, wide)
    low, y = _shifted(t)
    top, bottom = e.const(1.0, t), t
    for step in range(1, 6):
        term = t + float(step)
        top, bottom = top * term + bottom, bottom * term
    inverse = 1.0 / y
    square = inverse * inverse
    value = (log(y) - 0.5 * inverse) - square * poly(square, _DIGAMMA)
    value = value - e.where(low, top / bottom, 0.0)
    r = wide - e.rint(wide)
    value = e.where(reflect, value - _cotangent(r), value)
    pole = (r == 0.0) & reflect
    zero = e.copysign(e.const(_INFINITY, wide), -wide)
    result = e.where(wide == 0.0, zero, e.where(pole | (wide == -_INFINITY), _NAN, value))
    return e.cast(e.where(wide == _INFINITY, wide, result), x.dtype)


def _cotangent(r: e.Expr) -> e.Expr:
    """pi / tan(pi r) for |r| <= 1/2."""
    sine = _PI * r * poly(r * r, _SINPI)
    half = 0.5 - e.abs(r)
    return _PI * (_PI * half * poly(half * half, _SINPI)) / sine


@accurate(f32=0.6, f64=4.0, domain="x > 0; below, away from poles")
def trigamma(x):
    """The second derivative of lgamma."""
    wide = e.cast(x, "f64")
    reflect = wide < 0.5
    t = e.where(reflect, 1.0 - wide, wide)
    low, y = _shifted(t)
    total = e.const(0.0, t)
    for step in range(6):
        term = 1.0 / (t + float(step))
        total = total + term * term
    inverse = 1.0 / y
    square = inverse * inverse
    value = (inverse + 0.5 * square) + inverse * square * poly(square, _TRIGAMMA)
    value = value + e.where(low, total, 0.0)
    sine = e.where(reflect, _sin_pi(wide), 1.0)  # lest the other branch's derivative be NaN
    value = e.where(reflect, (_PI / sine) * (_PI / sine) - value, value)
    return e.cast(e.where(wide == _INFINITY, 0.0, value), x.dtype)


lgamma.derivative(lambda grad, x: grad * digamma(x))
digamma.derivative(lambda grad, x: grad * trigamma(x))
