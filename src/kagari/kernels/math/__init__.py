"""Functions that no machine has an instruction for, as branch-free arithmetic that vectorises.

Each file holds one family; accuracy.py holds the stated errors. The public ops that call them are
left to definitions/.
"""

from . import complex as _complex  # gives the functions their complex forms  # noqa: F401
from .bessel import i0, i0e, i1, i1e
from .error import erf, erfc, erfcx, ndtr, normal_density
from .exponential import cosh, exp, exp2, expm1, sigmoid, sinh, tanh, tanh_softplus
from .floats import sqrt
from .gamma import digamma, lgamma, trigamma
from .gaussian import gelu
from .inverse import acos, acosh, asin, asinh, atan, atan2, atanh
from .inverse_error import erfinv, log_ndtr, ndtri
from .logarithm import log, log1p, log2, log10, softplus
from .power import hypot, pow
from .trigonometric import cos, sin, tan

__all__ = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "digamma",
    "erf", "erfc", "erfcx", "erfinv", "exp", "exp2", "expm1", "gelu", "hypot", "i0", "i0e", "i1",
    "i1e", "lgamma", "log", "log10", "log1p", "log2", "log_ndtr", "ndtr", "ndtri",
    "normal_density", "pow", "sigmoid", "sin", "sinh", "softplus", "sqrt", "tan", "tanh",
    "tanh_softplus", "trigamma",
]  # fmt: skip
