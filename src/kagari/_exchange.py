"""Tensors from and to other libraries: NumPy's protocols, DLPack, buffers, and asarray()."""

from typing import Any

import kagari
from kagari import _C, Tensor
from kagari._layouts import only_strided

DLPACK_CPU = 1


# --- NumPy -------------------------------------------------------------------------------------


def tensor_numpy(self: Tensor, *, force: bool = False) -> Any:
    """A NumPy array on the tensor's memory; `force` detaches, and copies what is elsewhere."""
    if force:
        self = self.detach().cpu()
    return _C._to_numpy(self, force)


def tensor_array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    """What numpy.asarray(tensor) gives."""
    array = _C._to_numpy(self)
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError(f"__array__: {array.dtype} to {dtype} needs a copy, got copy=False")
        return array.astype(dtype)
    return array.copy() if copy else array


def tensor_array_wrap(
    self: Tensor, array: Any, context: Any = None, return_scalar: bool = False
) -> Any:
    """Turns the result of a NumPy function on tensors into a tensor."""
    if array.dtype == bool:
        array = array.astype("uint8")  # what PyTorch gives
    return kagari.from_numpy(array)


@property  # type: ignore[misc]
def tensor_array_interface(self: Tensor) -> dict[str, Any]:
    """NumPy's older protocol; absent where the memory cannot be shared."""
    if self.requires_grad or self.device.type != "cpu" or self.dtype is kagari.bfloat16:
        raise AttributeError("__array_interface__: the tensor cannot share memory; see numpy()")
    return _C._to_numpy(self).__array_interface__


# --- DLPack ------------------------------------------------------------------------------------


def tensor_dlpack(
    self: Tensor,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A DLPack capsule of this tensor; versioned if the consumer says it knows version 1."""
    if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
        raise BufferError(
            f"__dlpack__: dl_device: expected {self.__dlpack_device__()}, got {dl_device}; "
            "move the tensor first"
        )
    if stream not in (None, -1) and self.device.type == "cpu":
        raise BufferError(f"__dlpack__: stream: a CPU tensor has none, got {stream!r}")
    exported = self.clone() if copy else self
    versioned = max_version is not None and max_version[0] >= 1
    return _C._to_dlpack(exported, versioned, bool(copy))


def tensor_dlpack_device(self: Tensor) -> tuple[int, int]:
    """DLPack's numbers for the device."""
    if self.device.type != "cpu":
        raise BufferError(f"__dlpack_device__: expected a CPU tensor, got one on {self.device}")
    return DLPACK_CPU, 0


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of a DLPack capsule, or of an object with __dlpack__."""
    if hasattr(ext_tensor, "__dlpack__"):
        kind = ext_tensor.__dlpack_device__()[0]
        if kind != DLPACK_CPU:
            raise RuntimeError(f"from_dlpack: expected an object on the CPU, got device {kind}")
        try:
            options = {} if copy is None else {"copy": copy}
            capsule = ext_tensor.__dlpack__(max_version=(1, 0), **options)
        except TypeError:  # made before DLPack 1.0
            capsule = ext_tensor.__dlpack__()
    else:
        capsule = ext_tensor
    made = _C._from_dlpack(capsule)
    return made if device is None else made.to(device)


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule of the older kind."""
    return _C._to_dlpack(tensor, False, False)


def from_file(
    filename: str,
    shared: bool | None = None,
    size: int | None = 0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """A vector of `size` elements on the memory of a file.

    With `shared` writing to it writes to the file, which is made or lengthened where needed;
    without, the file must hold the elements and stays as it is. RuntimeError where it does not.
    """
    only_strided("from_file", layout)
    if pin_memory or (device is not None and kagari.device(device).type != "cpu"):
        raise RuntimeError("from_file: expected device='cpu' and pin_memory=False: files are there")
    dtype = dtype or kagari.get_default_dtype()
    count = size or 0
    storage = _C.UntypedStorage.from_file(filename, bool(shared), count * dtype.itemsize)
    made = kagari.empty(0, dtype=dtype).set_(storage, 0, (count,))
    return made.requires_grad_() if requires_grad else made


# --- the array API standard ---------------------------------------------------------------------

ARRAY_API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")


def tensor_array_namespace(self: Tensor, *, api_version: str | None = None) -> Any:
    """kagari.array_api, which has the functions of the Python array API standard."""
    if api_version not in (None, *ARRAY_API_VERSIONS):
        raise ValueError(
            f"__array_namespace__: api_version: expected one of {ARRAY_API_VERSIONS}, "
            f"got {api_version!r}"
        )
    return kagari.array_api


def tensor_to_device(self: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """The standard's name of to(device)."""
    if stream is not None:
        raise ValueError(f"to_device: stream: the CPU has none, got {stream!r}")
    return self.to(device)


# --- anything ----------------------------------------------------------------------------------


def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`obj` as a tensor: shared if it can be (unless `copy`), copied otherwise."""
    made = _shared(obj, dtype)
    shared = made is not None
    if made is None:
        if copy is False:
            raise ValueError(
                f"asarray(): copy: cannot share the memory of a {type(obj).__name__}; "
                "expected a tensor, an array or a buffer, or copy=None"
            )
        made = kagari.tensor(obj, dtype=dtype, device=device)
    result = made
    if dtype is not None and result.dtype != dtype:
        result = result.to(dtype)
    if device is not None and result.device != kagari.device(device):
        result = result.to(device)
    if shared and copy is False and result is not made:
        raise ValueError("asarray(): cannot change dtype or device with copy=False")
    if shared and copy and result is made:
        result = result.clone()
    if result.requires_grad and not requires_grad:
        return result.detach()
    if requires_grad and not result.requires_grad:
        return (result if result.is_leaf else result.detach()).requires_grad_()
    return result


def _shared(obj: Any, dtype: Any) -> Tensor | None:
    """A tensor on the memory of `obj`, or None if there is no such thing."""
    if isinstance(obj, Tensor):
        return obj
    if _C._is_numpy_array(obj):
        return kagari.from_numpy(obj)
    if hasattr(obj, "__dlpack__"):
        return from_dlpack(obj)
    if isinstance(obj, (str, list, tuple, int, float, complex)):
        return None
    if isinstance(obj, _C.UntypedStorage) and len(obj) == 0:  # which other buffers may not be
        return kagari.empty(0, dtype=dtype or kagari.get_default_dtype())
    try:
        memoryview(obj).release()
    except TypeError:
        return None
    return kagari.frombuffer(obj, dtype=dtype or kagari.get_default_dtype())


METHODS: dict[str, Any] = {
    "numpy": tensor_numpy,
    "__array__": tensor_array,
    "__array_wrap__": tensor_array_wrap,
    "__array_priority__": 1000,
    "__array_interface__": tensor_array_interface,
    "__dlpack__": tensor_dlpack,
    "__dlpack_device__": tensor_dlpack_device,
    "__array_namespace__": tensor_array_namespace,
    "to_device": tensor_to_device,
}
