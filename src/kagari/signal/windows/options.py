"""The arguments that all windows have, checked; and the empty window."""

from typing import Any

import kagari
from kagari import Tensor


def checked(op: str, M: int, dtype: Any, layout: Any) -> Any:
    """The dtype of the window; ValueError for arguments that no window takes."""
    dtype = kagari.get_default_dtype() if dtype is None else dtype
    if M < 0:
        raise ValueError(f"{op} requires non-negative window length, got M={M}")
    if layout is not None and layout is not kagari.strided:
        raise ValueError(f"{op} is implemented for strided tensors only, got: {layout}")
    if dtype not in (kagari.float32, kagari.float64):
        raise ValueError(f"{op} expects float32 or float64 dtypes, got: {dtype}")
    return dtype


def constant(M: int, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    """The window of `M` ones, which every window of at most one point is."""
    return finished(kagari.ones(M, dtype=dtype, device=device), requires_grad)


def finished(window: Tensor, requires_grad: bool) -> Tensor:
    """The window, which may be asked to collect gradients."""
    return window.requires_grad_() if requires_grad else window


def steps(M: int, sym: bool) -> int:
    """From how many steps the window's scale comes: a periodic one leaves its last point out."""
    return M - 1 if sym else M
