"""Writing a result to what was passed as `out=`; for functions that are put together in Python."""

from ._C import Tensor, can_cast, is_grad_enabled


def write_out(out: Tensor, made: Tensor, op: str) -> Tensor:
    """`made` copied to `out`, which is resized where it has another shape, and returned.

    RuntimeError if the dtype of `out` cannot hold the result, or if either takes part in
    differentiation.
    """
    if not can_cast(made.dtype, out.dtype):
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
