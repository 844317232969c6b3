"""Functions that no machine has an instruction for, as branch-free arithmetic that vectorises.

Each file holds one family; accuracy.py holds the stated errors. The public ops that call them are
left to definitions/.
"""

from . import complex as _complex  # gives the functions their complex forms  # noqa: F401
from .airy import airy_ai
from .bessel import i0, i0e, i1, i1e, k0, k0e, k1, k1e
from .error import erf, erfc, erfcx, ndtr, normal_density
from .exponential import cosh, exp, exp2, expm1, sigmoid, sinh, tanh, tanh_softplus
from .floats import sqrt
from .gamma import digamma, lgamma, trigamma
from .gaussian import gelu
from .implicit import dirichlet_grad, standard_gamma_grad
from .incomplete_gamma import gammainc, gammaincc
from .inverse import acos, acosh, asin, asinh, atan, atan2, atanh
from .inverse_error import erfinv, log_ndtr, ndtri
from .logarithm import log, log1p, log2, log10, softplus
from .oscillating_bessel import bessel_j0, bessel_j1, bessel_y0, bessel_y1, spherical_bessel_j0
from .polynomials import (
    chebyshev_t,
    chebyshev_u,
    chebyshev_v,
    chebyshev_w,
    hermite_h,
    hermite_he,
    laguerre_l,
    legendre_p,
    shifted_chebyshev_t,
    shifted_chebyshev_u,
    shifted_chebyshev_v,
    shifted_chebyshev_w,
)
from .power import hypot, pow
from .trigonometric import cos, sin, tan
from .zeta import polygamma, zeta

__all__ = [
    "acos", "acosh", "airy_ai", "asin", "asinh", "atan", "atan2", "atanh", "bessel_j0",
    "bessel_j1", "bessel_y0", "bessel_y1", "chebyshev_t", "chebyshev_u", "chebyshev_v",
    "chebyshev_w", "cos", "cosh", "digamma", "dirichlet_grad", "erf", "erfc", "erfcx",
    "erfinv", "exp", "exp2", "expm1", "gammainc", "gammaincc", "gelu", "hermite_h",
    "hermite_he", "hypot", "i0", "i0e", "i1", "i1e", "k0", "k0e", "k1", "k1e", "laguerre_l",
    "legendre_p", "lgamma", "log", "log10", "log1p", "log2", "log_ndtr", "ndtr", "ndtri",
    "normal_density", "polygamma", "pow", "shifted_chebyshev_t", "shifted_chebyshev_u",
    "shifted_chebyshev_v", "shifted_chebyshev_w", "sigmoid", "sin", "sinh", "softplus",
    "spherical_bessel_j0", "sqrt", "standard_gamma_grad", "tan", "tanh", "tanh_softplus",
    "trigamma", "zeta",
]  # fmt: skip
