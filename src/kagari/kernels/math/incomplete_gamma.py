"""The regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 - P(a, x), in float64.

With d = x^a e^-x / gamma(a + 1): up to x = a (or 1.1), P is d times a series of positive terms
(DLMF 8.7.1), beyond, Q is d a times a continued fraction (DLMF 8.9.2, by Lentz's method); where Q
is the small one at small x, it has a series of its own. Both loops end where terms no longer
count. For large a near x, Temme's expansion (DLMF 8.12), which is uniform there. Where P and Q
meet, the larger one is had from the smaller.
"""

from .. import expr as e
from ..function import MISSING
from .accuracy import accurate
from .error import erfc
from .exponential import exp, expm1
from .floats import poly
from .gamma import lgamma, lgamma_above_one, stirling_tail
from .logarithm import log
from .power import pow

# (log(1 + m) - m) / m^2 in powers of m / 0.3
_LOG1P_LESS = (
    -0.5, 0.09999999999999999, -0.022499999999999975, 0.005400000000001064,
    -0.001350000000000981, 0.0003471428571200204, -9.112499998478672e-05, 2.430000022460731e-05,
    -6.5610001208167955e-06, 1.7893624244578518e-06, -4.920744414541141e-07,
    1.362708422641462e-07, -3.796167620070519e-08, 1.0620913016378856e-08,
    -2.986409132390735e-09, 8.540445097997665e-10, -2.425942426526491e-10, 6.035321469869994e-11,
    -1.6911003873773645e-11, 8.651476407806407e-12, -2.535444411054171e-12,
)  # fmt: skip
# c_k of Temme's expansion in powers of eta, up to 0.34, for a above 100
_TEMME = (
    (
    -0.3333333333333333, 0.08333333333333333, -0.014814814814814815, 0.0011574074074074073,
    0.0003527336860670194, -0.0001787551440329218, 3.919263178522438e-05, -2.185448510679992e-06,
    -1.85406221071516e-06, 8.296711340953087e-07, -1.7665952736826078e-07, 6.707853543401498e-09,
    1.0261809784240309e-08, -4.382036018453353e-09, 9.14769958223679e-10,
    -2.5514193994946248e-11, -5.830772132550426e-11,
    ),
    (
    -0.001851851851851852, -0.003472222222222222, 0.0026455026455026454, -0.0009902263374485596,
    0.00020576131687242798, -4.018775720164609e-07, -1.8098550334489977e-05,
    7.64916091608111e-06, -1.6120900894563446e-06, 4.647127802807434e-09, 1.378633446915721e-07,
    -5.752545603517705e-08, 1.1951628599778148e-08, -1.7543241719747647e-11,
    -1.0091543710600413e-09,
    ),
    (
    0.004133597883597883, -0.0026813271604938273, 0.0007716049382716049, 2.0093878600823047e-06,
    -0.0001073665322636516, 5.2923448829120125e-05, -1.2760635188618728e-05,
    3.423578734096138e-08, 1.3721957309062934e-06, -6.298992138380055e-07,
    1.4280614206064242e-07, -2.0477098421990866e-10, -1.409252991086752e-08,
    ),
    (
    0.0006494341563786008, 0.00022947209362139917, -0.0004691894943952557,
    0.00026772063206283885, -7.561801671883977e-05, -2.396505113867297e-07,
    1.1082654115347302e-05, -5.6749528269915965e-06, 1.4230900732435883e-06,
    -2.7861080291528143e-11, -1.6958404091930278e-07,
    ),
    (
    -0.0008618882909167117, 0.0007840392217200666, -0.0002990724803031902,
    -1.4638452578843418e-06, 6.641498215465122e-05, -3.968365047179435e-05,
    1.1375726970678419e-05, 2.507497226237533e-10, -1.6954149536558305e-06,
    ),
    (
    -0.00033679855336635813, -6.972813758365857e-05, 0.0002772753244959392,
    -0.00019932570516188847, 6.797780477937208e-05, 1.419062920643967e-07,
    -1.3594048189768693e-05,
    ),
    (
    0.0005313079364639922, -0.0005921664373536939, 0.0002708782096718045, 7.902353232660328e-07,
    -8.153969367561969e-05,
    ),
    (
    0.00034436760689237765,
    ),
)  # fmt: skip
_LARGE = 100.0
_CLOSE = 0.3  # |x - a| / a in which Temme's expansion serves
_STIRLING = 8.5  # from there on d is had from Stirling's series
_PRECISION = {"f32": 2.0**-30, "f64": 2.0**-56}
_MOST_STEPS = 10000.0
_TWO_PI = 6.283185307179586
_INFINITY = float("inf")
_NAN = float("nan")

Pair = tuple[e.Expr, e.Expr]


def _distance(a: e.Expr, x: e.Expr) -> Pair:
    """m = x / a - 1, and m - log(1 + m) without cancellation."""
    m = (x - a) / a
    near = -m * m * poly(m * (1.0 / _CLOSE), _LOG1P_LESS)
    return m, e.where(e.abs(m) < _CLOSE, near, m - log(x / a))


def _density(a: e.Expr, x: e.Expr) -> e.Expr:
    """x^a e^-x / gamma(a + 1)."""
    small = e.where(a < _STIRLING, a, 1.0)
    inside = e.where(x < 1e30, x, 1e30)
    low = pow(inside, small) * exp(-inside) * exp(-lgamma_above_one(small + 1.0))
    large = e.where(a < _STIRLING, _STIRLING, a)
    high = exp(-large * _distance(large, x)[1] - stirling_tail(large)) / e.sqrt(_TWO_PI * large)
    return e.where(a < _STIRLING, low, high)


def _series(a: e.Expr, x: e.Expr, active: e.Expr, precision: float) -> e.Expr:
    """1 + x / (a + 1) + x^2 / ((a + 1)(a + 2)) + ..."""

    def going(k, term, total, a, x):
        return (term > total * precision) & (k < _MOST_STEPS)

    def step(k, term, total, a, x):
        term = term * (x / (a + k))
        return k + 1.0, term, total + term

    one = e.const(1.0, x)
    return e.loop(going, step, (one, e.where(active, one, 0.0), one), (a, x))[2]


def _fraction(a: e.Expr, x: e.Expr, active: e.Expr, precision: float) -> e.Expr:
    """1 / (x + 1 - a - (1 - a) / (x + 3 - a - 2 (2 - a) / (x + 5 - a - ...)))."""

    def going(k, b, c, d, value, change, a):
        return (e.abs(change - 1.0) > precision) & (k < _MOST_STEPS)

    def step(k, b, c, d, value, change, a):
        numerator, b = k * (a - k), b + 2.0
        d = 1.0 / (numerator * d + b)
        c = b + numerator / c
        change = c * d
        return k + 1.0, b, c, d, value * change, change

    one = e.const(1.0, x)
    b = x + 1.0 - a
    d = one / b
    start = (one, b, e.const(1e300, x), d, d, e.where(active, 0.0, one))
    return e.loop(going, step, start, (a,))[4]


def _small_q(a: e.Expr, x: e.Expr, active: e.Expr, precision: float) -> e.Expr:
    """Q = -expm1(l) - e^l a S with l = a log(x) - lgamma(1 + a) and S the sum of
    (-x)^k / (k! (a + k)) from k = 1; for x up to 1.1 and a no larger."""
    a, x = e.where(active, a, 0.5), e.where(active, x, 0.5)

    def going(k, factor, total, a, x):
        return e.abs(factor) > precision

    def step(k, factor, total, a, x):
        factor = -factor * (x / k)
        return k + 1.0, factor, total + factor / (a + k)

    one = e.const(1.0, x)
    start = (one, e.where(active, one, 0.0), e.const(0.0, x))
    total = e.loop(going, step, start, (a, x))[2]
    exponent = a * log(x) - lgamma_above_one(1.0 + a, a)
    return -expm1(exponent) - exp(exponent) * a * total


def _uniform(a: e.Expr, x: e.Expr, active: e.Expr) -> Pair:
    """P and Q by Temme's expansion."""
    a, x = e.where(active, a, _LARGE), e.where(active, x, _LARGE)
    m, phi = _distance(a, x)
    eta = e.copysign(e.sqrt(2.0 * phi), m)
    total = e.const(0.0, x)
    for row in reversed(_TEMME):
        total = total / a + poly(eta, row) if len(row) > 1 else total / a + row[0]
    rest = exp(-a * phi) / e.sqrt(_TWO_PI * a) * total
    y = eta * e.sqrt(0.5 * a)
    return 0.5 * erfc(-y) - rest, 0.5 * erfc(y) + rest


def _both(a: e.Expr, x: e.Expr, precision: float) -> Pair:
    """P and Q for positive finite arguments."""
    uniform = (a > _LARGE) & (e.abs(x - a) < _CLOSE * a)
    below = (x <= a) | (x <= 1.1)
    early = below & ~uniform
    late = ~below & ~uniform
    density = _density(a, x)
    series = density * _series(a, x, early, precision)
    fraction = density * (a * _fraction(a, x, late, precision))
    bound = e.where(x <= 0.5, -0.4 / log(e.where(x < 0.5, x, 0.5)), x * 0.9090909090909091)
    small = early & (x <= 1.1) & (a <= bound)
    q_small = _small_q(a, x, small, precision)
    p_uniform, q_uniform = _uniform(a, x, uniform)
    p = e.where(below, series, 1.0 - fraction)
    q = e.where(small, q_small, e.where(below, 1.0 - series, fraction))
    return e.where(uniform, p_uniform, p), e.where(uniform, q_uniform, q)


def _regularised(index: int, a: e.Expr, x: e.Expr) -> e.Expr:
    """P (0) or Q (1), with the limits at 0 and infinity."""
    dtype = x.dtype
    a, x = e.cast(a, "f64"), e.cast(x, "f64")
    usual = (a > 0.0) & (x > 0.0) & (a < _INFINITY) & (x < _INFINITY)
    inside = e.where(usual, a, 1.0), e.where(usual, x, 1.0)
    value = _both(*inside, _PRECISION[dtype])[index]
    none, all_ = e.const(float(index), x), float(1 - index)
    limit = e.where((x == 0.0) | (a == _INFINITY), none, all_)
    undefined = (a == 0.0) & (x == 0.0) | (a == _INFINITY) & (x == _INFINITY)
    defined = (a >= 0.0) & (x >= 0.0) & ~undefined
    return e.cast(e.where(usual, value, e.where(defined, limit, _NAN)), dtype)


_DOMAIN = "in ulp of (1 + |log result|) result"


@accurate(f32=0.6, f64=60.0, domain=_DOMAIN)
def gammainc(a, x):
    """P(a, x)."""
    return _regularised(0, a, x)


@accurate(f32=0.6, f64=60.0, domain=_DOMAIN)
def gammaincc(a, x):
    """Q(a, x)."""
    return _regularised(1, a, x)


gammainc.derivative(lambda grad, a, x: (MISSING, grad * gamma_density(a, x)))
gammaincc.derivative(lambda grad, a, x: (MISSING, -grad * gamma_density(a, x)))


def gamma_density(a: e.Expr, x: e.Expr) -> e.Expr:
    """x^(a - 1) e^-x / gamma(a), the derivative of P in x, as what can be differentiated again."""
    return exp((a - 1.0) * log(x) - x - lgamma(a))
