"""Choices between values: where, extrema, clamps, and what replaces NaN."""

from .. import expr as e
from ..define import Bool, Scalar, pointwise
from ..dtypes import is_complex, is_floating


@pointwise(flags="fo", numbers="input other")
def where(condition: Bool, input, other):
    """input where the condition holds, else other.

    >>> kagari.where(kagari.tensor([True, False]), 1., 2.)
    tensor([1., 2.])
    """
    return e.where(condition, input, other)


def larger(a: e.Expr, b: e.Expr) -> e.Expr:
    """The maximum; NaN if either is NaN."""
    return e.where(e.isnan(a), a, e.max(a, b))


def smaller(a: e.Expr, b: e.Expr) -> e.Expr:
    """The minimum; NaN if either is NaN."""
    return e.where(e.isnan(a), a, e.min(a, b))


def _share(grad: e.Expr, a: e.Expr, b: e.Expr) -> tuple[e.Expr, e.Expr]:
    """The gradients of a and b where the larger was taken: half each on a tie."""
    half, zero = grad * 0.5, e.const(0, grad)
    tie = a == b
    return (
        e.where(tie, half, e.where(a < b, zero, grad)),
        e.where(tie, half, e.where(a > b, zero, grad)),
    )


@pointwise(dtypes="real", flags="fmo", meaningless=("complex", "complex numbers have no order"))
def maximum(input, other):
    """The larger of the two; NaN if either is NaN. Ties share the gradient.

    >>> kagari.maximum(kagari.tensor([1, 5]), kagari.tensor([3, 2]))
    tensor([3, 5])
    """
    return larger(input, other)


maximum.derivative(lambda grad, input, other: _share(grad, input, other))


@pointwise(dtypes="real", flags="fmo", meaningless=("complex", "complex numbers have no order"))
def minimum(input, other):
    """The smaller of the two; NaN if either is NaN. Ties share the gradient.

    >>> kagari.minimum(kagari.tensor([1, 5]), kagari.tensor([3, 2]))
    tensor([1, 2])
    """
    return smaller(input, other)


minimum.derivative(lambda grad, input, other: _share(grad, other, input))


@pointwise(dtypes="real", flags="fmo", meaningless=("complex", "complex numbers have no order"))
def fmax(input, other):
    """The larger of the two; where one is NaN, the other.

    >>> kagari.fmax(kagari.tensor([1., float("nan")]), kagari.tensor([3., 2.]))
    tensor([3., 2.])
    """
    return e.where(e.isnan(other), input, e.max(input, other))


@fmax.derivative
def _(grad, input, other):
    first = (input >= other) | e.isnan(other)
    return e.where(first, grad, e.const(0, grad)), e.where(first, e.const(0, grad), grad)


@pointwise(dtypes="real", flags="fmo", meaningless=("complex", "complex numbers have no order"))
def fmin(input, other):
    """The smaller of the two; where one is NaN, the other.

    >>> kagari.fmin(kagari.tensor([1., float("nan")]), kagari.tensor([3., 2.]))
    tensor([1., 2.])
    """
    return e.where(e.isnan(other), input, e.min(input, other))


@fmin.derivative
def _(grad, input, other):
    first = (input <= other) | e.isnan(other)
    return e.where(first, grad, e.const(0, grad)), e.where(first, e.const(0, grad), grad)


@pointwise(aliases=("clip",), numbers="min max")
def clamp(input, min=None, max=None):
    """input kept within [min, max]; either bound may be missing or a tensor. NaN stays NaN; where
    min > max the result is max. The gradient at a bound is 1.

    >>> kagari.clamp(kagari.tensor([-2., 0.5, 3.]), min=-1, max=1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise e.Unsupported("clamp: at least one of min and max must not be None")
    if input.dtype == "bool":
        raise e.Unsupported("clamp does not exist for bool")
    result = input if min is None else larger(input, min)
    return result if max is None else smaller(result, max)


@clamp.derivative
def _(grad, input, min, max):
    zero = e.const(0, grad)
    if min is None:
        inside = grad if max is None else e.where(input <= max, grad, zero)
        return inside, None, None if max is None else e.where(max < input, grad, zero)
    low = input < min
    if max is None:
        return e.where(input >= min, grad, zero), e.where(low, grad, zero), None
    inside = (input >= min) & (input <= max)
    to_min = e.where(low & (min < max), grad, zero)
    return e.where(inside, grad, zero), to_min, e.where((input > max) | (max < min), grad, zero)


@pointwise(flags="fmiO")
def nan_to_num(input, nan=0.0, posinf: Scalar = None, neginf: Scalar = None):
    """NaN replaced by `nan`, infinities by `posinf` and `neginf` (by default the largest finite
    numbers).

    >>> kagari.nan_to_num(kagari.tensor([float("nan"), float("inf")]), nan=1.0, posinf=2.0)
    tensor([1., 2.])
    """
    if is_complex(input.dtype):
        parts = (_finite(p, nan, posinf, neginf) for p in (e.real(input), e.imag(input)))
        return e.complex_(*parts)
    return _finite(input, nan, posinf, neginf)


def _finite(x: e.Expr, nan, posinf, neginf) -> e.Expr:
    if not is_floating(x.dtype):
        return x
    largest = {"f32": 3.4028234663852886e38, "f64": 1.7976931348623157e308}[x.dtype]
    above = largest if posinf is None else e.real(posinf)
    below = -largest if neginf is None else e.real(neginf)
    nan = e.real(nan) if isinstance(nan, e.Expr) else nan
    bounded = e.where(x == float("inf"), above, e.where(x == -float("inf"), below, x))
    return e.where(e.isnan(x), nan, bounded)


@nan_to_num.half
def _(dtype, y):
    """The largest finite float32 would be infinite as a half."""
    largest = {"f16": 65504.0, "bf16": 3.3895313892515355e38}[dtype]
    bounded = e.where(y > largest, largest, e.where(y < -largest, -largest, y))
    return e.where(_infinite_or_nan(y), y, bounded)


def _infinite_or_nan(x: e.Expr) -> e.Expr:
    return ~(e.abs(x) < float("inf"))
