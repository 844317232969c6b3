"""Function transforms: batches and derivatives of functions as functions, to be nested at will."""

from .forward import hessian, jacfwd, jvp, linearize
from .mapping import vmap
from .reverse import grad, grad_and_value, vjp

__all__ = [
    "grad", "grad_and_value", "hessian", "jacfwd", "jvp", "linearize", "vjp", "vmap",
]  # fmt: skip
