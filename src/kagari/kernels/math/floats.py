"""What every formula here stands on: polynomials, powers of two by bits, exact sums and products.

The functions themselves are left to the files beside it. Only additions written as such are relied
on to be rounded on their own; `e.fma` may round once or twice.
"""

import math
from collections.abc import Sequence

from .. import expr as e
from .accuracy import accurate

INTEGER = {"f32": "i32", "f64": "i64"}
MANTISSA = {"f32": 23, "f64": 52}  # stored bits
BIAS = {"f32": 127, "f64": 1023}
TINY = {"f32": 2.0**-126, "f64": 2.0**-1022}  # smallest normal number
ROUNDER = {"f32": 1.5 * 2.0**23, "f64": 1.5 * 2.0**52}  # adding it rounds to an integer

# ln 2 as two numbers; the first is short, so that its products with exponents are exact.
LN2 = {
    "f32": (0.693145751953125, 1.4286068203094173e-06),
    "f64": (0.6931471805601177, -1.7239444525614835e-13),
}
LOG2E = 1.4426950408889634


def poly(x: e.Expr, coefficients: Sequence[float]) -> e.Expr:
    """c[0] + c[1] x + c[2] x^2 + ... by Horner's rule."""
    result = e.const(coefficients[-1], x)
    for c in reversed(coefficients[:-1]):
        result = e.fma(result, x, c) if not e.is_const(result) else e.fma(x, result, c)
    return result


def clamp(x: e.Expr, low: float, high: float) -> e.Expr:
    """x kept within the bounds; NaN stays NaN."""
    return e.where(x < low, low, e.where(x > high, high, x))


def round_bits(x: e.Expr) -> tuple[e.Expr, e.Expr]:
    """The nearest integer of a small x, as a float and as an integer of the same width."""
    rounder = ROUNDER[x.dtype]
    shifted = x + rounder
    integer = INTEGER[x.dtype]
    return shifted - rounder, e.bitcast(shifted, integer) - e.bitcast(e.const(rounder, x), integer)


def power_of_two(n: e.Expr, dtype: str) -> e.Expr:
    """2^n for an integer n from the smallest normal exponent to one past the largest (infinity)."""
    return e.bitcast((n + BIAS[dtype]) << MANTISSA[dtype], dtype)


def scale(x: e.Expr, n: e.Expr) -> e.Expr:
    """x 2^n in two steps, so that it may overflow, underflow or be subnormal."""
    half = n >> 1
    return x * power_of_two(half, x.dtype) * power_of_two(n - half, x.dtype)


def split_exponent(x: e.Expr) -> tuple[e.Expr, e.Expr]:
    """x = m 2^k of a positive finite x, with sqrt(1/2) <= m < sqrt(2); k as a float."""
    bits = MANTISSA[x.dtype]
    integer = INTEGER[x.dtype]
    small = x < TINY[x.dtype]
    normal = e.where(small, x * 2.0 ** (bits + 2), x)
    root = e.bitcast(e.const(math.sqrt(0.5), x), integer)
    offset = e.bitcast(normal, integer) - root
    k = offset >> bits
    m = e.bitcast(e.bitcast(normal, integer) - (k << bits), x.dtype)
    return m, small_integer(k, x.dtype) - e.where(small, float(bits + 2), e.const(0.0, x))


def small_integer(k: e.Expr, dtype: str) -> e.Expr:
    """An integer below 2^22 in size as a float, without a conversion (x86 has none from i64 before
    AVX-512).
    """
    if dtype == "f32":
        return e.cast(k, "f32")
    rounder = e.const(ROUNDER[dtype], dtype)
    return e.bitcast(k + e.bitcast(rounder, INTEGER[dtype]), dtype) - rounder


def two_sum(a: e.Expr, b: e.Expr) -> tuple[e.Expr, e.Expr]:
    """a + b as rounded sum and exact error (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def fast_two_sum(a: e.Expr, b: e.Expr) -> tuple[e.Expr, e.Expr]:
    """The same for |a| >= |b| (Dekker)."""
    s = a + b
    return s, b - (s - a)


def halves(x: e.Expr) -> tuple[e.Expr, e.Expr]:
    """x as a sum of two numbers whose products with such halves are exact."""
    keep = {"f32": -(1 << 12), "f64": -(1 << 27)}[x.dtype]
    high = e.bitcast(e.bitcast(x, INTEGER[x.dtype]) & keep, x.dtype)
    return high, x - high


def two_product(a: e.Expr, b: e.Expr) -> tuple[e.Expr, e.Expr]:
    """a b as rounded product and its error, without needing a fused multiply-add."""
    (ah, al), (bh, bl) = halves(a), halves(b)
    p = a * b
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


# To be continued on complex numbers in complex.py.
@accurate(f32=0.5, f64=0.5)
def sqrt(x):
    return e.sqrt(x)


sqrt.derivative(lambda grad, output: grad / e.conj(output * 2.0))
