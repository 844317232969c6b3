"""kagari: deep learning with PyTorch's API, in Python over a small C++ core.

    >>> import kagari as torch
    >>> torch.ones(2, 3).sum()
    tensor(6.)

What is public here is put together from the parts below. Submodules are loaded when they are first
named, so that `import kagari` stays quick.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

from . import _C, _late
from ._C import *  # noqa: F403
from ._C import Tensor as Tensor
from ._layouts import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    layout,
    memory_format,
    preserve_format,
    strided,
)
from ._limits import finfo, iinfo
from ._ops import *  # noqa: F403
from ._creation import *  # noqa: F403
from ._views import *  # noqa: F403
from ._einsum import *  # noqa: F403
from ._linalg_names import *  # noqa: F403
from ._movement import *  # noqa: F403
from ._window_writes import *  # noqa: F403
from ._convolutions import *  # noqa: F403
from ._norms import *  # noqa: F403
from ._products import *  # noqa: F403
from . import autograd
from .autograd import enable_grad, inference_mode, no_grad, set_grad_enabled
from ._C import is_grad_enabled, is_inference_mode_enabled
from ._constants import *  # noqa: F403
from ._storage import TypedStorage
from ._exchange import asarray, from_dlpack, to_dlpack
from ._printing import get_printoptions, printoptions, set_printoptions
from . import _tensor
from ._queries import *  # noqa: F403
from ._switches import *  # noqa: F403
from ._statistics import *  # noqa: F403
from ._native_norms import *  # noqa: F403
from . import cpu, random
from .random import *  # noqa: F403

__version__ = "0.1.0"

_LAZY = (
    "array_api", "backends", "cuda", "define", "distributions", "fft", "func", "functional",
    "library", "linalg", "masked", "nn", "optim", "overrides", "serialization", "show", "signal",
    "special", "testing", "utils", "version",
)  # fmt: skip
_FROM_LAZY = {
    "__array_namespace_info__": "array_api",
    "load": "serialization",
    "save": "serialization",
    "vmap": "func",
}


def __getattr__(name: str) -> _Any:
    if name in _LAZY:
        return _import_module(f".{name}", __name__)
    if name in _FROM_LAZY:
        return getattr(_import_module(f".{_FROM_LAZY[name]}", __name__), name)
    if name in _late.FUNCTIONS:
        globals()[name] = _late.find(name)
        return globals()[name]
    raise AttributeError(f"module 'kagari' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_FROM_LAZY, *_late.FUNCTIONS})
