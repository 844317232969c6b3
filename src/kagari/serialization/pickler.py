"""Writing the pickle of a checkpoint: tensors refer to their storages, under PyTorch's names."""

import pickle
from collections import OrderedDict
from io import BytesIO
from typing import Any

import kagari
from kagari import _C, Tensor
from kagari.nn.parameter import Parameter

from .locations import location_tag
from .names import NAME_OF_DTYPE, STORAGE_OF


class Foreign:
    """A global of another library, written by name alone."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self) -> None:
        """Never called: pickle demands of what it writes as a function that it could be."""


_TENSOR = Foreign("torch", "Tensor")
_REBUILD = Foreign("torch._utils", "_rebuild_tensor_v2")
_REBUILD_WITH_DTYPE = Foreign("torch._utils", "_rebuild_tensor_v3")
_REBUILD_META = Foreign("torch._utils", "_rebuild_meta_tensor_no_storage")
_REBUILD_PARAMETER = Foreign("torch._utils", "_rebuild_parameter")
_REBUILD_PARAMETER_STATE = Foreign("torch._utils", "_rebuild_parameter_with_state")
_REBUILD_TYPE = Foreign("torch._tensor", "_rebuild_from_type_v2")
_UNTYPED = Foreign("torch.storage", "UntypedStorage")
_BYTES_OF = Foreign("_codecs", "encode")


class _Storage:
    """A storage as it stands among a tensor's arguments: with the name of its type and its size."""

    def __init__(self, storage: Any, kind: Foreign, count: int) -> None:
        self.storage, self.kind, self.count = storage, kind, count


class Pickler(pickle._Pickler):  # type: ignore[name-defined,misc]
    """Pickles `obj`; afterwards `storages` holds the storages, by the names of their entries."""

    dispatch: dict[Any, Any] = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def __init__(self, protocol: int) -> None:
        self.out = BytesIO()
        super().__init__(self.out, protocol)
        self.storages: dict[str, Any] = {}
        self._keys: dict[int, str] = {}
        self._kinds: dict[str, Any] = {}
        self._foreign: dict[tuple[str, str], Foreign] = {}

    def dumped(self, obj: Any) -> bytes:
        """The pickle of `obj`."""
        self.dump(obj)
        return self.out.getvalue()

    def persistent_id(self, obj: Any) -> Any:
        """Storages are written outside of the pickle."""
        if isinstance(obj, _Storage):
            key = self._key_of(obj.storage)
            return ("storage", obj.kind, key, location_tag(obj.storage), obj.count)
        if isinstance(obj, _C.UntypedStorage):
            return ("storage", _UNTYPED, self._key_of(obj), location_tag(obj), obj.nbytes())
        return None

    def _key_of(self, storage: Any) -> str:
        key = self._keys.setdefault(storage._cdata, str(len(self._keys)))
        self.storages[key] = storage
        return key

    def reducer_override(self, obj: Any) -> Any:
        """How what PyTorch knows is written."""
        if isinstance(obj, Tensor):
            return self._reduce_tensor(obj)
        if isinstance(obj, kagari.device):
            return Foreign("torch", "device"), (obj.type,) if obj.index is None else (
                obj.type,
                obj.index,
            )
        if isinstance(obj, kagari.Size):
            return self._global("torch", "Size"), (tuple(obj),)
        return NotImplemented

    def _global(self, module: str, name: str) -> Foreign:
        """The same object for the same name, so that it is written once."""
        return self._foreign.setdefault((module, name), Foreign(module, name))

    def _reduce_tensor(self, tensor: Tensor) -> Any:
        if tensor.grad_fn is not None and not isinstance(tensor, Parameter):
            raise RuntimeError(
                "save: only leaf tensors can be saved, got one that was computed with gradients "
                f"({tensor.grad_fn.name()}); save tensor.detach()"
            )
        attributes = dict(getattr(tensor, "__dict__", None) or {})
        if isinstance(tensor, Parameter):
            data = tensor.detach()
            arguments: Any = (data, tensor.requires_grad, OrderedDict())
            if attributes:
                return _REBUILD_PARAMETER_STATE, (*arguments, attributes)
            return _REBUILD_PARAMETER, arguments
        function, arguments = self._rebuild(tensor)
        if type(tensor) is not Tensor:
            return _REBUILD_TYPE, (function, type(tensor), arguments, attributes)
        if attributes:
            return _REBUILD_TYPE, (function, _TENSOR, arguments, attributes)
        return function, arguments

    def _rebuild(self, tensor: Tensor) -> Any:
        dtype, sizes, strides = tensor.dtype, tuple(tensor.shape), tuple(tensor.stride())
        if tensor.is_meta:
            return _REBUILD_META, (dtype, sizes, strides, tensor.requires_grad)
        storage = _C._storage_of(tensor)
        window: Any = (tensor.storage_offset(), sizes, strides, tensor.requires_grad, OrderedDict())
        key = self._key_of(storage)
        name = STORAGE_OF.get(dtype)
        if name is None or self._kinds.setdefault(key, dtype) != dtype:
            # No storage type of that name, or the storage is another dtype's already.
            reference = _Storage(storage, _UNTYPED, storage.nbytes())
            return _REBUILD_WITH_DTYPE, (reference, *window, dtype)
        count = storage.nbytes() // tensor.element_size()
        reference = _Storage(storage, self._global("torch", name), count)
        return _REBUILD, (reference, *window)

    def save_foreign(self, obj: Foreign) -> None:
        """Write a global by name."""
        self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        self.memoize(obj)

    def save_dtype(self, obj: Any) -> None:
        """Write a dtype as PyTorch's of that name."""
        foreign = self._global("torch", NAME_OF_DTYPE[obj])
        self.save(foreign)

    dispatch[Foreign] = save_foreign
    dispatch[kagari.dtype] = save_dtype
