"""The elementwise functions of the array API standard: kagari's ops under the standard's names.

Functions of two arrays promote as the standard does and take Python numbers on either side.
"""

from collections.abc import Callable
from typing import Any

import kagari
from kagari import Tensor

from ._dtypes import aligned

__all__ = [
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and",
    "bitwise_invert", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "ceil", "clip", "conj", "copysign", "cos", "cosh", "divide", "equal", "exp", "expm1", "floor",
    "floor_divide", "greater", "greater_equal", "hypot", "imag", "isfinite", "isinf", "isnan",
    "less", "less_equal", "log", "log10", "log1p", "log2", "logaddexp", "logical_and",
    "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "multiply", "negative",
    "nextafter", "not_equal", "positive", "pow", "real", "reciprocal", "remainder", "round", "sign",
    "signbit", "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "trunc",
]  # fmt: skip

Unary = Callable[[Tensor], Tensor]
Binary = Callable[[Any, Any], Tensor]


def _unary(name: str, op: Any) -> Unary:
    def call(x: Tensor, /) -> Tensor:
        return op(x)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{name}(x, /), elementwise: kagari.{op.__name__}."
    return call


def _binary(name: str, op: Any) -> Binary:
    def call(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
        return op(*aligned(x1, x2))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{name}(x1, x2, /), elementwise with broadcasting: kagari.{op.__name__}."
    return call


def _rounding(name: str, op: Any) -> Unary:
    """Integers are whole already."""

    def call(x: Tensor, /) -> Tensor:
        return op(x) if x.dtype.is_floating_point else x.clone()

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{name}(x, /), elementwise: kagari.{op.__name__}; integers are copied."
    return call


abs = _unary("abs", kagari.abs)
acos = _unary("acos", kagari.acos)
acosh = _unary("acosh", kagari.acosh)
asin = _unary("asin", kagari.asin)
asinh = _unary("asinh", kagari.asinh)
atan = _unary("atan", kagari.atan)
atanh = _unary("atanh", kagari.atanh)
bitwise_invert = _unary("bitwise_invert", kagari.bitwise_not)
conj = _unary("conj", kagari.conj)
cos = _unary("cos", kagari.cos)
cosh = _unary("cosh", kagari.cosh)
exp = _unary("exp", kagari.exp)
expm1 = _unary("expm1", kagari.expm1)
isfinite = _unary("isfinite", kagari.isfinite)
isinf = _unary("isinf", kagari.isinf)
isnan = _unary("isnan", kagari.isnan)
log = _unary("log", kagari.log)
log10 = _unary("log10", kagari.log10)
log1p = _unary("log1p", kagari.log1p)
log2 = _unary("log2", kagari.log2)
logical_not = _unary("logical_not", kagari.logical_not)
negative = _unary("negative", kagari.neg)
positive = _unary("positive", kagari.positive)
real = _unary("real", kagari.real)
reciprocal = _unary("reciprocal", kagari.reciprocal)
signbit = _unary("signbit", kagari.signbit)
sin = _unary("sin", kagari.sin)
sinh = _unary("sinh", kagari.sinh)
sqrt = _unary("sqrt", kagari.sqrt)
square = _unary("square", kagari.square)
tan = _unary("tan", kagari.tan)
tanh = _unary("tanh", kagari.tanh)

ceil = _rounding("ceil", kagari.ceil)
floor = _rounding("floor", kagari.floor)
trunc = _rounding("trunc", kagari.trunc)

add = _binary("add", kagari.add)
atan2 = _binary("atan2", kagari.atan2)
bitwise_and = _binary("bitwise_and", kagari.bitwise_and)
bitwise_left_shift = _binary("bitwise_left_shift", kagari.bitwise_left_shift)
bitwise_or = _binary("bitwise_or", kagari.bitwise_or)
bitwise_right_shift = _binary("bitwise_right_shift", kagari.bitwise_right_shift)
bitwise_xor = _binary("bitwise_xor", kagari.bitwise_xor)
copysign = _binary("copysign", kagari.copysign)
divide = _binary("divide", kagari.div)
equal = _binary("equal", kagari.eq)
floor_divide = _binary("floor_divide", kagari.floor_divide)
greater = _binary("greater", kagari.gt)
greater_equal = _binary("greater_equal", kagari.ge)
hypot = _binary("hypot", kagari.hypot)
less = _binary("less", kagari.lt)
less_equal = _binary("less_equal", kagari.le)
logaddexp = _binary("logaddexp", kagari.logaddexp)
logical_and = _binary("logical_and", kagari.logical_and)
logical_or = _binary("logical_or", kagari.logical_or)
logical_xor = _binary("logical_xor", kagari.logical_xor)
maximum = _binary("maximum", kagari.maximum)
minimum = _binary("minimum", kagari.minimum)
multiply = _binary("multiply", kagari.mul)
nextafter = _binary("nextafter", kagari.nextafter)
not_equal = _binary("not_equal", kagari.ne)
pow = _binary("pow", kagari.pow)
subtract = _binary("subtract", kagari.sub)


def clip(x: Tensor, /, min: Any = None, max: Any = None) -> Tensor:
    """The values moved into [min, max], in the dtype of `x`.

    >>> kagari.array_api.clip(kagari.tensor([-1, 5]), 0, 3)
    tensor([0, 3])
    """
    bounds = [b.to(x.dtype) if isinstance(b, Tensor) else b for b in (min, max)]
    if bounds == [None, None]:
        return x.clone()
    if any(isinstance(b, Tensor) for b in bounds):
        bounds = [b if b is None else kagari.as_tensor(b, dtype=x.dtype) for b in bounds]
    return kagari.clamp(x, *bounds).to(x.dtype)


def imag(x: Tensor, /) -> Tensor:
    """The imaginary part; zero for real arrays.

    >>> kagari.array_api.imag(kagari.tensor([1 + 2j]))
    tensor([2.])
    """
    return kagari.imag(x) if x.dtype.is_complex else kagari.zeros_like(x)


def remainder(x1: Tensor | complex, x2: Tensor | complex, /) -> Tensor:
    """What floor_divide leaves, with the sign of the divisor; of a zero too.

    >>> kagari.array_api.remainder(kagari.tensor([5, -5]), 3)
    tensor([2, 1])
    """
    a, b = aligned(x1, x2)
    left = kagari.remainder(a, b)
    return kagari.where(left == 0, left.copysign(b), left) if a.dtype.is_floating_point else left


def round(x: Tensor, /) -> Tensor:
    """To the nearest integer, halves to the even one; of complex numbers, each part.

    >>> kagari.array_api.round(kagari.tensor([0.5, 1.5, -2.6]))
    tensor([ 0.,  2., -3.])
    """
    if x.dtype.is_complex:
        return kagari.complex(kagari.round(x.real), kagari.round(x.imag))
    return kagari.round(x) if x.dtype.is_floating_point else x.clone()


def sign(x: Tensor, /) -> Tensor:
    """-1, 0 or 1, NaN for NaN; of complex numbers x / abs(x), 0 for 0.

    >>> kagari.array_api.sign(kagari.tensor([-3, 0, 2]))
    tensor([-1,  0,  1])
    """
    found = kagari.sgn(x)
    return kagari.where(x != x, x, found) if x.dtype.is_floating_point else found
