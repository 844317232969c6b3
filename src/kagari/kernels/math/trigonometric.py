"""sin, cos and tan of any finite number. The inverse functions are left to inverse.py.

x = n pi/2 + r with |r| <= pi/4. While n has few bits, r is had by Cody and Waite's way: pi/2 in
pieces whose products with n are exact (float32 does this in float64). Beyond, by Payne and
Hanek's: only those bits of 2/pi are multiplied with x that decide the quadrant and the fraction.
sin r and cos r are minimax polynomials.
"""

from .. import expr as e
from .accuracy import accurate
from .floats import (
    INTEGER,
    ROUNDER,
    fast_two_sum,
    poly,
    round_bits,
    two_product,
    two_sum,
)

# (sin r - r) / r^3 and (cos r - 1 + r^2 / 2) / r^4 in powers of r^2
_SIN = {
    "f32": (-0.166666552, 0.00833216961, -0.000195160363),
    "f64": (
        -0.16666666666666632, 0.008333333333322219, -0.00019841269829641768,
        2.755731363131012e-06, -2.5050748208611486e-08, 1.589619947397225e-10,
    ),
}  # fmt: skip
_COS = {
    "f32": (0.0416666456, -0.00138873572, 2.44371877e-05),
    "f64": (
        0.0416666666666666, -0.001388888888887396, 2.4801587289361448e-05,
        -2.755731431306572e-07, 2.0875717427557e-09, -1.1359322101823765e-11,
    ),
}  # fmt: skip
_TWO_OVER_PI = 0.6366197723675814
_HALF_PI = (1.5707963267948966, 6.123233995736766e-17)
_FAR = {"f32": 2.0**21, "f64": 2.0**20}  # from here on Payne and Hanek
_SMALL = {"f32": 2.0**-12, "f64": 2.0**-27}  # up to here sin x and tan x are x

# pi/2 for n below 2^21: the first piece has 30 bits; and below 2^20: three pieces of 33 bits.
_HALF_PI_30 = (1.570796325802803, 9.920935796805404e-10)
_HALF_PI_33 = (
    1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32,
)  # fmt: skip

# 2/pi cut every 29 bits: times a float32 exact in float64
_PIECES = (
    0.636619770899415, 1.4681663246252086e-09, 2.2760100671971816e-18, 5.8812147387730434e-27,
    1.0346868700836215e-35, 3.783256351091319e-45, 3.720474878517739e-53,
)  # fmt: skip
# The bits of 2/pi after 34 zeros
_WORDS = (
    0x0000000028BE60DB, 0x9391054A7F09D5F4, 0x7D4D377036D8A566, 0x4F10E4107F9458EA,
    0xF7AEF1586DC91B8E, 0x909374B801924BBA, 0x827464873F877AC7, 0x2C4A69CFBA208D7D,
    0x4BAED1213A671C09, 0xAD17DF904E64758E, 0x60D4CE7D272117E2, 0xEF7E4A0EC7FE25FF,
    0xF7816603FBCBC462, 0xD6829B47DB4D9FB3, 0xC9F2C26DD3D18FD9, 0xA797FA8B5D49EEB1,
    0xFAF97C5ECF41CE7D, 0xE294A4BA9AFED7EC, 0x47E357421580CC11,
)  # fmt: skip

Reduced = tuple[e.Expr, e.Expr | None, e.Expr]  # r, its rest, n as an integer


def _near_f32(x: e.Expr) -> tuple[e.Expr, e.Expr]:
    """r and n of a float32 that is held in float64."""
    rounder = ROUNDER["f64"]
    n = (x * _TWO_OVER_PI + rounder) - rounder
    return e.fma(n, -_HALF_PI_30[1], x - n * _HALF_PI_30[0]), n


def _far_f32(x: e.Expr) -> tuple[e.Expr, e.Expr]:
    """Each product is exact; whole turns are taken off each, and n off the first before they are
    summed.
    """
    parts = []
    for i, piece in enumerate(_PIECES):
        product = x * piece
        large = i < 5  # the later ones are below 2
        parts.append(product - 4.0 * e.rint(product * 0.25) if large else product)
    total = parts[-1]
    for part in reversed(parts[:-1]):
        total = total + part
    n = e.rint(total)
    rest = parts[0] - n
    for part in parts[1:]:
        rest = rest + part
    return rest * _HALF_PI[0], n


def _reduce_f32(x: e.Expr) -> Reduced:
    wide = e.cast(x, "f64")
    far = ~(e.abs(x) < _FAR["f32"])
    r, n = (e.rare(far, f, u) for f, u in zip(_far_f32(wide), _near_f32(wide), strict=True))
    return e.cast(r, "f32"), None, round_bits(e.cast(n, "f32"))[1]


def _near_f64(x: e.Expr) -> Reduced:
    n, integer = round_bits(x * _TWO_OVER_PI)
    a, b, c, rest = (n * -piece for piece in _HALF_PI_33)
    first, low = two_sum(x + a, b)
    second, lower = two_sum(first, c)
    return *fast_two_sum(second, (lower + low) + rest), integer


def _word(k: e.Expr, j: int) -> e.Expr:
    """_WORDS[k + j] for 0 <= k < 16, by choices on the bits of k."""
    level = [e.const(w, "u64") for w in _WORDS[j : j + 16]]
    for bit in (1, 2, 4, 8):
        odd = (k & bit) != 0
        level = [e.where(odd, b, a) for a, b in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def _product_bits(mantissa: e.Expr, limbs: list[e.Expr]) -> tuple[e.Expr, e.Expr]:
    """The upper 128 of the lower 192 bits of a product; limbs of 32 bits, the lowest first."""
    low_half = 0xFFFFFFFF
    p = [(mantissa & low_half) * w for w in limbs]
    q = [(mantissa >> 32) * w for w in limbs]
    carry, digits = p[0] >> 32, []
    for j in range(1, 6):
        total = carry + (p[j] & low_half) + (q[j - 1] & low_half)
        if j > 1:
            total = total + (p[j - 1] >> 32) + (q[j - 2] >> 32)
        digits.append(total & low_half)
        carry = total >> 32
    _, d2, d3, d4, d5 = digits
    return (d5 << 32) | d4, (d3 << 32) | d2


def _far_f64(x: e.Expr) -> Reduced:
    """The 192 bits of 2/pi from the one of weight 2^(53 - exponent of x) on, times the mantissa."""
    bits = e.bitcast(e.abs(x), "u64")
    at = (bits >> 52) - (1023 + 20)
    k, shift = at >> 6, at & 63
    words = [_word(k, j) for j in range(4)]
    window = [(a << shift) | (b >> (64 - shift)) for a, b in zip(words, words[1:], strict=False)]
    limbs = [limb for w in reversed(window) for limb in (w & 0xFFFFFFFF, w >> 32)]
    high, low = _product_bits((bits & (2**52 - 1)) | 2**52, limbs)
    fraction = e.bitcast((high << 2) | (low >> 62), "i64")
    n = e.bitcast((high >> 62) + (e.bitcast(fraction, "u64") >> 63), "i64")
    top = e.cast(fraction >> 32, "f64") * 2.0**-32
    middle = e.cast(fraction & 0xFFFFFFFF, "f64") * 2.0**-64
    bottom = e.cast(e.bitcast((low << 2) >> 12, "i64"), "f64") * 2.0**-116
    hi, lo = fast_two_sum(top, middle)
    r, rest = two_product(hi, e.const(_HALF_PI[0], hi))
    rest = rest + (hi * _HALF_PI[1] + (lo + bottom) * _HALF_PI[0])
    r, rest = fast_two_sum(r, rest)
    nothing = x - x  # NaN for infinity
    negative = x < 0.0
    return (
        e.where(negative, -r, r) + nothing,
        e.where(negative, -rest, rest),
        e.where(negative, -n, n),
    )


def _reduce_f64(x: e.Expr) -> Reduced:
    far = ~(e.abs(x) < _FAR["f64"])
    (r, rest, n), (near, near_rest, near_n) = _far_f64(x), _near_f64(x)
    assert rest is not None and near_rest is not None
    return e.rare(far, r, near), e.rare(far, rest, near_rest), e.rare(far, n, near_n)


def _reduce(x: e.Expr) -> Reduced:
    return _reduce_f32(x) if x.dtype == "f32" else _reduce_f64(x)


def _sin_cos(r: e.Expr, rest: e.Expr | None) -> tuple[e.Expr, e.Expr]:
    z = r * r
    half = 0.5 * z
    sine = (r * z) * poly(z, _SIN[r.dtype])
    cosine = (z * z) * poly(z, _COS[r.dtype])
    if rest is None:
        return r + sine, 1.0 - (half - cosine)
    main = 1.0 - half
    lost = (1.0 - main) - half
    return r + (sine + rest * main), main + (lost + (cosine - r * rest))


def _flip(x: e.Expr, n: e.Expr) -> e.Expr:
    """-x where the second bit of n is set."""
    integer = INTEGER[x.dtype]
    sign = (n & 2) << (30 if x.dtype == "f32" else 62)
    return e.bitcast(e.bitcast(x, integer) ^ sign, x.dtype)


@accurate(f32=1.5, f64=1.0)
def sin(x):
    r, rest, n = _reduce(x)
    sine, cosine = _sin_cos(r, rest)
    value = _flip(e.where((n & 1) != 0, cosine, sine), n)
    return e.where(e.abs(x) < _SMALL[x.dtype], x, value)


@accurate(f32=1.5, f64=1.0)
def cos(x):
    r, rest, n = _reduce(x)
    sine, cosine = _sin_cos(r, rest)
    return _flip(e.where((n & 1) != 0, sine, cosine), n + 1)


@accurate(f32=3.2, f64=2.2)
def tan(x):
    r, rest, n = _reduce(x)
    sine, cosine = _sin_cos(r, rest)
    odd = (n & 1) != 0
    value = e.where(odd, -cosine, sine) / e.where(odd, sine, cosine)
    return e.where(e.abs(x) < _SMALL[x.dtype], x, value)


sin.derivative(lambda grad, x: grad * e.conj(cos(x)))
cos.derivative(lambda grad, x: -(grad * e.conj(sin(x))))
tan.derivative(lambda grad, output: grad * e.conj(1.0 + output * output))
