"""PyTorchFileReader: the records of a checkpoint by name, read one by one."""

import os
import zipfile
from typing import Any

import kagari
from kagari import Tensor, UntypedStorage


class PyTorchFileReader:
    """The zip archive that `save` writes: a folder with `data.pkl`, `version` and `data/0`...

    Args:
        source: a path, or a binary file that can be sought in.

    Raises:
        RuntimeError: if it is no such archive, or has no record of a name.
    """

    def __init__(self, source: Any) -> None:
        try:
            self._zip = zipfile.ZipFile(os.fspath(source) if isinstance(source, os.PathLike)
                                        else source)  # fmt: skip
        except zipfile.BadZipFile as error:
            raise RuntimeError(f"PyTorchFileReader: {source} is no zip archive: {error}") from None
        names = self._zip.namelist()
        self._folder = names[0].split("/", 1)[0] + "/" if names else ""

    def get_all_records(self) -> list[str]:
        """Their names."""
        return [name.removeprefix(self._folder) for name in self._zip.namelist()]

    def has_record(self, name: str) -> bool:
        """Is there one of that name?"""
        return self._folder + name in self._zip.namelist()

    def get_record(self, name: str) -> bytes:
        """What is in one."""
        if not self.has_record(name):
            raise RuntimeError(f"PyTorchFileReader: there is no record {name!r}")
        return self._zip.read(self._folder + name)

    def get_record_size(self, name: str) -> int:
        """How many bytes it has."""
        return len(self.get_record(name))

    def get_storage_from_record(self, name: str, numel: int, dtype: Any) -> Tensor:
        """A tensor of one dimension on a storage with a record's bytes."""
        storage = UntypedStorage._from_bytes(self.get_record(name))
        return kagari.empty(0, dtype=dtype).set_(storage)

    def version(self) -> int:
        """The format's version."""
        return int(self.get_record("version"))
