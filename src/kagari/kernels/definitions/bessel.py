"""Bessel's and Airy's functions as public ops; the arithmetic is in math/.

Integers become the default float. Results take no part in differentiation, as in PyTorch; i0, i1
and their scaled forms, which do, are in special.py.
"""

from .. import math as m
from ..define import pointwise


@pointwise(promote="float", dtypes="f32 f64", flags="So", built=None)
def airy_ai(input):
    """Airy's function Ai.

    >>> kagari.special.airy_ai(kagari.tensor([0., 1.]))
    tensor([0.3550, 0.1353])
    """
    return m.airy_ai(input)


airy_ai.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", built=None)
def bessel_j0(input):
    """The Bessel function of the first kind of order 0.

    >>> kagari.special.bessel_j0(kagari.tensor([0., 1.]))
    tensor([1.0000, 0.7652])
    """
    return m.bessel_j0(input)


bessel_j0.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", built=None)
def bessel_j1(input):
    """The Bessel function of the first kind of order 1.

    >>> kagari.special.bessel_j1(kagari.tensor([0., 1.]))
    tensor([0.0000, 0.4401])
    """
    return m.bessel_j1(input)


bessel_j1.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", built=None)
def bessel_y0(input):
    """The Bessel function of the second kind of order 0; NaN below 0.

    >>> kagari.special.bessel_y0(kagari.tensor([0., 1.]))
    tensor([  -inf, 0.0883])
    """
    return m.bessel_y0(input)


bessel_y0.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", built=None)
def bessel_y1(input):
    """The Bessel function of the second kind of order 1; NaN below 0.

    >>> kagari.special.bessel_y1(kagari.tensor([0., 1.]))
    tensor([   -inf, -0.7812])
    """
    return m.bessel_y1(input)


bessel_y1.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", built=None)
def spherical_bessel_j0(input):
    """The spherical Bessel function of the first kind of order 0, sin(input) / input.

    >>> kagari.special.spherical_bessel_j0(kagari.tensor([0., 1.]))
    tensor([1.0000, 0.8415])
    """
    return m.spherical_bessel_j0(input)


spherical_bessel_j0.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", built=None)
def modified_bessel_i0(input):
    """The modified Bessel function of the first kind of order 0, without a derivative.

    >>> kagari.special.modified_bessel_i0(kagari.tensor([0., 1.]))
    tensor([1.0000, 1.2661])
    """
    return m.i0(input)


modified_bessel_i0.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", built=None)
def modified_bessel_i1(input):
    """The modified Bessel function of the first kind of order 1, without a derivative.

    >>> kagari.special.modified_bessel_i1(kagari.tensor([0., 1.]))
    tensor([0.0000, 0.5652])
    """
    return m.i1(input)


modified_bessel_i1.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", built=None)
def modified_bessel_k0(input):
    """The modified Bessel function of the second kind of order 0; NaN below 0.

    >>> kagari.special.modified_bessel_k0(kagari.tensor([0., 1.]))
    tensor([   inf, 0.4210])
    """
    return m.k0(input)


modified_bessel_k0.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", built=None)
def modified_bessel_k1(input):
    """The modified Bessel function of the second kind of order 1; NaN below 0.

    >>> kagari.special.modified_bessel_k1(kagari.tensor([0., 1.]))
    tensor([   inf, 0.6019])
    """
    return m.k1(input)


modified_bessel_k1.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", built=None)
def scaled_modified_bessel_k0(input):
    """exp(input) * modified_bessel_k0(input).

    >>> kagari.special.scaled_modified_bessel_k0(kagari.tensor([0., 1.]))
    tensor([   inf, 1.1445])
    """
    return m.k0e(input)


scaled_modified_bessel_k0.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", built=None)
def scaled_modified_bessel_k1(input):
    """exp(input) * modified_bessel_k1(input).

    >>> kagari.special.scaled_modified_bessel_k1(kagari.tensor([0., 1.]))
    tensor([   inf, 1.6362])
    """
    return m.k1e(input)


scaled_modified_bessel_k1.derivative(None)
