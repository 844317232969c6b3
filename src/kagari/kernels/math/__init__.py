"""Functions that no machine has an instruction for, as branch-free arithmetic that vectorises.

Each file holds one family; accuracy.py holds the stated errors. The public ops that call them are left to
definitions/.
"""

from .exponential import cosh, exp, exp2, expm1, sigmoid, sinh, tanh
from .logarithm import log, log1p, log2, log10

__all__ = [
    "cosh", "exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "sigmoid", "sinh", "tanh",
]  # fmt: skip
