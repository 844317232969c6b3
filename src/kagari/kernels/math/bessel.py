"""Modified Bessel functions, plain and scaled by their exponential; float32 is computed in float64.

The first kind, I: up to 8 the power series in (x/8)^2, all of one sign, made minimax; beyond,
sqrt(x) e^-x I(x) as a minimax polynomial in 16/x - 1. The second, K: up to 2 its logarithm times I
and a polynomial in x^2 (DLMF 10.31), beyond, sqrt(x) e^x K(x) as a polynomial in 4/x - 1, their
coefficients interpolated at Chebyshev's nodes.
"""

from .. import expr as e
from .accuracy import accurate
from .exponential import exp
from .floats import poly
from .logarithm import log

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
# K0 + log(x/2) I0 and x (K1 - log(x/2) I1) in powers of x^2/2 - 1; sqrt(x) e^x K in powers of
# 4/x - 1
_K_NEAR = (
    (
    -0.30362077291575545, 0.3404973210133806, 0.07177701034240509, 0.005053392643196092,
    0.0001828055582791554, 4.054506619949891e-06, 6.093361894172114e-08, 6.623013272794453e-10,
    5.452564662772586e-12, 3.518631515854722e-14,
),
    (
    0.8850882877295894, -0.3322409552403131, -0.24383852886774365, -0.02785423521977184,
    -0.0013831688466153064, -3.891869064371633e-05, -7.081133770184678e-07,
    -9.032127501740678e-09, -8.53273511404978e-11, -6.214271617329577e-13,
    -3.5962181014457795e-15,
),
)  # fmt: skip
_K_FAR = (
    (
    1.2185953385133905, -0.03107146182488952, 0.003032891810273794, -0.0004797690567662314,
    9.956054749305854e-05, -2.4735204561466906e-05, 7.002244287487694e-06,
    -2.191177788015528e-06, 7.427932208028755e-07, -2.6890662472901614e-07,
    1.0287980689458582e-07, -4.133923052104385e-08, 1.731622598181986e-08,
    -7.286380907337665e-09, 3.170629957994259e-09, -1.9309444875845705e-09,
    1.0573777917720047e-09, 1.7887095838476482e-10, -2.426111314423373e-10,
    -5.541051446065683e-10, 3.883027499295913e-10, 2.213758097591008e-10,
    -1.5750973144552285e-10, -6.910453875670571e-11, 4.4463261136368365e-11,
),
    (
    1.363151890371342, 0.10334973775386523, -0.005566729880072931, 0.0007357241549081501,
    -0.00013959021964175084, 3.284386555825453e-05, -8.961205912549711e-06,
    2.730041433569803e-06, -9.067229884830243e-07, 3.2298119177151824e-07,
    -1.2195093824501613e-07, 4.8461952200091865e-08, -2.0109398585523846e-08,
    8.40938756536177e-09, -3.639264909950171e-09, 2.1757782025837176e-09, -1.180097808498307e-09,
    -1.7982138496175016e-10, 2.560533082941635e-10, 6.042482293782838e-10,
    -4.2190635517826636e-10, -2.399376595899464e-10, 1.704297529665342e-10, 7.52479548635394e-11,
    -4.829107281627596e-11,
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


def _second(order: int, x: e.Expr, scaled: bool) -> e.Expr:
    """K(x), or e^x K(x)."""
    wide = e.cast(x, "f64")
    near = e.where(wide <= 2.0, wide, 1.0)
    value = poly(near * near * 0.5 - 1.0, _K_NEAR[order])
    logarithm = log(0.5 * near) * _branches(order, near)[0]
    value = value - logarithm if order == 0 else value / near + logarithm
    far = poly(4.0 / wide - 1.0, _K_FAR[order]) / e.sqrt(wide)
    if scaled:
        value = value * exp(near)
    else:
        far = far * exp(-wide)
    value = e.where(wide <= 2.0, value, far)
    outside = e.where(wide == 0.0, e.const(float("inf"), wide), float("nan"))
    value = e.where(wide > 0.0, value, outside)
    return e.cast(e.where(wide == float("inf"), 0.0, value), x.dtype)


@accurate(f32=0.6, f64=6.0)
def k0(x):
    return _second(0, x, False)


@accurate(f32=0.6, f64=6.0)
def k1(x):
    return _second(1, x, False)


@accurate(f32=0.6, f64=6.0)
def k0e(x):
    """e^x K0(x)."""
    return _second(0, x, True)


@accurate(f32=0.6, f64=6.0)
def k1e(x):
    """e^x K1(x)."""
    return _second(1, x, True)


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
