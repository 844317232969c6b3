"""save and load in PyTorch's zip format, both ways. A file is taken for hostile: by default loading
makes nothing but tensors, parameters and plain containers."""

import mmap as mapping
import os
import pickle
import pickletools
from collections.abc import Callable
from io import BytesIO
from typing import Any

import kagari
from kagari import _C

from .archive import ALIGNMENT, Reader, Writer, Zeros, is_pickle, write_atomically
from .globals import (
    add_safe_globals,
    clear_safe_globals,
    find,
    get_safe_globals,
    known,
    safe_globals,
    trusted_types,
)
from .interpreter import Function, Interpreter, LoadedStorage, StorageType
from .legacy import LegacyStorages, check_preamble
from .locations import (
    default_restore_location,
    device_to_read,
    location_tag,
    register_package,
    restored,
)
from .options import (
    get_crc32_options,
    get_default_mmap_options,
    set_crc32_options,
    set_default_mmap_options,
    skip_data,
    writes_data,
)
from .pickler import Pickler

DEFAULT_PROTOCOL = 2


def save(
    obj: Any, f: Any, pickle_module: Any = None, pickle_protocol: int = DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization: bool = True, _disable_byteorder_record: bool = False,
) -> None:  # fmt: skip
    """Write tensors, and containers of tensors, to a file that `load` and torch.load read.

    Args:
        obj: usually a `state_dict`; anything that pickle takes.
        f: a path, written atomically; or an open file.
    """
    if not _use_new_zipfile_serialization:
        raise NotImplementedError("save: only the zip format is written")
    pickler = Pickler(pickle_protocol)
    data = pickler.dumped(obj)

    def write(file: Any, folder: str) -> None:
        writer = Writer(file, folder)
        writer.add("data.pkl", data)
        writer.add(".format_version", b"1")
        writer.add(".storage_alignment", str(ALIGNMENT).encode())
        if not _disable_byteorder_record:
            writer.add("byteorder", b"little")
        for key, storage in pickler.storages.items():
            writer.add(f"data/{key}", storage if writes_data() else Zeros(storage.nbytes()))
        writer.add("version", b"3\n")
        writer.close()

    if hasattr(f, "write"):
        write(f, "archive")
        return
    path = os.fspath(f)
    if not isinstance(path, str):
        path = os.fsdecode(path)
    folder = os.path.splitext(os.path.basename(path))[0] or "archive"
    write_atomically(path, lambda file: write(file, folder))


def load(
    f: Any, map_location: Any = None, pickle_module: Any = None, *,
    weights_only: bool | None = None, mmap: bool | None = None, **pickle_load_args: Any,
) -> Any:  # fmt: skip
    """Read what `save` or torch.save wrote.

    Args:
        f: a path or an open file.
        map_location: where the tensors go: a device, a dictionary of devices, or a function of
            storage and location.
        weights_only: by default make nothing but tensors and plain containers. False lets the file
            run any code, and is only for files you trust.
        mmap: map the file instead of reading it; for paths.
    """
    if hasattr(f, "read"):
        if mmap:
            raise ValueError("load: mmap=True needs the path of a file, not an open file")
        readable = all(hasattr(f, name) for name in ("seek", "tell", "readinto"))
        file = f if readable and f.seekable() else BytesIO(f.read())
        return _load(file, "the file", None, map_location, weights_only)
    path = os.fsdecode(os.fspath(f))
    with open(path, "rb") as file:
        return _load(file, repr(path), path if mmap else None, map_location, weights_only)


def _load(file: Any, shown: str, mapped: str | None, map_location: Any, weights_only: Any) -> Any:
    start = file.tell()
    if start:
        file = BytesIO(file.read())
    if is_pickle(file):
        if mapped:
            raise RuntimeError(
                f"load: {shown} is in PyTorch's format from before 1.6: mmap=False, please"
            )
        return _load_legacy(file, shown, map_location, weights_only)
    reader = Reader(file, shown)
    if "data.pkl" not in reader:
        raise RuntimeError(f"load: {shown} is a zip archive without data.pkl: not a checkpoint")
    if "constants.pkl" in reader:
        raise RuntimeError(f"load: {shown} holds a TorchScript program, not a checkpoint")
    if "byteorder" in reader and reader.read("byteorder") != b"little":
        raise RuntimeError(f"load: {shown} was written on a big-endian machine")
    storages = _Storages(reader, mapped, map_location)
    data = reader.read("data.pkl")
    if weights_only is False:
        return _Unrestricted(BytesIO(data), storages.get).load()
    return _interpret(data, 0, storages.get, shown)[0]


def _interpret(data: Any, start: int, persistent: Any, shown: str) -> tuple[Any, int]:
    """The value of the pickle that begins there, and where it ends."""
    machine = Interpreter(data, find, persistent, start)
    machine.trusted_types = trusted_types  # type: ignore[method-assign]
    try:
        return machine.run(), machine.at
    except (UnicodeDecodeError, OverflowError, MemoryError, RecursionError) as error:
        raise pickle.UnpicklingError(f"load: {shown} has a malformed pickle: {error}") from error


def _load_legacy(file: Any, shown: str, map_location: Any, weights_only: Any) -> Any:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    storages = LegacyStorages(size, shown, lambda location: device_to_read(location, map_location))
    if weights_only is False:
        parts = [_Unrestricted(file, storages.get).load() for _ in range(3)]
        check_preamble(parts, shown)
        value, keys = (_Unrestricted(file, storages.get).load() for _ in range(2))
    else:
        data = _bytes_of(file)
        parts = []
        at = 0
        for _ in range(3):
            part, at = _interpret(data, at, _no_storage, shown)
            parts.append(part)
        check_preamble(parts, shown)
        value, at = _interpret(data, at, storages.get, shown)
        keys, at = _interpret(data, at, _no_storage, shown)
        file.seek(at)
    storages.fill(keys, file.readinto)
    for storage, _, location in storages.made.values():
        if restored(storage, location, map_location) is not storage:
            raise RuntimeError(
                f"load: {shown} is in PyTorch's format from before 1.6, whose storages stay on the "
                "CPU: map_location='cpu', then move the tensors"
            )
    return value


def _bytes_of(file: Any) -> Any:
    """What is in a file, mapped where that can be, so that it is not read twice."""
    try:
        return mapping.mmap(file.fileno(), 0, access=mapping.ACCESS_READ)
    except (OSError, ValueError):
        return file.read()


def _no_storage(reference: Any) -> Any:
    raise pickle.UnpicklingError("load: a storage where there can be none")


class _Storages:
    """The storages of a file, each read when it is first named."""

    def __init__(self, reader: Reader, mapped: str | None, map_location: Any) -> None:
        self.reader, self.map_location = reader, map_location
        self.loaded: dict[str, Any] = {}
        shared = get_default_mmap_options() == mapping.MAP_SHARED
        self.file = _C.UntypedStorage.from_file(mapped, shared) if mapped else None

    def get(self, reference: Any) -> Any:
        """The storage of a persistent id: ('storage', type, key, location, count)."""
        if (
            not isinstance(reference, tuple)
            or len(reference) != 5
            or reference[0] != "storage"
            or not isinstance(reference[1], StorageType)
            or not all(isinstance(part, str) for part in reference[2:4])
            or type(reference[4]) is not int
        ):
            raise pickle.UnpicklingError("load: a persistent id that names no storage")
        _, kind, key, location, count = reference
        width = 1 if kind.dtype is None else kind.dtype.itemsize
        if key not in self.loaded:
            self.loaded[key] = self._read(key, location, count * width)
        storage = self.loaded[key]
        if count < 0 or count * width > storage.nbytes():
            raise pickle.UnpicklingError(
                f"load: storage {key!r} should have {count * width} bytes, it has "
                f"{storage.nbytes()}"
            )
        return storage if kind.dtype is None else LoadedStorage(storage, kind.dtype)

    def _read(self, key: str, location: str, wanted: int) -> Any:
        name = f"data/{key}"
        size = self.reader.size_of(name)
        if wanted < 0 or wanted > size:
            raise pickle.UnpicklingError(
                f"load: storage {key!r} should have {wanted} bytes, entry {name!r} has {size}"
            )
        device = device_to_read(location, self.map_location)
        if device.type == "meta":
            return _C.UntypedStorage(size, device=device)
        if self.file is not None:
            start = self.reader.offset_of(name)
            storage = self.file._window(start, start + size)
        else:
            storage = _C.UntypedStorage(size)
            self.reader.read_into(name, memoryview(storage).cast("B"))
        return restored(storage, location, self.map_location)


class _Unrestricted(pickle.Unpickler):
    """Pickle itself, for files that are trusted: PyTorch's names for ours."""

    def __init__(self, file: Any, persistent: Callable[[Any], Any]) -> None:
        super().__init__(file)
        self.persistent = persistent

    def find_class(self, module: str, name: str) -> Any:
        """What a name stands for."""
        if module == "torch" and name == "Tensor":
            return kagari.Tensor
        value = known(module, name)
        if value is None or module in ("builtins", "__builtin__", "collections", "_codecs"):
            return super().find_class(module, name)
        return value.call if isinstance(value, Function) else value

    def persistent_load(self, pid: Any) -> Any:
        """The storage of a persistent id."""
        return self.persistent(pid)


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The names in a checkpoint that `load` refuses to make, as "module.name": what to look at, and
    to allow with `add_safe_globals` if it is harmless. Nothing is run.

    Args:
        f: a path or an open file.
    """
    if not hasattr(f, "read"):
        with open(f, "rb") as opened:
            return get_unsafe_globals_in_checkpoint(opened)
    file = BytesIO(f.read())
    data = file.getvalue() if is_pickle(file) else Reader(file, "the file").read("data.pkl")
    found: set[str] = set()
    at = BytesIO(data)
    while at.tell() < len(data):
        try:
            found |= _names_in(at)
        except ValueError:  # what follows in an older file are elements, no pickles
            break
    return sorted(name for name in found if _is_unsafe(name))


def _names_in(file: BytesIO) -> set[str]:
    """The globals that a pickle names."""
    found: set[str] = set()
    texts: list[str] = []
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name == "GLOBAL":
            found.add(str(argument).replace(" ", "."))
        elif opcode.name == "STACK_GLOBAL" and len(texts) > 1:
            found.add(".".join(texts[-2:]))
        elif isinstance(argument, str):
            texts.append(argument)
    return found


def _is_unsafe(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    try:
        find(module, attribute)
    except pickle.UnpicklingError:
        return True
    return False


__all__ = [
    "add_safe_globals", "clear_safe_globals", "default_restore_location", "get_crc32_options",
    "get_default_mmap_options", "get_safe_globals", "get_unsafe_globals_in_checkpoint", "load",
    "location_tag", "register_package", "safe_globals", "save", "set_crc32_options",
    "set_default_mmap_options", "skip_data",
]  # fmt: skip
