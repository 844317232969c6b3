"""Compiled kernels on disk, by content: atomic, verified when read, safe between processes.

An entry is a header, a checksum and the object code. One that is truncated, changed or foreign is
dropped and counts as missing. What the keys are made of is left to runtime.py.
"""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

MAGIC = b"kagari kernel 1\n"


def folder() -> Path:
    """KAGARI_CACHE, or `kagari/kernels` in the user's cache folder."""
    chosen = os.environ.get("KAGARI_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kagari" / "kernels"


def key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _seal(name: str, code: bytes) -> bytes:
    """The checksum covers the key: an entry under another's name is foreign."""
    return hashlib.sha256(MAGIC + name.encode() + b"\0" + code).digest()


def read(name: str) -> bytes | None:
    """The code stored under this key, if it is whole."""
    path = folder() / name
    try:
        data = path.read_bytes()
    except OSError:
        return None
    seal, code = data[len(MAGIC) : len(MAGIC) + 32], data[len(MAGIC) + 32 :]
    if data.startswith(MAGIC) and code and seal == _seal(name, code):
        return code
    with contextlib.suppress(OSError):
        path.unlink()
    return None


def write(name: str, code: bytes) -> None:
    """Store, or do nothing where the folder cannot be written: the cache is never needed."""
    with contextlib.suppress(OSError):
        place = folder()
        place.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=place, prefix=".partial-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(MAGIC + _seal(name, code) + code)
            os.replace(partial, place / name)
        except OSError:
            os.unlink(partial)
