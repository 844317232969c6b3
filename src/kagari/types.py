"""Names for annotations: what stands for a number, a device, a file, a storage."""

import os
from typing import IO

from kagari import TypedStorage, UntypedStorage, device

__all__ = ["Device", "FileLike", "Number", "Storage"]

Number = int | float | bool
Device = device | str | int | None
FileLike = str | os.PathLike[str] | IO[bytes]
Storage = UntypedStorage | TypedStorage
