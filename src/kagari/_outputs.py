"""Writing results to what was passed as `out=`; for functions that are put together in Python."""

from typing import Any

from ._C import Tensor, write_outs


def write_out(out: Tensor, made: Tensor, op: str) -> Tensor:
    """`made` copied to `out`, which is resized where it has another shape, and returned.

    RuntimeError if the dtype of `out` cannot hold the result, or if either takes part in
    differentiation.
    """
    write_outs((out,), (made,), op, False)
    return out


def written(result: Any, out: Any, op: str, *, castable: bool = False, refit: bool = False) -> Any:
    """`result`, a tensor or a tuple of them, copied to `out` where that is given.

    RuntimeError, before anything is written, unless each `out` has the dtype of its result; with
    `castable` any dtype does that the result may be cast to. With `refit` an `out` without elements
    becomes contiguous, as PyTorch has it for some of LAPACK's functions.
    """
    if out is None:
        return result
    if isinstance(result, Tensor):
        write_outs((out,), (result,), op, not castable)
        return out.resize_(0).resize_(result.shape) if refit and out.numel() == 0 else out
    if not isinstance(out, (tuple, list)):
        kind = type(out).__name__
        raise TypeError(
            f"{op}: argument 'out' must be a tuple of {len(result)} Tensors, not {kind}"
        )
    write_outs(out, result, op, not castable)
    if refit:
        out = [
            t if t.numel() else t.resize_(0).resize_(made.shape)
            for t, made in zip(out, result, strict=True)
        ]
    return type(result)(*out) if hasattr(result, "_fields") else tuple(out)
