"""exp and its family: exp2, expm1, sigmoid, tanh, sinh, cosh. Logarithms are left to logarithm.py.

x = n ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite: ln 2 in two pieces), e^r by a minimax
polynomial (Remez, relative error below 0.13 ulp), 2^n by writing the exponent's bits. Functions
that cancel near zero start from expm1.
"""

from .. import expr as e
from .accuracy import accurate
from .floats import LN2, LOG2E, clamp, poly, power_of_two, round_bits, scale

# (e^r - 1 - r) / r^2 on |r| <= 0.35
_EXP = {
    "f32": (0.5, 0.166665405, 0.0416662693, 0.00836700387, 0.00139474939),
    "f64": (
        0.5000000000000006, 0.16666666666666685, 0.04166666666657505, 0.008333333333314114,
        0.0013888888932704247, 0.00019841269904712845, 2.4801503430420075e-05,
        2.7557225972385387e-06, 2.7626910938415615e-07, 2.5115227399478952e-08,
    ),
}  # fmt: skip
# (2^r - 1) / r on |r| <= 1/2
_EXP2 = {
    "f32": (0.693147182, 0.240226507, 0.0555032566, 0.0096179992, 0.00134012755, 0.000154776237),
    "f64": (
        0.6931471805599453, 0.2402265069591014, 0.05550410866482175, 0.009618129107591107,
        0.001333355814637615, 0.00015403530461320511, 1.5252733870522014e-05,
        1.3215433028714173e-06, 1.0178045170273879e-07, 7.074191924064717e-09,
        4.457585921758755e-10,
    ),
}  # fmt: skip
_RANGE = {"f32": (-104.0, 89.0), "f64": (-746.0, 710.0)}
_RANGE2 = {"f32": (-151.0, 129.0), "f64": (-1076.0, 1025.0)}
# Where expm1 is -1, and where e^x / 2 overflows.
_RANGE1 = {"f32": (-20.0, 89.5), "f64": (-40.0, 710.5)}
# Below it expm1(x) is x, to the last bit.
_SMALL = {"f32": 2.0**-25, "f64": 2.0**-54}


def _reduced(x: e.Expr, rest: e.Expr | None = None) -> tuple[e.Expr, e.Expr]:
    """e^r - 1 and n, of an x that is clamped, or of x and a small rest."""
    high, low = LN2[x.dtype]
    t, n = round_bits((x if rest is None else x + rest) * LOG2E)
    r = e.fma(t, -low, e.fma(t, -high, x))
    r = r if rest is None else r + rest
    return e.fma(r * r, poly(r, _EXP[x.dtype]), r), n


@accurate(f32=1.1, f64=1.1)
def exp(x):
    p, n = _reduced(clamp(x, *_RANGE[x.dtype]))
    return scale(p + 1.0, n)


def exp_sum(x: e.Expr, rest: e.Expr) -> e.Expr:
    """e^(x + rest) for a rest too small to be added without loss."""
    p, n = _reduced(clamp(x, *_RANGE[x.dtype]), rest)
    return scale(p + 1.0, n)


@accurate(f32=1.0, f64=1.0)
def exp2(x):
    x = clamp(x, *_RANGE2[x.dtype])
    t, n = round_bits(x)
    r = x - t
    return scale(e.fma(r, poly(r, _EXP2[x.dtype]), 1.0), n)


def half_expm1(x: e.Expr) -> e.Expr:
    """(e^x - 1) / 2: it overflows only where cosh does. Wrong below _SMALL; see expm1."""
    p, n = _reduced(clamp(x, *_RANGE1[x.dtype]))
    s = power_of_two(n - 2, x.dtype)
    return 2.0 * e.fma(s, p, s - 0.25)


@accurate(f32=1.6, f64=2.3)
def expm1(x):
    return e.where(e.abs(x) < _SMALL[x.dtype], x, 2.0 * half_expm1(x))


@accurate(f32=2.2, f64=2.4)
def sigmoid(x):
    tail = exp(-e.abs(x))
    return e.where(x < 0.0, tail, 1.0) / (1.0 + tail)


@accurate(f32=2.6, f64=3.1)
def tanh(x):
    t = half_expm1(-2.0 * e.abs(x))
    t = e.where(e.abs(x) < _SMALL[x.dtype], -e.abs(x), t)
    return e.copysign(t / (1.0 + t), x)


@accurate(f32=2.2, f64=2.8)
def sinh(x):
    t = half_expm1(e.abs(x))
    large = t > 2.0**60
    t = e.where(large, t, t + t / (2.0 * t + 1.0))
    return e.where(e.abs(x) < _SMALL[x.dtype], x, e.copysign(t, x))


@accurate(f32=1.6, f64=1.8)
def cosh(x):
    t = half_expm1(e.abs(x)) + 0.5
    return t + 0.25 / t


@accurate(f32=3.0, f64=3.0)
def tanh_softplus(x):
    """tanh(log(1 + e^x)) = n / (n + 2) with n = e^2x + 2 e^x; it is 1 from 20 on."""
    power = exp(e.where(x > 20.0, 20.0, x))
    n = power * (power + 2.0)
    return n / (n + 2.0)


tanh_softplus.derivative(lambda grad, x, output: grad * ((1.0 - output * output) * sigmoid(x)))
exp.derivative(lambda grad, output: grad * e.conj(output))
exp2.derivative(lambda grad, output: grad * e.conj(output) * 0.6931471805599453)
expm1.derivative(lambda grad, output: grad * e.conj(output + 1.0))
sigmoid.derivative(lambda grad, output: grad * e.conj(output * (1.0 - output)))
tanh.derivative(lambda grad, output: grad * e.conj(1.0 - output * output))
sinh.derivative(lambda grad, x: grad * e.conj(cosh(x)))
cosh.derivative(lambda grad, x: grad * e.conj(sinh(x)))
