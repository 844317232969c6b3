"""The Python side of storages: slices, printing, pickling; the typed storage of old programs."""

import pickle
from typing import Any, Self

import kagari
from kagari import _C, Tensor
from kagari._C import UntypedStorage


def _range(self: UntypedStorage, key: slice) -> tuple[int, int]:
    begin, end, step = key.indices(len(self))
    if step != 1:
        raise RuntimeError(f"UntypedStorage: expected a slice of step 1, got step {step}")
    return begin, max(begin, end)


def get_item(self: UntypedStorage, key: int | slice) -> Any:
    """A byte, or a part that shares the memory."""
    return self._window(*_range(self, key)) if isinstance(key, slice) else self._byte(key)


def set_item(self: UntypedStorage, key: int | slice, value: int) -> None:
    """Writes one byte everywhere in `key`."""
    if isinstance(key, slice):
        begin, end = _range(self, key)
    else:
        self._byte(key)  # checks the index
        begin = key % len(self)
        end = begin + 1
    self._fill(begin, end, value)


def resize(self: UntypedStorage, size: int) -> UntypedStorage:
    """Changes the number of bytes, in place."""
    self._resize(size)
    return self


def copy(
    self: UntypedStorage, source: UntypedStorage, non_blocking: bool = False
) -> UntypedStorage:
    """Takes over the bytes of `source`, which must be as many."""
    self._copy(source)
    return self


def fill(self: UntypedStorage, value: int) -> UntypedStorage:
    """Sets every byte."""
    self._fill(0, len(self), value)
    return self


def clone(self: UntypedStorage) -> UntypedStorage:
    """The same bytes in memory of their own."""
    return copy(UntypedStorage(len(self), device=self.device), self)


def to_list(self: UntypedStorage) -> list[int]:
    """The bytes as ints."""
    return list(memoryview(self))


def text(self: UntypedStorage) -> str:
    """As PyTorch prints a storage."""
    if self.device.type == "meta":
        data = "..."
    else:
        data = "".join(f" {byte}\n" for byte in to_list(self))
    return f"{data}[torch.storage.UntypedStorage(device={self.device}) of size {len(self)}]"


def reduce(self: UntypedStorage, protocol: int) -> Any:
    """Protocol 5 passes the memory out of band."""
    data = pickle.PickleBuffer(self) if protocol >= 5 else bytes(self)
    return _from_bytes, (data,)


def _from_bytes(data: Any) -> UntypedStorage:
    return UntypedStorage._from_bytes(data)


def deep_copy(self: UntypedStorage, memo: dict[Any, Any]) -> UntypedStorage:
    """A copy; tensors that share this storage share the copy."""
    key = ("storage", self._cdata)
    if key not in memo:
        memo[key] = clone(self)
    return memo[key]


def share_memory(self: UntypedStorage) -> UntypedStorage:
    """Moves the bytes, in place, to where processes forked from here on see the same ones.

    RuntimeError where NumPy or a DLPack consumer holds the address of the memory.
    """
    self._share()
    return self


def _install() -> None:
    methods: dict[str, Any] = {
        "__getitem__": get_item,
        "__setitem__": set_item,
        "resize_": resize,
        "copy_": copy,
        "fill_": fill,
        "clone": clone,
        "__copy__": clone,
        "__deepcopy__": deep_copy,
        "tolist": to_list,
        "__repr__": text,
        "__reduce_ex__": reduce,
        "size": UntypedStorage.nbytes,
        "element_size": lambda self: 1,
        "cpu": lambda self: self,
        "untyped": lambda self: self,
        "share_memory_": share_memory,
        "is_cuda": False,
    }
    for name, method in methods.items():
        setattr(UntypedStorage, name, method)


_install()


class TypedStorage:
    """A storage seen as elements of one dtype: what `tensor.storage()` gives."""

    def __init__(
        self,
        *args: Any,
        wrap_storage: UntypedStorage | None = None,
        dtype: Any = None,
        device: Any = None,
    ) -> None:
        self.dtype = dtype or kagari.get_default_dtype()
        if wrap_storage is not None:
            if args or device is not None:
                raise RuntimeError("TypedStorage: wrap_storage: expected no size, data or device")
            self._untyped_storage = wrap_storage
        elif args and not isinstance(args[0], int):
            made = kagari.tensor(args[0], dtype=self.dtype, device=device)
            self._untyped_storage = made.untyped_storage()
        else:
            size = args[0] if args else 0
            self._untyped_storage = UntypedStorage(size * self.dtype.itemsize, device=device)

    def untyped(self) -> UntypedStorage:
        """The bytes."""
        return self._untyped_storage

    @property
    def device(self) -> Any:
        """Where they are."""
        return self._untyped_storage.device

    def __len__(self) -> int:
        return self._untyped_storage.nbytes() // self.dtype.itemsize

    size = __len__

    def nbytes(self) -> int:
        """The number of bytes."""
        return self._untyped_storage.nbytes()

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return self._untyped_storage.data_ptr()

    def element_size(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    def _tensor(self) -> Tensor:
        return _C._tensor_on(self._untyped_storage, self.dtype, 0, [len(self)], [1])

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            raise RuntimeError("TypedStorage: slices are only available on untyped()")
        return self._tensor()[key].item()

    def __setitem__(self, key: Any, value: Any) -> None:
        self._tensor()[key] = value

    def fill_(self, value: Any) -> Self:
        """Sets every element."""
        self._tensor().fill_(value)
        return self

    def copy_(self, source: Any, non_blocking: bool = False) -> Self:
        """Takes over the elements of `source`, converted."""
        self._tensor().copy_(source._tensor())
        return self

    def resize_(self, size: int) -> Self:
        """Changes the number of elements, in place."""
        self._untyped_storage.resize_(size * self.dtype.itemsize)
        return self

    def share_memory_(self) -> Self:
        """Moves the elements to memory that forked processes share."""
        self._untyped_storage.share_memory_()
        return self

    def is_shared(self) -> bool:
        """Are they in such memory?"""
        return self._untyped_storage.is_shared()

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        return self._tensor().tolist()

    def clone(self) -> "TypedStorage":
        """The same elements in memory of their own."""
        return TypedStorage(wrap_storage=self._untyped_storage.clone(), dtype=self.dtype)

    def __iter__(self) -> Any:
        return iter(self.tolist())

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TypedStorage)
            and self.dtype == other.dtype
            and self._untyped_storage == other._untyped_storage
        )

    def __hash__(self) -> int:
        return hash(self._untyped_storage)

    @property
    def _cdata(self) -> int:
        return self._untyped_storage._cdata

    def pickle_storage_type(self) -> str:
        """The class name under which PyTorch's files know it."""
        return storage_class_name(self.dtype)

    def __deepcopy__(self, memo: dict[Any, Any]) -> "TypedStorage":
        return TypedStorage(wrap_storage=deep_copy(self._untyped_storage, memo), dtype=self.dtype)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _typed, (self._untyped_storage, self.dtype)

    def __repr__(self) -> str:
        data = "".join(f" {value}\n" for value in self.tolist())
        kind = f"torch.storage.TypedStorage(dtype={self.dtype}, device={self.device})"
        return f"{data}[{kind} of size {len(self)}]"


class LegacyStorageType(type):
    """FloatStorage, LongStorage...: typed storages of one dtype."""

    dtype: Any

    def __call__(cls, *args: Any, **options: Any) -> TypedStorage:
        return TypedStorage(*args, dtype=cls.dtype, **options)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TypedStorage) and instance.dtype is cls.dtype


def legacy_types() -> dict[str, LegacyStorageType]:
    """The constructors named after PyTorch's old storage types."""
    made = {
        name: LegacyStorageType(name, (), {"dtype": getattr(_C, dtype), "__module__": "kagari"})
        for name, dtype in STORAGE_CLASSES.items()
    }
    return made | {"Storage": made["FloatStorage"]}


def _typed(untyped: UntypedStorage, dtype: Any) -> TypedStorage:
    return TypedStorage(wrap_storage=untyped, dtype=dtype)


STORAGE_CLASSES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}


def storage_class_name(dtype: Any) -> str:
    """ "FloatStorage" for float32; UntypedStorage for what PyTorch has no class for."""
    name = str(dtype).rsplit(".", 1)[-1]
    for cls, element in STORAGE_CLASSES.items():
        if element == name:
            return cls
    return "UntypedStorage"


# --- storages of tensors -----------------------------------------------------------------------


def tensor_untyped_storage(self: Tensor) -> UntypedStorage:
    """The bytes under the tensor, shared with all its views."""
    return _C._storage_of(self)


def tensor_storage(self: Tensor) -> TypedStorage:
    """The storage under the tensor, as elements of its dtype."""
    return TypedStorage(wrap_storage=_C._storage_of(self), dtype=self.dtype)


def tensor_storage_type(self: Tensor) -> Any:
    """The class of storage(): FloatStorage for float32."""
    return getattr(kagari, storage_class_name(self.dtype))


def tensor_set(
    self: Tensor,
    source: Any = None,
    storage_offset: int = 0,
    size: Any = None,
    stride: Any = None,
) -> Tensor:
    """Makes the tensor a window on another storage (or tensor), in place."""
    if source is None:
        _C._set_storage(self, UntypedStorage(0, device=self.device), 0, [0], [1])
        return self
    if isinstance(source, Tensor):
        if source.dtype != self.dtype:
            raise RuntimeError(
                f"set_: source: expected dtype {self.dtype}, got {source.dtype}; convert it first"
            )
        storage = _C._storage_of(source)
        if size is None:
            offset, sizes = source.storage_offset(), list(source.shape)
            _C._set_storage(self, storage, offset, sizes, list(source.stride()))
            return self
    else:
        storage = source.untyped() if isinstance(source, TypedStorage) else source
    if size is None:
        size = [storage.nbytes() // self.element_size() - storage_offset]
    size = [size] if isinstance(size, int) else list(size)
    if stride is None:
        stride, step = [], 1
        for length in reversed(size):
            stride.insert(0, step)
            step *= max(length, 1)
    _C._set_storage(self, storage, storage_offset, size, list(stride))
    return self


def tensor_share_memory(self: Tensor) -> Tensor:
    """Moves the storage, in place, to where processes forked from here on see the same elements.

    RuntimeError where NumPy or a DLPack consumer holds the address of the memory.

    >>> kagari.ones(2).share_memory_().is_shared()
    True
    """
    _C._storage_of(self)._share()
    return self


METHODS: dict[str, Any] = {
    "untyped_storage": tensor_untyped_storage,
    "storage": tensor_storage,
    "_typed_storage": tensor_storage,
    "storage_type": tensor_storage_type,
    "set_": tensor_set,
    "is_shared": lambda self: _C._storage_of(self).is_shared(),
    "share_memory_": tensor_share_memory,
}
