"""erfinv, ndtri and log_ndtr. The functions they invert are in error.py.

erfinv(x) = x E(w) with w = -log(1 - x^2) (Giles, "Approximating the erfinv function", 2010): E is
smooth in w, and in sqrt(w) where w is large. Minimax fits in four ranges; the last one, a
quotient, is only reached by ndtri, whose argument can be as near to 0 as 1e-308. float32 is
computed in float64.
"""

from .. import expr as e
from .accuracy import accurate
from .error import erfcx, ndtr, normal_density
from .exponential import exp
from .floats import poly
from .logarithm import log, log1p

# E in powers of w - 3.125 up to w = 6.25, of sqrt(w) - 3.375 up to 18, of sqrt(w) - 5.2 up to 38
_NEAR = (
    1.6536545626831027, 0.24015818242558826, -0.006033670871427754, -0.0007407025341539552,
    0.00018673420802425706, -1.388252339579065e-05, -1.365469184435907e-06, 4.234788190766212e-07,
    -2.9070382773984334e-08, -4.1126619772070076e-09, 1.0512183979943012e-09,
    -5.414239018382741e-11, -1.2976958163847135e-11, 2.6303546280958788e-12,
    -8.117010783778694e-14, -3.998978809772179e-14, 6.594702265646743e-15,
    -4.2864519579247516e-17, -1.3003922138664358e-16, 1.575970190849642e-17,
    1.1444171126711758e-18, -3.5754683722725746e-19, -1.0091673340282914e-21,
    3.3756983800255225e-21,
)  # fmt: skip
_MIDDLE = (
    3.209620135624037, 1.0064434271387717, 0.004168077062546729, -0.002735016047648834,
    0.001636064308749225, -0.00108541735388407, 0.0006621053631563867, -0.0003026342227732315,
    7.181386717342618e-05, 2.0502234948266918e-05, -2.903056085418281e-05, 1.3020598442730342e-05,
    -1.5473254887021538e-06, -1.6286294182666734e-06, 1.123941647945277e-06,
    -2.981890655943561e-07, -3.8194964544934286e-08, 7.61723154578068e-08,
    -2.8859720810928924e-08, -3.1172355226009245e-09, 3.844402020669398e-09,
)  # fmt: skip
_FAR = (
    5.051959340939588, 1.0102214561847203, -0.00025097073067004334, -0.00016143426639818166,
    5.87743524180509e-05, -1.4993699289203463e-05, 3.3548650374059443e-06, -7.023643413909035e-07,
    1.444431963480415e-07, -3.257905911692057e-08, 1.0098354831145125e-08,
    -4.3292431916682704e-09, 1.9904269963173386e-09, -1.1423741234161008e-09,
    6.74707861416167e-10, -1.8925734270721115e-10,
)  # fmt: skip
# E as a quotient in powers of sqrt(w)
_TOP = (
    0.36776690696077075, 0.7808176097436426, 0.44800182676978745, 1.1609650957332565,
    0.26093519503473683, -0.03576999326525097, -0.008271001152833411, -0.00034870868078956495,
    -3.419575390592375e-06,
)  # fmt: skip
_BOTTOM = (
    1.0, 0.7965373432938566, 1.1649423525328184, 0.2511933239241916, -0.036419827695663265,
    -0.008280274330417671, -0.00034871717169466095, -3.419554949766471e-06, -3.74850843068176e-14,
)  # fmt: skip
_SQRT2 = 1.4142135623730951
_INFINITY = float("inf")


def _quotient(w: e.Expr) -> e.Expr:
    """E(w) of a float64 w >= 0."""
    s = e.sqrt(w)
    far = poly(s, _TOP) / poly(s, _BOTTOM)
    far = e.where(w < 38.0, poly(s - 5.2, _FAR), far)
    far = e.where(w < 18.0, poly(s - 3.375, _MIDDLE), far)
    return e.where(w < 6.25, poly(w - 3.125, _NEAR), far)


@accurate(f32=0.6, f64=3.0)
def erfinv(x):
    wide = e.cast(x, "f64")
    inside = wide * _quotient(-log((1.0 - wide) * (1.0 + wide)))
    result = e.where(e.abs(wide) == 1.0, e.copysign(e.const(_INFINITY, wide), wide), inside)
    return e.cast(result, x.dtype)


@accurate(f32=0.6, f64=5.0)
def ndtri(x):
    """The number below which a standard normal one lies with probability x."""
    p = e.cast(x, "f64")
    inside = _SQRT2 * (2.0 * p - 1.0) * _quotient(-log(4.0 * p * (1.0 - p)))
    result = e.where(p == 0.0, -_INFINITY, e.where(p == 1.0, _INFINITY, inside))
    return e.cast(result, x.dtype)


@accurate(f32=0.6, f64=5.0)
def log_ndtr(x):
    """The logarithm of the normal distribution function."""
    wide = e.cast(x, "f64")
    scaled = wide * (-1.0 / _SQRT2)
    low = log(0.5 * erfcx(scaled)) - 0.5 * wide * wide
    return e.cast(e.where(wide < -1.0, low, log1p(-ndtr(-wide))), x.dtype)


erfinv.derivative(lambda grad, output: grad * exp(output * output) * 0.886226925452758)
ndtri.derivative(lambda grad, output: grad / normal_density(output))
log_ndtr.derivative(lambda grad, x: grad / erfcx(x * (-1.0 / _SQRT2)) * 0.7978845608028654)
