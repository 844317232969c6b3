"""Special functions as public ops; the arithmetic is in math/."""

from .. import math as m
from ..define import Int, pointwise
from ..function import MISSING


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


@pointwise(promote="float", dtypes="floating", built=1)
def digamma(input):
    """The derivative of lgamma.

    >>> kagari.digamma(kagari.tensor([1., 0.5]))
    tensor([-0.5772, -1.9635])
    """
    return m.digamma(input)


@pointwise(promote="float", dtypes="floating", flags="p", built=0)
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


@pointwise(promote="float", dtypes="f32 f64", flags="So", numbers="input other", built=None)
def zeta(input, other):
    """Hurwitz's zeta function: the sum of (k + other)^-input over k = 0, 1, ...

    Infinite for input 1 and at other = 0, -1, ...; NaN for a smaller input, and for other < 0
    unless input is an integer. Nobody has the derivative in input.

    >>> kagari.special.zeta(kagari.tensor([2., 3.]), 1.)
    tensor([1.6449, 1.2021])
    """
    return m.zeta(input, other)


@pointwise(dtypes="floating", built=None)
def igamma(input, other):
    """The lower incomplete gamma function of order input, over gamma(input): the integral of
    t^(input - 1) exp(-t) from 0 to other. For floating dtypes. Nobody has the derivative in input.

    >>> kagari.igamma(kagari.tensor([4.]), kagari.tensor([3., 4., 5.]))
    tensor([0.3528, 0.5665, 0.7350])
    """
    return m.gammainc(input, other)


@pointwise(dtypes="floating", built=None)
def igammac(input, other):
    """1 - igamma(input, other), accurate where that is small. For floating dtypes.

    >>> kagari.igammac(kagari.tensor([4.]), kagari.tensor([3., 4., 5.]))
    tensor([0.6472, 0.4335, 0.2650])
    """
    return m.gammaincc(input, other)


@pointwise(promote="float", dtypes="floating", flags="p", numbers="n", built=None)
def _polygamma(input, n: Int):
    """The derivative of order n >= 1 of digamma; the order is checked by its caller."""
    return m.polygamma(input, n)


@pointwise(dtypes="f32 f64", flags="f", built=None)
def _standard_gamma_grad(input, output):
    """How `output`, gamma-distributed of shape `input`, moves with it at a fixed probability. For
    float32 and float64; without a derivative.

    >>> kagari._standard_gamma_grad(kagari.tensor([1.]), kagari.tensor([1.]))
    tensor([1.1736])
    """
    return m.standard_gamma_grad(input, output)


@pointwise(dtypes="f32 f64", flags="f", built=None)
def _dirichlet_grad(x, alpha, total):
    """How `x`, beta-distributed of `alpha` and `total` - `alpha`, moves with `alpha` at a fixed
    probability, over 1 - x. For float32 and float64; without a derivative.

    >>> kagari._dirichlet_grad(kagari.tensor([0.5]), kagari.tensor([1.]), kagari.tensor([3.]))
    tensor([0.5397])
    """
    return m.dirichlet_grad(x, alpha, total)


_standard_gamma_grad.derivative(lambda grad, input, output: (MISSING, MISSING))
_dirichlet_grad.derivative(lambda grad, x, alpha, total: (MISSING, MISSING, MISSING))
