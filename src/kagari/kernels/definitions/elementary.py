"""Exponentials, logarithms and roots as public ops; the arithmetic is in math/."""

from .. import expr as e
from .. import math as m
from ..define import pointwise


@pointwise(promote="float")
def exp(input):
    """e to the power of input.

    >>> kagari.exp(kagari.tensor([0., 1.]))
    tensor([1.0000, 2.7183])
    """
    return m.exp(input)


@pointwise(promote="float")
def exp2(input):
    """2 to the power of input.

    >>> kagari.exp2(kagari.tensor([0., 3.]))
    tensor([1., 8.])
    """
    return m.exp2(input)


@pointwise(promote="float")
def expm1(input):
    """exp(input) - 1, accurate near zero.

    >>> kagari.expm1(kagari.tensor([0., 1.]))
    tensor([0.0000, 1.7183])
    """
    return m.expm1(input)


@pointwise(promote="float")
def log(input):
    """The natural logarithm.

    >>> kagari.log(kagari.tensor([1., 2.7183]))
    tensor([0.0000, 1.0000])
    """
    return m.log(input)


@pointwise(promote="float")
def log2(input):
    """The logarithm to base 2.

    >>> kagari.log2(kagari.tensor([1., 8.]))
    tensor([0., 3.])
    """
    return m.log2(input)


@pointwise(promote="float")
def log10(input):
    """The logarithm to base 10.

    >>> kagari.log10(kagari.tensor([1., 1000.]))
    tensor([0., 3.])
    """
    return m.log10(input)


@pointwise(promote="float")
def log1p(input):
    """log(1 + input), accurate near zero.

    >>> kagari.log1p(kagari.tensor([0., 1.]))
    tensor([0.0000, 0.6931])
    """
    return m.log1p(input)


@pointwise(promote="float")
def sqrt(input):
    """The square root; NaN below zero.

    >>> kagari.sqrt(kagari.tensor([4., 9.]))
    tensor([2., 3.])
    """
    return m.sqrt(input)


@pointwise(promote="float")
def rsqrt(input):
    """1 / sqrt(input).

    >>> kagari.rsqrt(kagari.tensor([4., 16.]))
    tensor([0.5000, 0.2500])
    """
    return 1 / m.sqrt(input)


rsqrt.derivative(lambda grad, output: grad * e.conj(output * output * output) * -0.5)
