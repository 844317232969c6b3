"""Special functions as public ops; the arithmetic is in math/."""

from .. import math as m
from ..define import pointwise


@pointwise(promote="float", dtypes="floating")
def erf(input):
    """The error function.

    >>> kagari.erf(kagari.tensor([0., 1.]))
    tensor([0.0000, 0.8427])
    """
    return m.erf(input)


@pointwise(promote="float", dtypes="floating")
def erfc(input):
    """1 - erf(input), accurate where that is small.

    >>> kagari.erfc(kagari.tensor([0., 1.]))
    tensor([1.0000, 0.1573])
    """
    return m.erfc(input)


@pointwise(promote="float", dtypes="floating")
def erfinv(input):
    """The inverse of erf.

    >>> kagari.erfinv(kagari.tensor([0., 0.5]))
    tensor([0.0000, 0.4769])
    """
    return m.erfinv(input)


@pointwise(promote="float", dtypes="floating", flags="So")
def erfcx(input):
    """exp(input^2) * erfc(input).

    >>> kagari.special.erfcx(kagari.tensor([0., 1.]))
    tensor([1.0000, 0.4276])
    """
    return m.erfcx(input)


@pointwise(promote="float", dtypes="floating", flags="So")
def ndtr(input):
    """The normal distribution function.

    >>> kagari.special.ndtr(kagari.tensor([0., 1.]))
    tensor([0.5000, 0.8413])
    """
    return m.ndtr(input)


@pointwise(promote="float", dtypes="floating", flags="So")
def ndtri(input):
    """The inverse of the normal distribution function.

    >>> kagari.special.ndtri(kagari.tensor([0.5, 0.8413]))
    tensor([0.0000, 0.9998])
    """
    return m.ndtri(input)


@pointwise(promote="float", dtypes="floating", flags="So")
def log_ndtr(input):
    """The logarithm of the normal distribution function.

    >>> kagari.special.log_ndtr(kagari.tensor([0., 1.]))
    tensor([-0.6931, -0.1728])
    """
    return m.log_ndtr(input)


@pointwise(promote="float", dtypes="floating")
def lgamma(input):
    """log |gamma(input)|.

    >>> kagari.lgamma(kagari.tensor([1., 5.]))
    tensor([0.0000, 3.1781])
    """
    return m.lgamma(input)


@pointwise(promote="float", dtypes="floating")
def digamma(input):
    """The derivative of lgamma.

    >>> kagari.digamma(kagari.tensor([1., 0.5]))
    tensor([-0.5772, -1.9635])
    """
    return m.digamma(input)


@pointwise(promote="float", dtypes="floating", flags="p")
def trigamma(input):
    """The second derivative of lgamma."""
    return m.trigamma(input)


@pointwise(promote="float", dtypes="floating")
def i0(input):
    """The modified Bessel function of the first kind of order 0.

    >>> kagari.i0(kagari.tensor([0., 1.]))
    tensor([1.0000, 1.2661])
    """
    return m.i0(input)


@pointwise(promote="float", dtypes="floating", flags="So")
def i0e(input):
    """exp(-|input|) * i0(input).

    >>> kagari.special.i0e(kagari.tensor([0., 1.]))
    tensor([1.0000, 0.4658])
    """
    return m.i0e(input)


@pointwise(promote="float", dtypes="floating", flags="So")
def i1(input):
    """The modified Bessel function of the first kind of order 1.

    >>> kagari.special.i1(kagari.tensor([0., 1.]))
    tensor([0.0000, 0.5652])
    """
    return m.i1(input)


@pointwise(promote="float", dtypes="floating", flags="So")
def i1e(input):
    """exp(-|input|) * i1(input).

    >>> kagari.special.i1e(kagari.tensor([0., 1.]))
    tensor([0.0000, 0.2079])
    """
    return m.i1e(input)
