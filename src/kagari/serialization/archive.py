"""The zip archive around a checkpoint: PyTorch's layout, written atomically, read with suspicion.

Entries are stored, never compressed, and lie one after the other, so a file can neither unpack to
more than its own size nor be read past its end. What is in the entries is left to the others."""

import os
import secrets
import stat
import struct
import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO

from kagari import _C

from .options import get_crc32_options

ALIGNMENT = 64
_LOCAL_HEADER = 30  # bytes before the name of an entry
_PADDING_ID = 0x4246  # the id PyTorch gives the extra field that aligns an entry


class Zeros:
    """As many bytes of zero, of which a file need not have any on the disk."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def write(self, file: Any) -> None:
        """Leave a hole in the file, where it can have one."""
        if self.count and file.seekable():
            file.seek(self.count - 1, os.SEEK_CUR)
            file.write(b"\0")
        else:
            file.write(bytes(self.count))


class Writer:
    """Writes entries under one folder of the archive."""

    def __init__(self, file: Any, folder: str) -> None:
        self.zip: Any = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True)
        self.folder = folder

    def add(self, name: str, data: Any) -> None:
        """Write an entry; its bytes begin at a multiple of 64 in the file."""
        view = data if isinstance(data, Zeros) else memoryview(data).cast("B")
        info = zipfile.ZipInfo(f"{self.folder}/{name}")
        info.file_size = len(view)
        large = len(view) >= zipfile.ZIP64_LIMIT // 2
        start = self.zip.fp.tell() + _LOCAL_HEADER + len(info.filename.encode())
        start += 4 + (20 if large else 0)
        gap = -start % ALIGNMENT
        info.extra = struct.pack("<HH", _PADDING_ID, gap) + b"Z" * gap
        # written past zipfile, whose checksum takes longer than the file does
        info.compress_size = info.file_size
        checked = get_crc32_options() and not isinstance(view, Zeros)
        info.CRC = _C._crc32(view) if checked else 0
        info.header_offset = self.zip.fp.tell()
        self.zip.fp.write(info.FileHeader(zip64=large))
        if isinstance(view, Zeros):
            view.write(self.zip.fp)
        else:
            self.zip.fp.write(view)
        self.zip.filelist.append(info)
        self.zip.NameToInfo[info.filename] = info
        self.zip.start_dir = self.zip.fp.tell()
        self.zip._didModify = True

    def close(self) -> None:
        """Write the table of contents."""
        self.zip.close()


def write_atomically(path: str, write: Callable[[BinaryIO], None]) -> None:
    """Call `write` on a new file that takes the place of `path` once it is safely on disk.

    A crash leaves the old file as it was. Devices and pipes are written to directly."""
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as file:
            write(file)
        return
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if os.path.exists(path):
                os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder or ".", os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # not every file system can
    finally:
        os.close(descriptor)


def is_pickle(file: BinaryIO) -> bool:
    """Whether a file begins as a pickle: PyTorch's format from before 1.6 does."""
    first = file.read(1)
    file.seek(0)
    return first == b"\x80"


class Reader:
    """Reads entries; every size is checked against the file before memory is asked for."""

    def __init__(self, file: BinaryIO, shown: str) -> None:
        self.file, self.shown = file, shown
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        magic = file.read(4)
        file.seek(0)
        if magic != b"PK\x03\x04":
            raise RuntimeError(self._unreadable(magic))
        try:
            self.zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError) as e:
            raise RuntimeError(f"load: {shown} is damaged or cut off: {e}") from e
        self.entries = self._checked_entries()

    def _unreadable(self, magic: bytes) -> str:
        if self.size == 0:
            return f"load: {self.shown} is empty"
        return f"load: {self.shown} is not a checkpoint: it does not begin as a zip archive"

    def _checked_entries(self) -> dict[str, zipfile.ZipInfo]:
        """The entries by name within their folder."""
        infos = sorted(self.zip.infolist(), key=lambda info: info.header_offset)
        if not infos:
            raise RuntimeError(f"load: {self.shown} is an empty archive")
        folder = infos[0].filename.split("/", 1)[0]
        entries: dict[str, zipfile.ZipInfo] = {}
        end = 0
        for info in infos:
            name = info.filename.removeprefix(folder + "/")
            problem = None
            if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
                problem = "is compressed, which no checkpoint is"
            elif info.flag_bits & 0x1:
                problem = "is encrypted"
            elif info.header_offset < end:
                problem = "overlaps another entry"
            elif info.header_offset + _LOCAL_HEADER + info.file_size > self.size:
                problem = "reaches past the end of the file"
            elif name in entries:
                problem = "is there twice"
            if problem:
                raise RuntimeError(
                    f"load: {self.shown} is damaged or hostile: entry {info.filename!r} {problem}"
                )
            end = info.header_offset + _LOCAL_HEADER + info.file_size
            entries[name] = info
        return entries

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def size_of(self, name: str) -> int:
        """Bytes in an entry."""
        if name not in self.entries:
            raise RuntimeError(f"load: {self.shown} has no entry {name!r}")
        return self.entries[name].file_size

    def read(self, name: str) -> bytes:
        """The bytes of an entry."""
        data = bytearray(self.size_of(name))
        self.read_into(name, memoryview(data))
        return bytes(data)

    def read_into(self, name: str, target: memoryview) -> None:
        """Fill `target` from an entry of the same size; its checksum is verified."""
        self.file.seek(self.offset_of(name))
        done = 0
        while done < len(target):
            count = self.file.readinto(target[done:])  # type: ignore[attr-defined]
            if not count:
                raise RuntimeError(
                    f"load: {self.shown} is cut off: entry {name!r} has {done} of {len(target)} "
                    "bytes"
                )
            done += count
        said = self.entries[name].CRC
        if said and _C._crc32(target) != said:  # 0: whoever wrote the file left it out
            raise RuntimeError(
                f"load: {self.shown} is damaged: entry {name!r} has another checksum than it says"
            )

    def offset_of(self, name: str) -> int:
        """Where in the file the bytes of an entry begin."""
        info = self.entries[name]
        self.file.seek(info.header_offset)
        header = self.file.read(_LOCAL_HEADER)
        name_length, extra_length = struct.unpack("<HH", header[26:30])
        start = info.header_offset + _LOCAL_HEADER + name_length + extra_length
        if header[:4] != b"PK\x03\x04" or start + info.file_size > self.size:
            raise RuntimeError(f"load: {self.shown} is damaged: entry {name!r} has no header")
        return start
