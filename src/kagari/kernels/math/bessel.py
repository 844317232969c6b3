"""Modified Bessel functions of the first kind, plain and scaled by e^-|x|; float32 is computed in
float64.

Up to 8 the power series in (x/8)^2, all of one sign, made minimax; beyond, sqrt(x) e^-x I(x) as a
minimax polynomial in 16/x - 1.
"""

from .. import expr as e
from .accuracy import accurate
from .exponential import exp
from .floats import poly

_NEAR = (
    (
    1.0, 16.0, 64.0, 113.77777777777777, 113.77777777777777, 72.81777777777776, 32.36345679012362,
    10.567659360038887, 2.6419148400189694, 0.521859721442773, 0.08349755557668923,
    0.011040998705233564, 0.001226778384602011, 0.00011614356955070864, 9.482389391499969e-06,
    6.732258021140786e-07, 4.272673998083546e-08, 2.099421242439151e-09, 1.697846897338625e-10,
),
    (
    0.5, 4.0, 10.666666666666666, 14.222222222222221, 11.377777777777776, 6.068148148148178,
    2.311675485008502, 0.6604787100048453, 0.14677304665502508, 0.026092986121056254,
    0.003795343294901176, 0.00046004191548253934, 4.718329282164495e-05, 4.148580386690085e-06,
    3.15548129872073e-07, 2.1376613965184292e-08, 1.1113715356687894e-09, 9.60337818072896e-11,
),
)  # fmt: skip
_FAR = (
    (
    0.4021765094450081, 0.0033605519836678453, 0.00013621607439017415, 1.1143033792374116e-05,
    1.4838476520505814e-06, 2.973598208201339e-07, 8.872054792218609e-08, 3.932630522867316e-08,
    2.1564617807006553e-08, 7.551581324112442e-09, -6.841710992388766e-09,
    -1.3396136961392199e-08, -5.060302764304594e-09, 7.518896382589656e-09, 6.601616256654605e-09,
    -3.4478178694194905e-09, -4.6253378854361124e-09, 1.4546889733407633e-09,
    2.2339933256329353e-09, -5.254384694678381e-10, -6.789526222234639e-10, 1.342403461825303e-10,
    9.649193121383368e-11, -1.7019393584698867e-11,
),
    (
    0.38939845902587233, -0.009749577193235725, -0.00021923576383205378, -1.5038547201580147e-05,
    -1.8349102227032184e-06, -3.483855497015245e-07, -1.0001116251742058e-07,
    -4.312949496874998e-08, -2.3390855740619957e-08, -8.425642145392023e-09,
    6.832446272572251e-09, 1.4025562917341675e-08, 5.615752974040765e-09, -7.619637044463108e-09,
    -7.025658936744335e-09, 3.387111875631241e-09, 4.860784743833165e-09, -1.3948827257612528e-09,
    -2.3344006677170316e-09, 4.987180363130697e-10, 7.074553421156659e-10,
    -1.2774909563524297e-10, -1.0038700481851359e-10, 1.6359517786120153e-11,
),
)  # fmt: skip


def _plain(order: int, x: e.Expr) -> e.Expr:
    """I(|x|); the exponential is taken in two halves, which overflow no earlier than the result."""
    size = e.abs(e.cast(x, "f64"))
    near, far = _branches(order, size)
    root = exp(0.5 * size)
    value = e.where(size < 8.0, near, far * root * root)
    return e.where(size == float("inf"), size, value)


def _scaled(order: int, x: e.Expr) -> e.Expr:
    """e^-|x| I(|x|)."""
    size = e.abs(e.cast(x, "f64"))
    near, far = _branches(order, size)
    return e.where(size < 8.0, near * exp(-size), far)


def _branches(order: int, size: e.Expr) -> tuple[e.Expr, e.Expr]:
    near = poly(size * size * (1.0 / 64.0), _NEAR[order])
    far = poly(16.0 / size - 1.0, _FAR[order]) / e.sqrt(size)
    return near if order == 0 else near * size, far


def _odd(value: e.Expr, x: e.Expr) -> e.Expr:
    return e.copysign(e.cast(value, x.dtype), x)


@accurate(f32=0.6, f64=5.0)
def i0(x):
    return e.cast(_plain(0, x), x.dtype)


@accurate(f32=0.6, f64=4.0)
def i0e(x):
    return e.cast(_scaled(0, x), x.dtype)


@accurate(f32=0.6, f64=5.0)
def i1(x):
    return _odd(_plain(1, x), x)


@accurate(f32=0.6, f64=4.0)
def i1e(x):
    return _odd(_scaled(1, x), x)


def _over(y: e.Expr, x: e.Expr) -> e.Expr:
    """y / x, and its limit 1/2 at 0."""
    small = e.abs(x) < 1e-20
    return e.where(small, 0.5, y / e.where(small, 1.0, x))


def _sign(x: e.Expr) -> e.Expr:
    return e.where(x > 0.0, 1.0, e.where(x < 0.0, -1.0, x))


i0.derivative(lambda grad, x: grad * i1(x))
i0e.derivative(lambda grad, x, output: grad * (i1e(x) - _sign(x) * output))
i1.derivative(lambda grad, x, output: grad * (i0(x) - _over(output, x)))
i1e.derivative(lambda grad, x, output: grad * (i0e(x) - _sign(x) * output - _over(output, x)))
