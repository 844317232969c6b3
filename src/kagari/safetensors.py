"""Tensors in the safetensors format: read without a copy, written atomically.

The format (https://huggingface.co/docs/safetensors, "Format"): 8 bytes with the length of a header,
the header, which is JSON and says of every tensor its dtype, its shape and where its bytes are, and
the bytes. The names are those of `safetensors.torch`.
"""

import json
import math
import os
import struct
from collections.abc import Iterator
from typing import Any

import kagari
from kagari import _C, Tensor
from kagari.serialization.archive import write_atomically

__all__ = ["load", "load_file", "load_model", "safe_open", "save", "save_file", "save_model"]

_DTYPES = {
    "BOOL": kagari.bool, "U8": kagari.uint8, "I8": kagari.int8, "U16": kagari.uint16,
    "I16": kagari.int16, "U32": kagari.uint32, "I32": kagari.int32, "U64": kagari.uint64,
    "I64": kagari.int64, "F16": kagari.float16, "BF16": kagari.bfloat16, "F32": kagari.float32,
    "F64": kagari.float64, "C64": kagari.complex64,
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_LONGEST_HEADER = 100_000_000  # bytes, as the format's own library has it
_METADATA = "__metadata__"


def _header(tensors: dict[str, Tensor], metadata: dict[str, str] | None) -> tuple[bytes, list[Any]]:
    """The header, length included, and the tensors in the order of their bytes: wide dtypes come
    first, so that all are aligned."""
    entries: dict[str, Any] = {_METADATA: metadata} if metadata else {}
    order = sorted(tensors, key=lambda name: (-tensors[name].dtype.itemsize, name))
    end = 0
    for name in order:
        tensor = tensors[name]
        start, end = end, end + tensor.numel() * tensor.dtype.itemsize
        entries[name] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, [tensors[name] for name in order]


def _check(tensors: Any, metadata: Any) -> None:
    if not isinstance(tensors, dict):
        raise ValueError(
            "safetensors: expected a dict of [str, torch.Tensor] but received "
            f"{type(tensors).__name__}"
        )
    for key, text in (metadata or {}).items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise TypeError(f"safetensors: metadata has to be text by name; {key!r} is {text!r}")
    seen: dict[int, str] = {}
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise ValueError(
                "safetensors: expected a dict of [str, torch.Tensor]; the value of "
                f"{name!r} is a {type(tensor).__name__}"
            )
        if tensor.dtype not in _NAMES or tensor.is_meta:
            raise ValueError(
                f"safetensors: {name!r} is a {tensor.dtype} tensor on {tensor.device}; the format "
                f"has {', '.join(str(dtype) for dtype in _NAMES)}, with data"
            )
        if not tensor.is_contiguous():
            raise ValueError(
                f"safetensors: you are trying to save a non contiguous tensor: {name!r}; the "
                "format has no strides: call .contiguous() on it"
            )
        storage = tensor.untyped_storage().data_ptr()
        if tensor.numel() and seen.setdefault(storage, name) != name:
            raise RuntimeError(
                f"safetensors: some tensors share memory: {seen[storage]!r} and {name!r}; the "
                "format would write it twice: leave one out (save_model does), or clone() it"
            )


def _bytes(tensor: Tensor) -> memoryview:
    if not tensor.numel():
        return memoryview(b"")
    return memoryview(tensor.detach().reshape(-1).view(kagari.uint8)).cast("B")  # type: ignore[arg-type]


def save_file(
    tensors: dict[str, Tensor], filename: str | os.PathLike[str],
    metadata: dict[str, str] | None = None,
) -> None:  # fmt: skip
    """Write tensors to a file, which is replaced once the new one is safely on disk.

    Args:
        tensors: contiguous, none sharing memory with another.
        metadata: text by name, kept in the header.

    Raises:
        ValueError: a tensor that the format has no place for, or that is not contiguous.
        RuntimeError: two tensors share memory.

    Example:
        >>> kagari.safetensors.save_file({"w": kagari.ones(2)}, folder / "w.safetensors")
        >>> kagari.safetensors.load_file(folder / "w.safetensors")["w"]
        tensor([1., 1.])
    """
    _check(tensors, metadata)
    header, order = _header(tensors, metadata)

    def write(file: Any) -> None:
        file.write(header)
        for tensor in order:
            file.write(_bytes(tensor))

    write_atomically(os.fspath(filename), write)


def save(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """What `save_file` writes, as bytes."""
    _check(tensors, metadata)
    header, order = _header(tensors, metadata)
    return b"".join([header, *map(_bytes, order)])


class _Contents:
    """A header that has been checked: names, dtypes, shapes, and where the bytes are."""

    def __init__(self, head: bytes, size: int, shown: str) -> None:
        """`head` is the file up to the end of the header, `size` the length of the whole."""
        self.shown = shown
        self.start = len(head)
        try:
            entries = json.loads(head[8:].decode("utf-8"))
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            raise self.error(f"its header is no JSON: {error}") from error
        if not isinstance(entries, dict):
            raise self.error("its header is no table")
        self.metadata = entries.pop(_METADATA, None)
        if self.metadata is not None and not isinstance(self.metadata, dict):
            raise self.error(f"{_METADATA} is no table")
        self.entries = {name: self._entry(name, entry) for name, entry in entries.items()}
        self._check_cover(size - self.start)

    def error(self, problem: str) -> RuntimeError:
        return RuntimeError(f"safetensors: {self.shown} is damaged or no such file: {problem}")

    def _entry(self, name: str, entry: Any) -> tuple[Any, list[int], int, int]:
        try:
            dtype, shape = _DTYPES[entry["dtype"]], entry["shape"]
            start, end = entry["data_offsets"]
        except (KeyError, TypeError, ValueError) as error:
            raise self.error(f"the entry of {name!r} is {entry}") from error
        numbers = [*shape, start, end] if isinstance(shape, list) else [None]
        if any(type(n) is not int or n < 0 or n >= 2**63 for n in numbers):
            raise self.error(f"the entry of {name!r} has numbers out of range: {entry}")
        if end - start != math.prod(shape) * dtype.itemsize:
            raise self.error(f"{name!r} has {end - start} bytes for shape {shape}")
        return dtype, shape, start, end

    def _check_cover(self, size: int) -> None:
        """All bytes belong to one tensor, and none to two."""
        at = 0
        for start, end, name in sorted((e[2], e[3], name) for name, e in self.entries.items()):
            if start != at:
                raise self.error(f"{name!r} begins at byte {start} of the data, not at {at}")
            at = end
        if at != size:
            raise self.error(f"its tensors have {at} bytes, the file has {size} for them")


def _length(first: bytes, size: int, shown: str) -> int:
    """The length of the header, from the file's first 8 bytes."""
    (length,) = struct.unpack("<Q", first) if len(first) == 8 else (size,)
    if length > min(size - 8, _LONGEST_HEADER):
        raise RuntimeError(
            f"safetensors: {shown} is damaged or no such file: it has {size} bytes, which is too "
            "few for its header"
        )
    return length


def _tensor(storage: Any, contents: _Contents, name: str) -> Tensor:
    """A tensor on the bytes of the file."""
    dtype, shape, start, end = contents.entries[name]
    if start == end:
        return kagari.empty(shape, dtype=dtype)
    window = storage._window(contents.start + start, contents.start + end)
    if (contents.start + start) % dtype.itemsize:  # only files of others are not aligned
        copy = _C.UntypedStorage(end - start)
        memoryview(copy).cast("B")[:] = memoryview(window).cast("B")
        window = copy
    strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    made = _C._tensor_on(window, dtype, 0, shape, strides)
    return made if dtype is not kagari.bool else made.view(kagari.uint8).ne(0)


class safe_open:
    """A file opened for reading tensors one by one, in a `with` block or without.

    Args:
        filename: a path.
        framework: "pt"; other libraries' tensors are made by their own means.
        device: where the tensors go: "cpu".

    Example:
        >>> kagari.safetensors.save_file({"w": kagari.arange(3)}, folder / "a.safetensors")
        >>> with kagari.safetensors.safe_open(folder / "a.safetensors", "pt") as file:
        ...     file.get_tensor("w")
        tensor([0, 1, 2])
    """

    def __init__(
        self, filename: str | os.PathLike[str], framework: str = "pt", device: Any = "cpu"
    ) -> None:
        path = os.fsdecode(os.fspath(filename))
        if framework not in ("pt", "torch", "pytorch"):
            raise ValueError(f"safetensors: framework is {framework!r}; here it is 'pt'")
        self._device = kagari.device(device)
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            first = file.read(8)
            head = first + file.read(_length(first, size, repr(path)))
        self._contents = _Contents(head, size, repr(path))
        self._storage = _C.UntypedStorage.from_file(path)

    def __enter__(self) -> "safe_open":
        return self

    def __exit__(self, *exc: object) -> None:
        """The file stays mapped as long as a tensor needs it."""

    def keys(self) -> list[str]:
        """The names of the tensors, in order."""
        return sorted(self._contents.entries)

    def offset_keys(self) -> list[str]:
        """The names of the tensors, in the order in which their bytes are in the file."""
        return sorted(self._contents.entries, key=lambda name: self._contents.entries[name][2:])

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def metadata(self) -> dict[str, str] | None:
        """The text that was saved with the tensors."""
        return self._contents.metadata

    def get_tensor(self, name: str) -> Tensor:
        """A tensor on the file's own pages; writing to it does not change the file."""
        if name not in self._contents.entries:
            raise RuntimeError(f"safetensors: {self._contents.shown} has no tensor {name!r}")
        return _tensor(self._storage, self._contents, name).to(self._device)

    def get_slice(self, name: str) -> "Slice":
        """A tensor to index: only what is asked for is read."""
        return Slice(self.get_tensor(name), _NAMES[self._contents.entries[name][0]])


class Slice:
    """A tensor of a file, to be indexed."""

    def __init__(self, tensor: Tensor, dtype: str) -> None:
        self._tensor, self._dtype = tensor, dtype

    def __getitem__(self, index: Any) -> Tensor:
        return self._tensor[index]

    def get_shape(self) -> list[int]:
        """Its size in every dimension."""
        return list(self._tensor.shape)

    def get_dtype(self) -> str:
        """The format's name of its dtype."""
        return self._dtype


def load_file(filename: str | os.PathLike[str], device: Any = "cpu") -> dict[str, Tensor]:
    """All tensors of a file, on the file's own pages: nothing is read before it is used.

    Raises:
        FileNotFoundError: there is no such file.
        RuntimeError: the file is damaged; its sizes are checked before memory is asked for.
    """
    with safe_open(filename, "pt", device) as file:
        return {name: file.get_tensor(name) for name in file.offset_keys()}


def load(data: bytes) -> dict[str, Tensor]:
    """The tensors that `save` wrote."""
    first = data[:8]
    head = data[: 8 + _length(first, len(data), "the data")]
    contents = _Contents(head, len(data), "the data")
    storage = _C.UntypedStorage(len(data))
    memoryview(storage).cast("B")[:] = data
    return {name: _tensor(storage, contents, name) for name in contents.entries}


def save_model(
    model: Any, filename: str | os.PathLike[str], metadata: dict[str, str] | None = None,
    force_contiguous: bool = True,
) -> None:  # fmt: skip
    """Write a module's state; of tensors that share all their memory one is written, and the
    metadata says which other names it has."""
    state, texts = {}, dict(metadata or {})
    first: dict[Any, str] = {}
    for name, tensor in sorted(model.state_dict().items()):
        window = (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride())
        if tensor.numel() and first.setdefault(window, name) != name:
            texts[name] = first[window]
        else:
            state[name] = tensor.contiguous() if force_contiguous else tensor
    save_file(state, filename, texts)


def load_model(
    model: Any, filename: str | os.PathLike[str], strict: bool = True, device: Any = "cpu"
) -> tuple[list[str], list[str]]:
    """Give a module the state that `save_model` wrote; gives the names that were missing in the
    file, and those the module does not have.

    Raises:
        RuntimeError: with `strict`, if there are any.
    """
    with safe_open(filename, "pt", device) as file:
        state = {name: file.get_tensor(name) for name in file.keys()}
        for other, name in (file.metadata() or {}).items():
            if name in state and other not in state and other in model.state_dict():
                state[other] = state[name]
    missing, unexpected = model.load_state_dict(state, strict=strict)
    return missing, unexpected
