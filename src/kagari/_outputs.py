"""Writing a result to what was passed as `out=`; for functions that are put together in Python."""

from collections.abc import Sequence
from typing import Any

from ._C import Tensor, can_cast, is_grad_enabled


def write_out(out: Tensor, made: Tensor, op: str, exact: bool = False) -> Tensor:
    """`made` copied to `out`, which is resized where it has another shape, and returned.

    RuntimeError if the dtype of `out` cannot hold the result (with `exact`: is another one), or if
    either takes part in differentiation.
    """
    if not isinstance(out, Tensor):
        raise TypeError(f"{op}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if not can_cast(made.dtype, out.dtype) or (exact and made.dtype != out.dtype):
        raise RuntimeError(
            f"{op}: Expected out tensor to have dtype {made.dtype}, but got {out.dtype} instead"
        )
    if is_grad_enabled() and (out.requires_grad or made.requires_grad):
        raise RuntimeError(
            f"{op}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    if out.shape != made.shape:
        out.resize_(made.shape)
    return out.copy_(made)


def write_outs(outs: Sequence[Tensor], made: Any, op: str, exact: bool = True) -> Any:
    """The same for several results, given back as a tuple of their type."""
    if not isinstance(outs, (tuple, list)) or len(outs) != len(made):
        raise TypeError(f"{op}(): argument 'out' must be a tuple of {len(made)} Tensors")
    written = [write_out(o, m, op, exact) for o, m in zip(outs, made, strict=True)]
    return type(made)(*written) if hasattr(made, "_fields") else tuple(written)
