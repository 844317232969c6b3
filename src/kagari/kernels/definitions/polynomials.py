"""Orthogonal polynomials as public ops: a tensor or number, and a degree as tensor or number.

Integers become the default float. Results take no part in differentiation, as in PyTorch. Of a
negative degree the value is 0; a degree with a fraction is truncated. The arithmetic is in
math/polynomials.py.
"""

from .. import math as m
from ..define import pointwise


@pointwise(promote="float", dtypes="f32 f64", flags="So", numbers="input n", built=None)
def chebyshev_polynomial_t(input, n):
    """Chebyshev's polynomial of the first kind, T_n(input).

    >>> kagari.special.chebyshev_polynomial_t(kagari.tensor([1., 2.]), 3)
    tensor([ 1., 26.])
    """
    return m.chebyshev_t(input, n)


chebyshev_polynomial_t.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", numbers="input n", built=None)
def chebyshev_polynomial_u(input, n):
    """Chebyshev's polynomial of the second kind, U_n(input).

    >>> kagari.special.chebyshev_polynomial_u(kagari.tensor([1., 2.]), 3)
    tensor([ 4., 56.])
    """
    return m.chebyshev_u(input, n)


chebyshev_polynomial_u.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", numbers="input n", built=None)
def chebyshev_polynomial_v(input, n):
    """Chebyshev's polynomial of the third kind, V_n(input).

    >>> kagari.special.chebyshev_polynomial_v(kagari.tensor([1., 2.]), 3)
    tensor([ 1., 41.])
    """
    return m.chebyshev_v(input, n)


chebyshev_polynomial_v.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", numbers="input n", built=None)
def chebyshev_polynomial_w(input, n):
    """Chebyshev's polynomial of the fourth kind, W_n(input).

    >>> kagari.special.chebyshev_polynomial_w(kagari.tensor([1., 2.]), 3)
    tensor([ 7., 71.])
    """
    return m.chebyshev_w(input, n)


chebyshev_polynomial_w.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", numbers="input n", built=None)
def shifted_chebyshev_polynomial_t(input, n):
    """T_n(2 input - 1).

    >>> kagari.special.shifted_chebyshev_polynomial_t(kagari.tensor([0., 2.]), 3)
    tensor([-1., 99.])
    """
    return m.shifted_chebyshev_t(input, n)


shifted_chebyshev_polynomial_t.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", numbers="input n", built=None)
def shifted_chebyshev_polynomial_u(input, n):
    """U_n(2 input - 1).

    >>> kagari.special.shifted_chebyshev_polynomial_u(kagari.tensor([0., 2.]), 3)
    tensor([ -4., 204.])
    """
    return m.shifted_chebyshev_u(input, n)


shifted_chebyshev_polynomial_u.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", numbers="input n", built=None)
def shifted_chebyshev_polynomial_v(input, n):
    """V_n(2 input - 1).

    >>> kagari.special.shifted_chebyshev_polynomial_v(kagari.tensor([0., 2.]), 3)
    tensor([ -7., 169.])
    """
    return m.shifted_chebyshev_v(input, n)


shifted_chebyshev_polynomial_v.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", numbers="input n", built=None)
def shifted_chebyshev_polynomial_w(input, n):
    """W_n(2 input - 1).

    >>> kagari.special.shifted_chebyshev_polynomial_w(kagari.tensor([0., 2.]), 3)
    tensor([ -1., 239.])
    """
    return m.shifted_chebyshev_w(input, n)


shifted_chebyshev_polynomial_w.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", numbers="input n", built=None)
def hermite_polynomial_h(input, n):
    """Hermite's polynomial of the physicists, H_n(input); NaN above degree 512 (in float32 128).

    >>> kagari.special.hermite_polynomial_h(kagari.tensor([1., 2.]), 3)
    tensor([-4., 40.])
    """
    return m.hermite_h(input, n)


hermite_polynomial_h.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", numbers="input n", built=None)
def hermite_polynomial_he(input, n):
    """Hermite's polynomial of the probabilists, He_n(input); NaN above degree 512 (in float32
    128).

    >>> kagari.special.hermite_polynomial_he(kagari.tensor([1., 2.]), 3)
    tensor([-2.,  2.])
    """
    return m.hermite_he(input, n)


hermite_polynomial_he.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", numbers="input n", built=None)
def laguerre_polynomial_l(input, n):
    """Laguerre's polynomial L_n(input).

    >>> kagari.special.laguerre_polynomial_l(kagari.tensor([1., 2.]), 2)
    tensor([-0.5000, -1.0000])
    """
    return m.laguerre_l(input, n)


laguerre_polynomial_l.derivative(None)


@pointwise(promote="float", dtypes="f32 f64", flags="So", numbers="input n", built=None)
def legendre_polynomial_p(input, n):
    """Legendre's polynomial P_n(input).

    >>> kagari.special.legendre_polynomial_p(kagari.tensor([1., 2.]), 3)
    tensor([ 1., 17.])
    """
    return m.legendre_p(input, n)


legendre_polynomial_p.derivative(None)
