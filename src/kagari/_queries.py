"""Questions about tensors and settings of the process: is_tensor, allclose, threads and more."""

import os
from typing import Any

import kagari
from kagari import _C
from kagari._C import Tensor, UntypedStorage
from kagari._layouts import RANK_OF, contiguous_format, preserve_format, strides_for
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


_resized = Tensor.resize_
_FORMAT_OF = {rank: form for form, rank in RANK_OF.items()}


def _resize(self: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Other sizes over the same storage, which grows where needed; row-major, or channels last.

    RuntimeError for a tensor that requires grad.
    """
    if memory_format is preserve_format:
        raise RuntimeError("resize_: preserve_format is not supported; name a memory format")
    _resized(self, *sizes)
    if memory_format in (None, contiguous_format):
        return self
    strides = strides_for(self.shape, memory_format, "resize_")
    return self.set_(self.untyped_storage(), self.storage_offset(), self.shape, strides)


def _resize_as(self: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """resize_() to the shape of another tensor and, with preserve_format, to its memory format."""
    if memory_format is preserve_format:
        form = _FORMAT_OF.get(the_template.dim())
        kept = form is not None and the_template.is_contiguous(memory_format=form)
        memory_format = form if kept and not the_template.is_contiguous() else None
    return _resize(self, the_template.shape, memory_format=memory_format)


def is_nonzero(input: Tensor) -> bool:
    """The truth of a tensor of one element."""
    return bool(input)


has_lapack = has_openmp = has_spectral = True  # OpenBLAS, libgomp, NumPy's transforms
has_mkl = False  # oneDNN and OpenBLAS do its work


class AcceleratorError(RuntimeError):
    """An error of an accelerator; there is none to raise it so far."""


def init_num_threads() -> None:
    """Nothing to do: every thread of Python uses the one pool."""


def compiled_with_cxx11_abi() -> bool:
    """Is the extension built with the newer C++ ABI? It always is."""
    return True


def is_vulkan_available() -> bool:
    """False: there is no such backend."""
    return False


def get_file_path(*path_components: str) -> str:
    """A path next to the package's folder.

    >>> kagari.get_file_path("kagari", "py.typed").endswith("kagari/py.typed")
    True
    """
    root = os.path.dirname(os.path.dirname(os.path.abspath(kagari.__file__)))
    return os.path.join(root, *path_components)


def get_device_module(device: Any = None) -> Any:
    """The module of a kind of device: kagari.cpu, kagari.cuda.

    >>> kagari.get_device_module("cpu").__name__
    'kagari.cpu'
    """
    kind = "cpu" if device is None else kagari.device(device).type
    module = getattr(kagari, kind, None)
    if module is None:
        raise RuntimeError(f"get_device_module: device: there is no module for {kind!r}")
    return module


def typename(obj: Any, /) -> str:
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
        name, wrong = ("rtol", rtol) if rtol < 0 else ("atol", atol)
        raise RuntimeError(f"isclose: {name}: expected a number >= 0, got {wrong}")
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
    "resize_": _resize,
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
    "AcceleratorError",
    "init_num_threads",
    "allclose",
    "compiled_with_cxx11_abi",
    "equal",
    "get_device",
    "get_device_module",
    "get_file_path",
    "has_lapack",
    "has_mkl",
    "has_openmp",
    "has_spectral",
    "is_vulkan_available",
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
