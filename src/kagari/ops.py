"""torch.ops: custom ops by namespace and name, as kagari.library has made them."""

from importlib import import_module
from pathlib import Path
from typing import Any

from kagari.library.registry import CustomOp, namespaces

loaded_libraries: set[str] = set()


class Namespace:
    """The ops of one namespace."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, name: str) -> CustomOp:
        found = namespaces.get(self.name, {}).get(name)
        if found is None:
            raise AttributeError(
                f"torch.ops.{self.name} has no op '{name}': kagari.library can define it"
            )
        return found

    def __dir__(self) -> list[str]:
        return sorted(namespaces.get(self.name, {}))


def load_library(path: str | Path) -> None:
    """Makes the ops of a compiled library known, where kagari has them itself: torchvision's.

    Raises OSError for any other: such libraries need PyTorch's own binary interface.
    """
    place = Path(path)
    if place.parent.name != "torchvision" or not place.name.startswith("_C"):
        raise OSError(f"load_library: {path} is built for PyTorch's binary interface, not kagari's")
    import_module("kagari.vision.ops").define()
    loaded_libraries.add(str(path))


_known: dict[str, Namespace] = {}


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module 'kagari.ops' has no attribute '{name}'")
    return _known.setdefault(name, Namespace(name))
