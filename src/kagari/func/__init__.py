"""Function transforms: batches and derivatives of functions as functions, to be nested at will."""

from .forward import hessian, jacfwd, jvp, linearize
from .jacobian import jacrev
from .levels import debug_unwrap
from .mapping import vmap
from .patterns import rearrange
from .reverse import grad, grad_and_value, vjp
from .stateless import (
    functional_call,
    replace_all_batch_norm_modules_,
    stack_module_state,
)

__all__ = [
    "debug_unwrap", "functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev",
    "jvp", "linearize", "rearrange", "replace_all_batch_norm_modules_", "stack_module_state",
    "vjp", "vmap",
]  # fmt: skip
