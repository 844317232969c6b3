"""Trigonometric and hyperbolic functions as public ops; the arithmetic is in math/."""

from .. import expr as e
from .. import math as m
from ..define import pointwise
from ..dtypes import is_complex


@pointwise(promote="float")
def sin(input):
    """The sine.

    >>> kagari.sin(kagari.tensor([0., 1.]))
    tensor([0.0000, 0.8415])
    """
    return m.sin(input)


@pointwise(promote="float")
def cos(input):
    """The cosine.

    >>> kagari.cos(kagari.tensor([0., 1.]))
    tensor([1.0000, 0.5403])
    """
    return m.cos(input)


@pointwise(promote="float")
def tan(input):
    """The tangent.

    >>> kagari.tan(kagari.tensor([0., 1.]))
    tensor([0.0000, 1.5574])
    """
    return m.tan(input)


@pointwise(promote="float", aliases=("arcsin",))
def asin(input):
    """The inverse sine.

    >>> kagari.asin(kagari.tensor([0., 1.]))
    tensor([0.0000, 1.5708])
    """
    return m.asin(input)


@pointwise(promote="float", aliases=("arccos",))
def acos(input):
    """The inverse cosine.

    >>> kagari.acos(kagari.tensor([0., 1.]))
    tensor([1.5708, 0.0000])
    """
    return m.acos(input)


@pointwise(promote="float", aliases=("arctan",))
def atan(input):
    """The inverse tangent.

    >>> kagari.atan(kagari.tensor([0., 1.]))
    tensor([0.0000, 0.7854])
    """
    return m.atan(input)


@pointwise(promote="float")
def sinh(input):
    """The hyperbolic sine.

    >>> kagari.sinh(kagari.tensor([0., 1.]))
    tensor([0.0000, 1.1752])
    """
    return m.sinh(input)


@pointwise(promote="float")
def cosh(input):
    """The hyperbolic cosine.

    >>> kagari.cosh(kagari.tensor([0., 1.]))
    tensor([1.0000, 1.5431])
    """
    return m.cosh(input)


@pointwise(promote="float", aliases=("arcsinh",))
def asinh(input):
    """The inverse hyperbolic sine.

    >>> kagari.asinh(kagari.tensor([0., 1.]))
    tensor([0.0000, 0.8814])
    """
    return m.asinh(input)


@pointwise(promote="float", aliases=("arccosh",))
def acosh(input):
    """The inverse hyperbolic cosine; NaN below 1.

    >>> kagari.acosh(kagari.tensor([1., 2.]))
    tensor([0.0000, 1.3170])
    """
    return m.acosh(input)


@pointwise(promote="float", aliases=("arctanh",))
def atanh(input):
    """The inverse hyperbolic tangent.

    >>> kagari.atanh(kagari.tensor([0., 0.5]))
    tensor([0.0000, 0.5493])
    """
    return m.atanh(input)


@pointwise(promote="float", dtypes="floating", aliases=("arctan2",))
def atan2(input, other):
    """The angle of the point (other, input), between -pi and pi.

    >>> kagari.atan2(kagari.tensor([1., -1.]), kagari.tensor([1., -1.]))
    tensor([ 0.7854, -2.3562])
    """
    return m.atan2(input, other)


@pointwise(promote="float")
def sinc(input):
    """sin(pi input) / (pi input), and 1 at 0.

    >>> kagari.sinc(kagari.tensor([0., 0.5]))
    tensor([1.0000, 0.6366])
    """
    scaled = input * 3.141592653589793
    return e.where(input == 0, e.const(1, input), m.sin(scaled) / scaled)


@sinc.derivative
def _(grad, input):
    scaled = input * 3.141592653589793
    slope = (m.cos(scaled) * scaled - m.sin(scaled)) / (scaled * input)
    # The square of a small number is 0: its slope is the first term of the series.
    small = scaled * input == 0 if is_complex(input.dtype) else e.abs(input) < 1e-15
    return grad * e.conj(e.where(small, input * -3.289868133696453, slope))


@pointwise(dtypes="floating")
def hypot(input, other):
    """sqrt(input^2 + other^2) without overflow on the way.

    >>> kagari.hypot(kagari.tensor([3.]), kagari.tensor([4.]))
    tensor([5.])
    """
    return m.hypot(input, other)
