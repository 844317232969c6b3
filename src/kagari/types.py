"""Names for annotations: what stands for a number, a device, a file, a storage."""

import os
from typing import IO

from kagari import Size, TypedStorage, UntypedStorage, device, dtype, layout

__all__ = ["Device", "FileLike", "Number", "Storage"]

Number = int | float | bool
Device = device | str | int | None
FileLike = str | os.PathLike[str] | IO[bytes]
Storage = UntypedStorage | TypedStorage

# PyTorch's private names, which annotations use
_bool, _complex, _dtype, _float, _int = bool, complex, dtype, float, int
_device, _layout, _size = device, layout, Size | list[int] | tuple[int, ...]
