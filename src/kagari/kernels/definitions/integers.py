"""Greatest common divisors and least common multiples; the parts of a floating-point number."""

from .. import expr as e
from ..define import pointwise
from ..dtypes import bits, is_unsigned

# Euclid's algorithm takes the most steps for neighbouring Fibonacci numbers.
_STEPS = {8: 13, 16: 24, 32: 47, 64: 93}


def _divisor(a: e.Expr, b: e.Expr) -> e.Expr:
    if not is_unsigned(a.dtype):
        a, b = e.abs(a), e.abs(b)
    for _ in range(_STEPS[bits(a.dtype)]):
        a, b = e.where(b == 0, a, b), e.irem(a, b)
    return a if is_unsigned(a.dtype) else e.abs(a)


@pointwise(dtypes="integral")
def gcd(input, other):
    """The greatest common divisor; gcd(0, 0) is 0.

    >>> kagari.gcd(kagari.tensor([12, 0]), kagari.tensor([18, 5]))
    tensor([6, 5])
    """
    return _divisor(input, other)


@pointwise(dtypes="integral")
def lcm(input, other):
    """The least common multiple; 0 where one of the two is 0.

    >>> kagari.lcm(kagari.tensor([4, 0]), kagari.tensor([6, 5]))
    tensor([12,  0])
    """
    product = e.idiv(input, _divisor(input, other)) * other
    return product if is_unsigned(input.dtype) else e.abs(product)


def _normal(x: e.Expr) -> tuple[e.Expr, e.Expr, e.Expr]:
    """x scaled out of the subnormal range, its bits, and how far it was scaled."""
    tiny, shift = {"f32": (2.0**-126, 24), "f64": (2.0**-1022, 54)}[x.dtype]
    small = e.abs(x) < tiny
    scaled = e.where(small, x * 2.0**shift, x)
    integer = {"f32": "i32", "f64": "i64"}[x.dtype]
    return scaled, e.bitcast(scaled, integer), e.where(small, e.const(shift, integer), 0)


def _regular(x: e.Expr) -> e.Expr:
    return (e.abs(x) < float("inf")) & (x != 0)


@pointwise(dtypes="floating", flags="p")
def frexp_mantissa(input):
    """m of input = m 2^n with 1/2 <= |m| < 1; zeros, infinities and NaN are themselves."""
    _, raw, _ = _normal(input)
    sign_and_fraction, half = {
        "f32": (-0x7F800001, 126 << 23),
        "f64": (-(0x7FF << 52) - 1, 1022 << 52),
    }[input.dtype]
    m = e.bitcast((raw & sign_and_fraction) | half, input.dtype)
    return e.where(_regular(input), m, input)


@pointwise(dtypes="floating", flags="p")
def frexp_exponent(input):
    """n of input = m 2^n with 1/2 <= |m| < 1, as int64; 0 for zeros, infinities and NaN."""
    _, raw, shift = _normal(input)
    width, bias, mask = {"f32": (23, 126, 0xFF), "f64": (52, 1022, 0x7FF)}[input.dtype]
    n = ((raw >> width) & mask) - bias - shift
    return e.where(_regular(input), e.cast(n, "i64"), e.const(0, "i64"))


@frexp_mantissa.derivative
def _(grad, input, output):
    regular = _regular(input)
    return e.where(regular, grad * (output / e.where(regular, input, e.const(1, input))), grad)
