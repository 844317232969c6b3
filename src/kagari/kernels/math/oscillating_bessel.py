"""Bessel functions of the first and second kind, orders 0 and 1, and the spherical one of order 0;
computed in float64.

Up to 8, J is a polynomial in x^2 with its two zeros there taken out, and Y is a polynomial in x^2
beside its logarithm (DLMF 10.8). Beyond, both are an amplitude and a phase (Hankel's expansion,
DLMF 10.17), the slowly changing parts polynomials in (8/x)^2. The coefficients interpolate at
Chebyshev's nodes, computed to 50 digits.
"""

from .. import expr as e
from .accuracy import accurate
from .floats import poly
from .logarithm import log
from .trigonometric import cos, sin

# Of order 0 and 1: J (J / x) over its zeros' product, and Y (Y / x) without what is infinite at 0,
# in powers of x^2/32 - 1.
_J = (
    (
    0.0011434937743762545, -0.002119794289479692, 0.0015636431645931661, -0.0006415390646406123,
    0.00016977200713997844, -3.157342540223544e-05, 4.3669323246406834e-06,
    -4.677128021300745e-07, 3.998839345472477e-08, -2.7948629678329127e-09, 1.62764894918064e-10,
    -8.023472601933258e-12, 3.3923298937104677e-13, -1.2482967042743655e-14,
    4.0068948013720515e-16,
),
    (
    0.00019498936985895625, -0.0002697522746716368, 0.00015860016799369874,
    -5.408003239085506e-05, 1.224217365301561e-05, -1.989093515914257e-06, 2.442522260752042e-07,
    -2.352192254577852e-08, 1.8268547695321333e-09, -1.1696932521783476e-10,
    6.284733827929608e-12, -2.875530868558852e-13, 1.1343125416873433e-14,
    -3.9104228826133377e-16, 1.181146462725329e-17,
),
)  # fmt: skip
_Y = (
    (
    -0.382250654459425, -0.8284358903604587, 1.6470964788745466, 0.14412632369302442,
    -1.0775477338215995, 0.6721770783431723, -0.21895747096171628, 0.0463670476813471,
    -0.00702574105727097, 0.0008061586060550644, -7.279541882454115e-05, 5.321318633735116e-06,
    -3.2185078445935923e-07, 1.6391065268260488e-08, -7.13046146536789e-10,
    2.681822137847736e-11, -8.840112096073101e-13, 2.558039436392922e-14,
),
    (
    0.07075985882118005, -0.24337743079193114, 0.023367571720993584, 0.23507209206669755,
    -0.19639839859930425, 0.07854786922242545, -0.019628756833099423, 0.0034224907399180455,
    -0.00044381734351149876, 4.467433012914413e-05, -3.600999874357815e-06,
    2.380492991366028e-07, -1.3153322551127247e-08, 6.169742613332968e-10,
    -2.4887509903377128e-11, 8.728810134833414e-13, -2.695138958384033e-14,
    7.339060975161991e-16,
),
)  # fmt: skip
# P and x Q of Hankel's expansion in powers of 128/x^2 - 1.
_P = (
    (
    0.9994572757882519, -0.0005363673192129672, 6.137416080109497e-06, -2.0527448261170675e-07,
    1.280376144080092e-08, -1.2121098178951377e-09, 1.5500565496632596e-10,
    -2.491146535471666e-11, 4.786995821368028e-12, -1.0157485021065676e-12,
    2.4531772967345006e-13, -1.0251790052831013e-13, 3.339452259070809e-14,
),
    (
    1.0009070262780821, 0.0008988049416705183, -7.9596946984383e-06, 2.453676633366693e-07,
    -1.4708512991275258e-08, 1.3602969253877949e-09, -1.713107485294131e-10,
    2.72345126828134e-11, -5.191158004646548e-12, 1.0954826479277623e-12,
    -2.6335760672461096e-13, 1.0923713653079462e-13, -3.5455617466606254e-14,
),
)  # fmt: skip
_Q = (
    (
    -0.12444091103610815, 0.0005466519279475109, -1.1817110661200976e-05, 5.68497188761875e-07,
    -4.534972837363434e-08, 5.146225268539058e-09, -7.5763304988972e-10, 1.36265138876175e-10,
    -2.8707211071105146e-11, 6.878054876576861e-12, -1.873640743543296e-12,
    5.570266801419967e-13, -1.3137515498826537e-13, 3.750385225206321e-14,
    -4.0574096424030336e-14, 1.7159223662634758e-14,
),
    (
    0.3742149922195918, -0.0007697167057643706, 1.4569614809851411e-05, -6.633568561050814e-07,
    5.136105997071193e-08, -5.720890888840857e-09, 8.316077350038262e-10,
    -1.4816588916791194e-10, 3.100364837230575e-11, -7.465104477698295e-12,
    2.002728774766585e-12, -4.91574062967655e-13, 1.3996264453471973e-13,
    -1.0759215471978615e-13, 4.275621822194818e-14,
),
)  # fmt: skip
# The zeros of J up to 8, each as a sum of two numbers.
_ZEROS = (
    ((2.404825557695773, -1.176691651530894e-16), (5.520078110286311, 8.088597146146722e-17)),
    ((3.8317059702075125, -1.5269184090088067e-16), (7.015586669815619, -9.414165653410389e-17)),
)
_TWO_OVER_PI = 0.6366197723675814
_ONE_OVER_PI = 0.3183098861837907


def _near_j(order: int, x: e.Expr) -> e.Expr:
    value = poly(x * x * (1.0 / 32.0) - 1.0, _J[order])
    for high, low in _ZEROS[order]:
        value = value * (((x - high) - low) * (x + high))
    return value * x if order else value


def _near_y(order: int, x: e.Expr) -> e.Expr:
    value = poly(x * x * (1.0 / 32.0) - 1.0, _Y[order])
    logarithm = log(x) * _near_j(order, x)
    if order == 0:
        return value + _TWO_OVER_PI * logarithm
    return value * x + _TWO_OVER_PI * (logarithm - 1.0 / x)


def wave_parts(x: e.Expr, nearest: float, p: tuple, q: tuple) -> tuple[e.Expr, e.Expr]:
    """The factors of cosine and sine in a wave that decays beyond `nearest`: polynomials in
    2 (nearest / x)^2 - 1, the second one over x."""
    inverse = nearest / x
    t = 2.0 * inverse * inverse - 1.0
    return poly(t, p), poly(t, q) / x


def _far(order: int, x: e.Expr) -> tuple[e.Expr, e.Expr]:
    """J and Y: the phase is x less pi/4, or less 3 pi/4, by the sum rules of sine and cosine."""
    p, q = wave_parts(x, 8.0, _P[order], _Q[order])
    s, c = sin(x), cos(x)
    cosine, sine = (c + s, s - c) if order == 0 else (s - c, -(s + c))
    amplitude = e.sqrt(_ONE_OVER_PI / x)
    return amplitude * (p * cosine - q * sine), amplitude * (p * sine + q * cosine)


def _first(order: int, x: e.Expr) -> e.Expr:
    size = e.abs(e.cast(x, "f64"))
    near = size <= 8.0
    far = _far(order, e.where(near, 8.0, size))[0]
    return e.cast(e.where(near, _near_j(order, e.where(near, size, 0.0)), far), x.dtype)


def _second(order: int, x: e.Expr) -> e.Expr:
    wide = e.cast(x, "f64")
    near = wide <= 8.0
    far = _far(order, e.where(near, 8.0, wide))[1]
    value = e.where(near, _near_y(order, e.where(near, wide, 1.0)), far)
    outside = e.where(wide == 0.0, e.const(float("-inf"), wide), float("nan"))
    value = e.where(wide > 0.0, value, outside)
    return e.cast(value, x.dtype)


_J_DOMAIN = "to 8; beyond in ulp of sqrt(2 / (pi |x|))"
_Y_DOMAIN = "x > 0, in ulp of sqrt(J^2 + Y^2)"


@accurate(f32=0.6, f64=9.0, domain=_J_DOMAIN)
def bessel_j0(x):
    return e.where(x == 0.0, 1.0, _first(0, x))


@accurate(f32=0.6, f64=9.0, domain=_J_DOMAIN)
def bessel_j1(x):
    return e.where(x < 0.0, -_first(1, x), e.where(x == 0.0, x, _first(1, x)))


@accurate(f32=0.6, f64=12.0, domain=_Y_DOMAIN)
def bessel_y0(x):
    return _second(0, x)


@accurate(f32=0.6, f64=12.0, domain=_Y_DOMAIN)
def bessel_y1(x):
    return _second(1, x)


@accurate(f32=2.0, f64=1.5)
def spherical_bessel_j0(x):
    """sin(x) / x."""
    ratio = sin(x) / x
    return e.where(x == 0.0, 1.0, e.where(e.abs(x) == float("inf"), 0.0, ratio))
