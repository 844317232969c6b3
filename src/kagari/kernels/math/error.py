"""erf, erfc, erfcx and the normal distribution function. The inverses are left to inverse_error.py.

For x >= 0, erfc(x) = e^(-x^2) erfcx(x), and erfcx(x) = u P(1 - 2 k u) with u = 1 / (x + k), which
maps [0, infinity) to [-1, 1); P is minimax (Remez). x^2 is taken as an exact square plus a rest,
so that the exponential does not magnify its rounding. erf near zero is x times a minimax
polynomial in x^2.
"""

from .. import expr as e
from .accuracy import accurate
from .exponential import exp, exp_sum
from .floats import halves, poly

_K = {"f32": 2.5, "f64": 4.0}
# erfcx(x) (x + k) in powers of t = (x - k) / (x + k)
_ERFCX = {
    "f32": (
        1.05403185, -0.804651916, 0.453914404, -0.171249688, 0.0283576064, 0.00838387944,
        -0.00479995692, -0.000414962444, 0.000662234263, 2.74847225e-05, -7.13255358e-05,
    ),
    "f64": (
        1.095995661000491, -0.9765487290808819, 0.7732087022652258, -0.5408538313132416,
        0.3308515878785368, -0.17401093723988267, 0.07638151489990418, -0.026370053339719535,
        0.00611205574153182, -0.0002809588758799002, -0.00045505313806482874,
        0.0001768128760521326, -3.6336878936002245e-06, -1.8861038525730337e-05,
        4.69136465194086e-06, 1.4243651224061267e-06, -8.423664013298755e-07,
        -7.549415491849949e-08, 1.2152799850098986e-07, 6.073536223283558e-10,
        -1.483687659407154e-08, 3.076362856674118e-10, 1.1247742540772193e-09,
    ),
}  # fmt: skip
# erf(x) / x in powers of x^2, up to where it is used
_ERF = {
    "f32": (
        1.12837911, -0.37612626, 0.112835854, -0.0268538147, 0.00518833054, -0.000801020244,
        7.85384982e-05,
    ),
    "f64": (
        1.1283791670955126, -0.3761263890318354, 0.1128379167094244, -0.026866170642210047,
        0.005223977590856412, -0.0008548324628589422, 0.00012055229294204071,
        -1.4922755845291397e-05, 1.6409883669614218e-06, -1.5773749130843555e-07,
        1.09070856035172e-08,
    ),
}  # fmt: skip
_NEAR = {"f32": 1.0, "f64": 0.8}
# Beyond it e^(-x^2) is 0.
_FAR = {"f32": 12.0, "f64": 30.0}
_SQRT2 = 1.4142135623730951
_TWO_OVER_SQRT_PI = 1.1283791670955126


def square_parts(x: e.Expr) -> tuple[e.Expr, e.Expr]:
    """x^2 as an exact square and a small rest."""
    high, low = halves(x)
    return high * high, low * (x + high)


def _capped(x: e.Expr, limit: float) -> e.Expr:
    size = e.abs(x)
    return e.where(size > limit, limit, size)


def erfcx_positive(x: e.Expr) -> e.Expr:
    """erfcx of x >= 0."""
    k = _K[x.dtype]
    u = 1.0 / (x + k)
    return u * poly(e.fma(u, -2.0 * k, 1.0), _ERFCX[x.dtype])


def _tail(x: e.Expr) -> e.Expr:
    """erfc(|x|)."""
    size = _capped(x, _FAR[x.dtype])
    head, rest = square_parts(size)
    return exp_sum(-head, -rest) * erfcx_positive(size)


def _erf_near(x: e.Expr) -> e.Expr:
    return x * poly(x * x, _ERF[x.dtype])


@accurate(f32=2.5, f64=2.5)
def erf(x):
    far = e.copysign(1.0 - _tail(x), x)
    return e.where(e.abs(x) < _NEAR[x.dtype], _erf_near(x), far)


@accurate(f32=4.5, f64=4.5)
def erfc(x):
    tail = _tail(x)
    far = e.where(x < 0.0, 2.0 - tail, tail)
    return e.where(e.abs(x) < 0.5, 1.0 - _erf_near(x), far)


@accurate(f32=6.0, f64=9.0)
def erfcx(x):
    """e^(x^2) erfc(x)."""
    size = e.abs(x)
    head, rest = square_parts(_capped(x, _FAR[x.dtype]))
    right = erfcx_positive(size)
    return e.where(x < 0.0, 2.0 * exp_sum(head, rest) - right, right)


@accurate(f32=6.0, f64=6.0)
def ndtr(x):
    """The normal distribution function, erfc(-x / sqrt(2)) / 2; the exponent is taken from x
    itself.
    """
    size = _capped(x, _FAR[x.dtype] * 1.5)
    head, rest = square_parts(size)
    scaled = erfcx_positive(size * (1.0 / _SQRT2))
    tail = 0.5 * exp_sum(-0.5 * head, -0.5 * rest) * scaled
    near = e.fma(_erf_near(x * (1.0 / _SQRT2)), 0.5, 0.5)
    return e.where(e.abs(x) < 0.7, near, e.where(x < 0.0, tail, 1.0 - tail))


def normal_density(x: e.Expr) -> e.Expr:
    """e^(-x^2 / 2) / sqrt(2 pi)."""
    return exp(x * x * -0.5) * 0.3989422804014327


erf.derivative(lambda grad, x: grad * exp(-(x * x)) * _TWO_OVER_SQRT_PI)
erfc.derivative(lambda grad, x: -grad * exp(-(x * x)) * _TWO_OVER_SQRT_PI)
erfcx.derivative(lambda grad, x, output: grad * (2.0 * x * output - _TWO_OVER_SQRT_PI))
ndtr.derivative(lambda grad, x: grad * normal_density(x))
