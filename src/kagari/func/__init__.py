"""Function transforms: derivatives of functions as functions, to be nested at will."""

from .reverse import grad, grad_and_value, vjp

__all__ = ["grad", "grad_and_value", "vjp"]
