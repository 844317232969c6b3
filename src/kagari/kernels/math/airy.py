"""Airy's function Ai; computed in float64.

From -4 to 1 a polynomial with the zero there taken out. Beyond, with z = 2/3 |x|^(3/2): to the
right e^-z over x^(1/4) times a polynomial in 1/z (DLMF 9.7.5), to the left a wave of phase z over
|x|^(1/4) with polynomials in 1/z^2 (DLMF 9.7.9). z is a sum of two numbers, lest its rounding
becomes a relative error z times as large. The coefficients interpolate at Chebyshev's nodes,
computed to 50 digits.
"""

from .. import expr as e
from .accuracy import accurate
from .exponential import exp_sum
from .floats import poly, two_product
from .oscillating_bessel import wave_parts
from .trigonometric import cos, sin

# Ai(x) / (x - zero) in powers of (2x + 3) / 5
_MIDDLE = (
    0.5539344622835259, -0.7300600496625262, -0.4188634769962602, 1.2509119873256502,
    -0.501908949961997, -0.5321122268562912, 0.5788107976607625, -0.07214848029111894,
    -0.18216539725111086, 0.1091235763718214, 0.0031085540441524568, -0.028707502415068184,
    0.010888994416818284, 0.0016011749816280231, -0.002594603138282281, 0.0006567186283728373,
    0.00017473290158070485, -0.0001517719181959165, 2.5696636506173038e-05,
    1.0701931491802008e-05, -6.203938358392716e-06, 6.706085721876541e-07, 4.402170087013395e-07,
    -1.8892182934706017e-07, 1.0574169986581328e-08, 1.4344205936181453e-08,
    -4.137576139526885e-09, -3.452312806958838e-10, 2.597665636406317e-10,
)  # fmt: skip
# Ai(x) x^(1/4) e^z in powers of 4/(3z) - 1
_RIGHT = (
    0.27099888553414014, -0.008754704350942409, 0.0016082764345505395, -0.0004530576553713321,
    0.0001588723920901866, -6.394694338585672e-05, 2.8348655080211884e-05,
    -1.3509309698967437e-05, 6.8125814126603246e-06, -3.5969047891325684e-06,
    1.973123835269964e-06, -1.1129395545758694e-06, 6.415800439440189e-07,
    -4.229075156658703e-07, 3.0389508705524215e-07, 6.955995549180696e-08,
    -2.8632395886277616e-07, -1.0437115160461386e-06, 1.6269741167467713e-06,
    3.3391897377369975e-06, -5.039286953087116e-06, -8.761077023625506e-06,
    1.2360129607552625e-05, 1.7404343530172087e-05, -2.324998240121304e-05,
    -2.6491750855981768e-05, 3.367037089242598e-05, 3.057706464109789e-05,
    -3.716155926512571e-05, -2.6326003486958753e-05, 3.071393148324007e-05,
    1.6383990951368135e-05, -1.8411120894615022e-05, -6.97232477331338e-06,
    7.5668761968949665e-06, 1.818171825350524e-06, -1.909871544082898e-06,
    -2.1995409638874963e-07, 2.2392798923014434e-07,
)  # fmt: skip
# The cosine's and, times z, the sine's factor in powers of 2 (16/3 / z)^2 - 1
_COSINE = (
    0.999363720981151, -0.0006209941418020384, 1.4258707704202032e-05, -9.054529673740673e-07,
    1.0042141850557856e-07, -1.592519919527015e-08, 3.2415457394751385e-09,
    -7.934046911037402e-10, 2.2418198239897425e-10, -7.100633698171305e-11,
    2.3609157642375446e-11, -8.425707335465545e-12, 5.0070505381947506e-12,
    -2.553909649664067e-12, -4.907191544829305e-13, 4.864681495967419e-13, 6.271597555609459e-13,
    -3.73101976755488e-13,
)  # fmt: skip
_SINE = (
    0.0688085741766544, -0.0006071316848869219, 2.6011127080243395e-05, -2.324700729319807e-06,
    3.229739057938273e-07, -6.030170025661018e-08, 1.3918092556485584e-08,
    -3.768506628105655e-09, 1.1561114150371971e-09, -3.921690349540306e-10,
    1.433534811539447e-10, -5.5902287767621376e-11, 2.635734010744309e-11,
    -1.2959144555012778e-11, 4.37522181117515e-13, 1.5923750859271132e-12,
    5.8084773400279245e-12, -4.4224589451363124e-12, -2.5742724427964975e-12,
    2.043773353146822e-12, 9.283456439366537e-13, -6.492436164282443e-13,
)  # fmt: skip
_ZERO = (-2.338107410459767, -3.912260409818305e-17)
_TWO_THIRDS = (0.6666666666666666, 3.700743415417188e-17)
_ONE_OVER_SQRT_2PI = 0.3989422804014327


def _exponent(x: e.Expr) -> tuple[e.Expr, e.Expr]:
    """2/3 x^(3/2) as a sum of two numbers."""
    root = e.sqrt(x)
    square, rest = two_product(root, root)
    root_rest = ((x - square) - rest) / (2.0 * root)
    cube, cube_rest = two_product(x, root)
    high, low = two_product(cube, e.const(_TWO_THIRDS[0], x))
    low = low + cube * _TWO_THIRDS[1] + (cube_rest + x * root_rest) * _TWO_THIRDS[0]
    return high, low


@accurate(f32=0.6, f64=24.0, domain="x > -4; below in ulp of |x|^(-1/4) / sqrt(pi), to -1e8")
def airy_ai(x):
    wide = e.cast(x, "f64")
    size = e.abs(wide)
    middle = (wide >= -4.0) & (wide <= 1.0)
    size = e.where(middle | (size != size), 4.0, e.where(size > 1e100, 1e100, size))
    z, rest = _exponent(size)
    fourth = e.sqrt(e.sqrt(size))
    right = exp_sum(-z, -rest) * poly((4.0 / 3.0) / z - 1.0, _RIGHT) / fourth
    p, q = wave_parts(z, 16.0 / 3.0, _COSINE, _SINE)
    s, c = sin(z), cos(z)
    s, c = s + rest * c, c - rest * s
    left = _ONE_OVER_SQRT_2PI * (p * (c + s) + q * (s - c)) / fourth
    near = poly(0.4 * wide + 0.6, _MIDDLE) * ((wide - _ZERO[0]) - _ZERO[1])
    value = e.where(middle, near, e.where(wide > 0.0, right, left))
    value = e.where(e.abs(wide) == float("inf"), 0.0, value)
    return e.cast(e.where(e.isnan(wide), wide, value), x.dtype)
