"""Finds the shared libraries kagari opens at run time. When to open them is left to the core."""

import importlib.metadata
from pathlib import Path

_PACKAGES = {
    "onednn": ("onednn-cpu-gomp", "libdnnl.so"),
    "openblas": ("scipy-openblas32", "libscipy_openblas"),
}


def find(name: str) -> str:
    """The file of library `name` ("onednn", "openblas"), or "" where its package is not installed.

    The oneDNN wheel puts its library outside the package, in `sys.prefix/lib`, so the list of
    installed files is asked rather than a folder searched.
    """
    package, stem = _PACKAGES[name]
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        return ""
    found = [Path(str(file.locate())) for file in files if file.name.startswith(stem)]
    present = sorted({file.resolve() for file in found if file.exists()}, key=str)
    return str(present[0]) if present else ""
