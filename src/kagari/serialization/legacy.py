"""PyTorch's format from before 1.6: pickles one behind the other, then the bytes of the storages.

The layout: a magic number, a version, the machine's habits, the object, and the keys of the
storages, each a pickle of its own; then, for every key, the number of elements (int64) and the
elements. As in the zip format, nothing in the file is believed before it is checked.
"""

import struct
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

from kagari import _C

from .interpreter import LoadedStorage, StorageType

MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001


class LegacyStorages:
    """The storages of a file: made when the object names them, filled when it has been read.

    Args:
        size: bytes in the file, more than which no storage can have.
        device_of: where a storage goes that was at a location; raises where that is not there.
    """

    def __init__(self, size: int, shown: str, device_of: Callable[[str], Any]) -> None:
        self.size, self.shown, self.device_of = size, shown, device_of
        self.made: dict[str, tuple[Any, int, str]] = {}  # storage, bytes per element, location
        self.asked = 0

    def get(self, reference: Any) -> Any:
        """The storage of ('storage', type, key, location, count, None or a window)."""
        if isinstance(reference, tuple) and reference[:1] == ("module",) and len(reference) > 1:
            return reference[1]  # a class with its source, which is not looked at
        if (
            not isinstance(reference, tuple)
            or len(reference) != 6
            or reference[0] != "storage"
            or not isinstance(reference[1], StorageType)
            or not all(isinstance(part, str) for part in reference[2:4])
            or type(reference[4]) is not int
        ):
            raise UnpicklingError("load: a persistent id that names no storage")
        _, kind, key, location, count, window = reference
        width = 1 if kind.dtype is None else kind.dtype.itemsize
        storage = self._storage(key, location, count, width)
        if window is not None:
            storage = self._window(storage, window, width)
        return storage if kind.dtype is None else LoadedStorage(storage, kind.dtype)

    def _storage(self, key: str, location: str, count: int, width: int) -> Any:
        if key not in self.made:
            self.asked += count * width
            if count < 0 or self.asked > self.size:
                raise UnpicklingError(
                    f"load: storage {key!r} should have {count * width} bytes, which {self.shown} "
                    "does not have"
                )
            storage = _C.UntypedStorage(count * width, device=self.device_of(location))
            self.made[key] = storage, width, location
        storage = self.made[key][0]
        if count * width > storage.nbytes():
            raise UnpicklingError(f"load: storage {key!r} is named with two sizes")
        return storage

    def _window(self, storage: Any, window: Any, width: int) -> Any:
        if (
            not isinstance(window, tuple)
            or len(window) != 3
            or any(type(number) is not int for number in window[1:])
        ):
            raise UnpicklingError("load: a window of a storage that is none")
        start, count = window[1] * width, window[2] * width
        if start < 0 or count < 0 or start + count > storage.nbytes():
            raise UnpicklingError("load: a window that does not lie in its storage")
        return storage._window(start, start + count)

    def fill(self, keys: Any, read_into: Callable[[memoryview], int]) -> None:
        """Read the elements of all storages, which stand in the file in the order of `keys`."""
        if not isinstance(keys, list) or sorted(self.made) != sorted(map(str, keys)):
            raise UnpicklingError(
                f"load: {self.shown} is damaged: its storages are not those of its tensors"
            )
        for key in keys:
            storage, width, _ = self.made[key]
            header = bytearray(8)
            if read_into(memoryview(header)) < 8:
                raise RuntimeError(f"load: {self.shown} is cut off before storage {key!r}")
            (count,) = struct.unpack("<q", header)
            if count * width != storage.nbytes():
                raise UnpicklingError(
                    f"load: storage {key!r} has {count} elements, its tensors speak of "
                    f"{storage.nbytes() // width}"
                )
            if storage.device.type == "meta":
                raise RuntimeError(
                    f"load: {self.shown} is in PyTorch's format from before 1.6, whose storages "
                    "have to be read: map_location='cpu'"
                )
            view = memoryview(storage).cast("B") if count else memoryview(b"")
            done = read_into(view) if count else 0
            if done < len(view):
                raise RuntimeError(
                    f"load: {self.shown} is cut off: storage {key!r} has {done} of {len(view)} "
                    "bytes"
                )


def check_preamble(parts: list[Any], shown: str) -> None:
    """Refuse what the first three pickles say if it is not this format."""
    magic, version, machine = parts
    if magic != MAGIC or type(magic) is not int:
        raise RuntimeError(f"load: {shown} is a pickle, but not one of PyTorch's")
    if version != _VERSION:
        raise RuntimeError(f"load: {shown} has format version {version}; {_VERSION} is known")
    if isinstance(machine, dict) and machine.get("little_endian") is False:
        raise RuntimeError(f"load: {shown} was written on a big-endian machine")
