"""Questions about tensors and settings of the process: is_tensor, allclose, threads and more."""

from typing import Any

import kagari
from kagari import _C
from kagari._C import Tensor, UntypedStorage
from kagari._storage import TypedStorage


def is_tensor(obj: Any) -> bool:
    """Is it a tensor?"""
    return isinstance(obj, Tensor)


def is_storage(obj: Any) -> bool:
    """Is it a storage?"""
    return isinstance(obj, UntypedStorage | TypedStorage)


def is_floating_point(input: Tensor) -> bool:
    """Is the dtype a real floating one?"""
    return input.dtype.is_floating_point


def is_complex(input: Tensor) -> bool:
    """Is the dtype complex?"""
    return input.dtype.is_complex


def is_signed(input: Tensor) -> bool:
    """Can the dtype hold negative numbers?"""
    return input.dtype.is_signed


def is_inference(input: Tensor) -> bool:
    """Was it made under inference_mode?"""
    return input.is_inference()


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """The same shape?"""
    return input.shape == other.shape


def get_device(input: Tensor) -> int:
    """The number of the device, -1 for the CPU."""
    return -1 if input.device.index is None else input.device.index


def _is_pinned(input: Tensor, device: Any = None) -> bool:
    """Never: pinned memory is for copies to an accelerator."""
    return False


def _pin_memory(input: Tensor, device: Any = None) -> Tensor:
    """An error: there is no accelerator to pin memory for."""
    raise RuntimeError("pin_memory: Cannot access accelerator device when none is available.")


def _resize_as(self: Tensor, the_template: Tensor, **options: Any) -> Tensor:
    """resize_() to the shape of another tensor."""
    return self.resize_(the_template.shape, **options)


def is_nonzero(input: Tensor) -> bool:
    """The truth of a tensor of one element."""
    return bool(input)


def typename(obj: Any) -> str:
    """The name of the type, of a tensor with its dtype: 'torch.FloatTensor'."""
    if isinstance(obj, Tensor):
        return obj.type()
    cls = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(cls, "__module__", "") or ""
    return cls.__qualname__ if module in ("", "builtins") else f"{module}.{cls.__qualname__}"


def equal(input: Tensor, other: Tensor) -> bool:
    """The same shape and the same values?"""
    if input.shape != other.shape:
        return False
    return input is other or bool((input == other).all())


def isclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> Tensor:
    """Elementwise |input - other| <= atol + rtol * |other|."""
    for name, value in (("input", input), ("other", other)):
        if not isinstance(value, Tensor):
            raise TypeError(
                f"isclose(): argument '{name}' must be Tensor, not {type(value).__name__}"
            )
    if input.dtype != other.dtype:
        raise RuntimeError(
            f"isclose: expected other of dtype {input.dtype}, got {other.dtype}; convert one"
        )
    if rtol < 0 or atol < 0:
        name, value = ("rtol", rtol) if rtol < 0 else ("atol", atol)
        raise RuntimeError(f"isclose: {name}: expected a number >= 0, got {value}")
    close = input == other
    if equal_nan and (input.dtype.is_floating_point or input.dtype.is_complex):
        close = close | ((input != input) & (other != other))
    if rtol == 0 and atol == 0:
        return close
    if input.dtype is kagari.bool:
        input, other = input.to(kagari.uint8), other.to(kagari.uint8)
    distance = (input - other).abs()
    allowed = atol + (rtol * other).abs()
    return close | (kagari.isfinite(distance) & (distance <= allowed))


def allclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:
    """isclose() everywhere?"""
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


def show_threads() -> str:
    """How many threads there are, and why; printed and returned."""
    text = f"{_C.get_num_threads()} threads:\n{_C._explain_threads()}"
    print(text, end="")
    return text


_interop_threads = 1


def get_num_interop_threads() -> int:
    """kagari starts ops one after the other; kept for programs that ask."""
    return _interop_threads


def set_num_interop_threads(num: int) -> None:
    """Without effect: kagari starts ops one after the other."""
    global _interop_threads
    if num <= 0:
        raise RuntimeError(f"set_num_interop_threads: expected a positive integer, got {num}")
    _interop_threads = num


def set_default_tensor_type(t: Any) -> None:
    """Sets the default dtype by an old type name such as 'torch.DoubleTensor'."""
    from kagari._tensor import TYPE_NAMES

    name = t.__name__ if isinstance(t, type) else str(t).rsplit(".", 1)[-1]
    dtypes = {cls: dtype for dtype, cls in TYPE_NAMES.items()}
    if name not in dtypes:
        raise TypeError(f"set_default_tensor_type: t: expected a tensor type, got {t!r}")
    kagari.set_default_dtype(getattr(kagari, dtypes[name]))


_METHODS = {
    "equal": equal,
    "isclose": isclose,
    "allclose": allclose,
    "is_nonzero": is_nonzero,
    "is_same_size": is_same_size,
    "get_device": get_device,
    "is_pinned": _is_pinned,
    "pin_memory": _pin_memory,
    "resize_as_": _resize_as,
    "is_distributed": lambda self: False,
    **dict.fromkeys(("is_mkldnn", "is_xla", "is_xpu", "is_mps", "is_ipu", "is_vulkan"), False),
    "is_sparse_csr": False,
    "name": None,
    "names": property(lambda self: (None,) * self.dim()),
}
for _name, _method in _METHODS.items():
    setattr(Tensor, _name, _method)

__all__ = [
    "allclose",
    "equal",
    "get_device",
    "get_num_interop_threads",
    "is_complex",
    "is_floating_point",
    "is_inference",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "is_storage",
    "is_tensor",
    "isclose",
    "set_default_tensor_type",
    "set_num_interop_threads",
    "show_threads",
    "typename",
]
