"""Functions that no machine has an instruction for, as branch-free arithmetic that vectorises.

Each file holds one family; accuracy.py holds the stated errors. The public ops that call them are
left to definitions/.
"""

from .error import erf, erfc, erfcx, ndtr, normal_density
from .exponential import cosh, exp, exp2, expm1, sigmoid, sinh, tanh
from .floats import sqrt
from .logarithm import log, log1p, log2, log10, softplus

__all__ = [
    "cosh", "erf", "erfc", "erfcx", "exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "ndtr",
    "normal_density", "sigmoid", "sinh", "softplus", "sqrt", "tanh",
]  # fmt: skip
