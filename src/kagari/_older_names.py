"""Names that PyTorch keeps for old programs: some still work, some only say what to use instead."""

import warnings
from collections.abc import Callable
from typing import Any

import kagari
from kagari import Tensor

# --- removed: an error that names the replacement ------------------------------------------------

_REPLACED = {
    "solve": "linalg.solve(A, B), whose arguments are in the other order",
    "eig": "linalg.eig, whose results are complex",
    "symeig": "linalg.eigh, or linalg.eigvalsh without eigenvectors",
    "lstsq": "linalg.lstsq(A, B), whose arguments are in the other order",
    "matrix_rank": "linalg.matrix_rank",
}


def _removed(name: str) -> Callable[..., Any]:
    def function(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            f"{name}: This function was deprecated since version 1.9 and is now removed; "
            f"use {_REPLACED[name]}"
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Removed: use {_REPLACED[name]}. Always a RuntimeError."
    return function


solve, eig, symeig = _removed("solve"), _removed("eig"), _removed("symeig")
lstsq, matrix_rank = _removed("lstsq"), _removed("matrix_rank")


def _reinforce(self: Tensor, reward: Any) -> Any:
    """Removed: use the log_prob of a distribution. Always a RuntimeError."""
    raise RuntimeError("reinforce: was removed; use the log_prob of a distribution in the loss")


# --- a function that is a method now -------------------------------------------------------------


def is_distributed(input: Tensor) -> bool:
    """False: tensors are in one process."""
    return False


# --- methods -------------------------------------------------------------------------------------


def _new(self: Tensor, *args: Any, device: Any = None) -> Tensor:
    """A tensor of this dtype: of sizes, uninitialised; of a sequence or tensor, its values."""
    where = self.device if device is None else device
    first = args[0] if args else ()
    if len(args) == 1 and isinstance(first, kagari.UntypedStorage | kagari.TypedStorage):
        return kagari.empty(0, dtype=self.dtype, device=where).set_(first)
    if len(args) == 1 and isinstance(first, Tensor):
        if first.dtype is not self.dtype:
            raise TypeError(f"new: expected a tensor of {self.dtype}, got one of {first.dtype}")
        return first.detach().to(device=where, dtype=self.dtype)
    if len(args) == 1 and not isinstance(first, int | kagari.Size):
        return kagari.tensor(first, dtype=self.dtype, device=where)
    return kagari.empty(*(args or (0,)), dtype=self.dtype, device=where)


def _resize(self: Tensor, *sizes: Any) -> Tensor:
    """Deprecated: the elements in another shape of as many; use reshape."""
    warnings.warn("non-inplace resize is deprecated; use reshape", stacklevel=2)
    return _reshaped(self, "resize", sizes[0] if len(sizes) == 1 else sizes)


def _resize_as(self: Tensor, tensor: Tensor) -> Tensor:
    """Deprecated: the elements in the shape of another tensor of as many; use reshape."""
    warnings.warn("non-inplace resize_as is deprecated; use reshape", stacklevel=2)
    return _reshaped(self, "resize_as", tensor.shape)


def _reshaped(self: Tensor, op: str, sizes: Any) -> Tensor:
    made = self.contiguous()
    try:
        return made.view(sizes)
    except RuntimeError as error:
        raise RuntimeError(
            f"{op}: requested shape {sizes} of {self.numel()} elements; it must have as many"
        ) from error


def _volatile(self: Tensor) -> bool:
    """Always False; use no_grad."""
    warnings.warn("volatile was removed (it is always False); use no_grad", stacklevel=2)
    return False


def _map2(self: Tensor, x: Tensor, y: Tensor, callable: Callable[[Any, Any, Any], Any]) -> Tensor:
    """Replaces each element by callable(element, that of x, that of y): slow, for odd jobs."""
    operands = (self.detach(), x.expand(self.shape), y.expand(self.shape))
    columns = (operand.flatten().tolist() for operand in operands)
    flat = [callable(*values) for values in zip(*columns, strict=True)]
    with kagari.no_grad():
        self.copy_(kagari.tensor(flat, dtype=self.dtype).reshape(self.shape))
    return self


def _elsewhere(kind: str) -> Callable[..., Tensor]:
    def move(
        self: Tensor,
        device: Any = None,
        non_blocking: bool = False,
        memory_format: Any = kagari.preserve_format,
    ) -> Tensor:
        target = f"{kind}:{device}" if isinstance(device, int) else device or kind
        return self.to(target, non_blocking=non_blocking, memory_format=memory_format)

    move.__doc__ = f"The tensor on a device of kind {kind}: an error where there is none."
    return move


_METHODS: dict[str, Any] = {
    **{name: globals()[name] for name in ("solve", "eig", "symeig", "lstsq")},
    "new": _new,
    "reinforce": _reinforce,
    "resize": _resize,
    "resize_as": _resize_as,
    "volatile": property(_volatile),
    "map2_": _map2,
    "ipu": _elsewhere("ipu"),
    "xpu": _elsewhere("xpu"),
    "mtia": _elsewhere("mtia"),
    "is_maia": False,
    "is_mtia": False,
    # Python 2's names
    "__div__": lambda self, other: self / other,
    "__rdiv__": lambda self, other: self.reciprocal() * other,
    "__idiv__": lambda self, other: self.div_(other),
    "__long__": lambda self: int(self),
    "__nonzero__": lambda self: bool(self),
}
for _name, _method in _METHODS.items():
    setattr(Tensor, _name, _method)

__all__ = ["eig", "is_distributed", "lstsq", "matrix_rank", "solve", "symeig"]
