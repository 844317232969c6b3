"""The import system's side of the switch: `torch` and everything under it lead to kagari.

A finder at the head of sys.meta_path answers for `torch.*`: each module is kagari's own of the
same name, the very object. It answers importlib.metadata too. What is not there raises, and the
error says what docs/not_supported.md says.
"""

import dis
import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Iterable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, DistributionFinder
from pathlib import Path
from typing import Any

from .missing import explain

TORCH_VERSION = "2.13.0"
_OWN, _THEIRS = "kagari", "torch"
_IMPORT_FROM = dis.opmap["IMPORT_FROM"]


def _torch_name(own: str) -> str:
    return _THEIRS + own[len(_OWN) :]


def _own_name(theirs: str) -> str:
    return _OWN + theirs[len(_THEIRS) :]


def _importing(frame: types.FrameType) -> bool:
    """Is this frame in the middle of `from module import name`?"""
    return frame.f_code.co_code[frame.f_lasti] == _IMPORT_FROM


def _explaining(module: types.ModuleType) -> Callable[[str], Any]:
    """A module's __getattr__ that says of a missing name what is known about it."""
    own = vars(module).get("__getattr__")
    theirs = _torch_name(module.__name__)

    def __getattr__(name: str) -> Any:
        if own is not None:
            try:
                return own(name)
            except AttributeError:
                pass
        if name[:2] == "__":  # what Python itself asks of any module
            raise AttributeError(f"module '{theirs}' has no attribute '{name}'")
        message = explain(f"{theirs}.{name}")
        if _importing(sys._getframe(1)):
            raise ImportError(message, name=theirs)
        raise AttributeError(message, name=name, obj=module)

    return __getattr__


def _put_in_place(module: types.ModuleType) -> None:
    """Lets torch's name of a module of kagari lead to it."""
    theirs = _torch_name(module.__name__)
    if sys.modules.get(theirs) is not module:
        sys.modules[theirs] = module
        module.__getattr__ = _explaining(module)  # type: ignore[method-assign]


class _SameModule(Loader):
    """Loads `torch.x` by loading `kagari.x`."""

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        module = importlib.import_module(_own_name(spec.name))
        self._spec = module.__spec__
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has put torch's there


def _only_asking() -> bool:
    """Has importlib.util.find_spec been called, which wants None where there is nothing?"""
    frame: types.FrameType | None = sys._getframe(2)
    while frame and frame.f_code.co_filename.startswith("<frozen importlib"):
        if frame.f_code is importlib.util.find_spec.__code__:
            return True
        frame = frame.f_back
    return frame is not None and frame.f_code is importlib.util.find_spec.__code__


class _Distribution(Distribution):
    """What importlib.metadata is told of an installed torch."""

    def read_text(self, filename: str) -> str | None:
        texts = {
            "METADATA": f"Metadata-Version: 2.1\nName: torch\nVersion: {TORCH_VERSION}\n",
            "top_level.txt": "torch\n",
            "INSTALLER": "kagari\n",
        }
        return texts.get(filename)

    def locate_file(self, path: Any) -> Any:
        return Path(__file__).parent / path


class _Finder(DistributionFinder):
    """Answers for torch and what is under it, and watches kagari's own modules come."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: types.ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname.startswith(_OWN + "."):
            return self._watched(PathFinder.find_spec(fullname, path))
        if fullname != _THEIRS and not fullname.startswith(_THEIRS + "."):
            return None
        try:
            own = importlib.util.find_spec(_own_name(fullname))
        except ModuleNotFoundError:  # a parent is missing, or is no package
            own = None
        if own is None:
            if _only_asking():
                return None
            raise ModuleNotFoundError(explain(fullname), name=fullname)
        spec = ModuleSpec(fullname, _SameModule(), origin=own.origin)
        spec.submodule_search_locations = own.submodule_search_locations
        return spec

    @staticmethod
    def _watched(spec: ModuleSpec | None) -> ModuleSpec | None:
        """A module of kagari that is known by torch's name as soon as it has been loaded."""
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_name(module: types.ModuleType) -> None:
                load(module)
                _put_in_place(module)

            spec.loader.exec_module = load_and_name  # type: ignore[method-assign]
        return spec

    def find_distributions(
        self, context: DistributionFinder.Context | None = None
    ) -> Iterable[Distribution]:
        wanted = context.name if context else None
        return [_Distribution()] if wanted in (None, _THEIRS) else []


class _Switched:
    """Unpickled in a child process, puts kagari in torch's place there."""

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return install_as_torch, ()


def _tell_children() -> None:
    """Lets processes that multiprocessing spawns begin with the switch, too."""
    from multiprocessing import spawn

    prepare = spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict[str, Any]:
        return {"kagari": _Switched()} | prepare(name)

    spawn.get_preparation_data = get_preparation_data


def install_as_torch() -> None:
    """Puts kagari in PyTorch's place, in this process and those that multiprocessing starts.

    From then on `import torch` and imports of anything under it give kagari's modules, and
    importlib.metadata finds torch 2.13.0, whether or not PyTorch is installed. kagari's own
    `__version__` becomes that too, as there is one module under two names. A second call does
    nothing. Raises RuntimeError where PyTorch has been imported already.

    >>> install_as_torch()
    >>> import torch.nn.functional; torch.nn.functional.relu(torch.tensor(-1.0))
    tensor(0.)
    """
    import kagari

    there = sys.modules.get(_THEIRS)
    if there is kagari:
        return
    if there is not None:
        raise RuntimeError(
            "install_as_torch: PyTorch has been imported already, from "
            f"{getattr(there, '__file__', None)}; call it before anything imports torch"
        )
    from kagari.torch_version import TorchVersion

    sys.meta_path.insert(0, _Finder())
    for name, module in list(sys.modules.items()):
        if name == _OWN or name.startswith(_OWN + "."):
            _put_in_place(module)
    kagari.__version__ = kagari.version.__version__ = TorchVersion(TORCH_VERSION)
    _tell_children()
