"""kagari: deep learning with PyTorch's API, in Python over a small C++ core.

    >>> import kagari as torch
    >>> torch.ones(2, 3).sum()
    tensor(6.)

What is public here is put together from the parts below. Submodules are loaded when they are first
named, so that `import kagari` stays quick.
"""

import typing as _typing
from importlib import import_module as _import_module

from . import _C, _late
from ._C import *  # noqa: F403
from ._C import Tensor as Tensor
from ._layouts import (
    channels_last as channels_last,
    channels_last_3d as channels_last_3d,
    contiguous_format as contiguous_format,
    jagged as jagged,
    layout as layout,
    legacy_contiguous_format as legacy_contiguous_format,
    memory_format as memory_format,
    preserve_format as preserve_format,
    sparse_bsc as sparse_bsc,
    sparse_bsr as sparse_bsr,
    sparse_coo as sparse_coo,
    sparse_csc as sparse_csc,
    sparse_csr as sparse_csr,
    strided as strided,
)
from ._limits import finfo as finfo, iinfo as iinfo
from ._symbols import *  # noqa: F403
from ._ops import *  # noqa: F403
from ._creation import *  # noqa: F403
from ._views import *  # noqa: F403
from ._einsum import *  # noqa: F403
from ._linalg_names import *  # noqa: F403
from ._movement import *  # noqa: F403
from ._window_writes import *  # noqa: F403
from ._norms import *  # noqa: F403
from ._products import *  # noqa: F403
from . import autograd
from .autograd import (
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
)
from .autograd.anomaly_mode import (
    is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled,
    is_anomaly_enabled as is_anomaly_enabled,
    set_anomaly_enabled as set_anomaly_enabled,
)
from ._C import (
    is_grad_enabled as is_grad_enabled,
    is_inference_mode_enabled as is_inference_mode_enabled,
)
from ._constants import *  # noqa: F403
from ._storage import TypedStorage as TypedStorage
from ._exchange import (
    asarray as asarray,
    from_dlpack as from_dlpack,
    from_file as from_file,
    to_dlpack as to_dlpack,
)
from ._printing import (
    get_printoptions as get_printoptions,
    printoptions as printoptions,
    set_printoptions as set_printoptions,
)
from . import _tensor
from ._queries import *  # noqa: F403
from ._switches import *  # noqa: F403
from ._statistics import *  # noqa: F403
from ._elementary import *  # noqa: F403
from ._native_norms import *  # noqa: F403
from ._older_names import *  # noqa: F403
from ._other_kinds import *  # noqa: F403
from ._control_flow import *  # noqa: F403
from . import _private_names, cpu, random
from .random import *  # noqa: F403

_private_names.install()

__version__ = "0.1.0"

_LAZY = (
    "_dynamo", "accelerator", "amp", "ao", "array_api", "backends", "compiler", "cuda", "define",
    "distributed", "distributions", "fft", "func", "functional", "fx", "hub", "jit", "library",
    "linalg", "masked", "multiprocessing", "nn", "onnx", "ops", "optim", "overrides", "profiler",
    "safetensors", "serialization", "show", "signal", "special", "storage", "switch", "testing",
    "torch_version", "types", "utils", "version", "vision",
)  # fmt: skip
_FROM_LAZY = {
    "DisableTorchFunctionSubclass": "overrides",
    "GradScaler": "amp",
    "PyTorchFileReader": "serialization.file_reader",
    "ScriptFunction": "jit",
    "ScriptModule": "jit",
    "__array_namespace_info__": "array_api",
    "install_as_torch": "switch",
    "compile": "compiler",
    "load": "serialization",
    "save": "serialization",
    "vmap": "func",
    "autocast": "amp.autocast_mode",
    "clear_autocast_cache": "amp.autocast_mode",
    "get_autocast_cpu_dtype": "amp.autocast_mode",
    "get_autocast_dtype": "amp.autocast_mode",
    "get_autocast_gpu_dtype": "amp.autocast_mode",
    "is_autocast_cache_enabled": "amp.autocast_mode",
    "is_autocast_cpu_enabled": "amp.autocast_mode",
    "is_autocast_enabled": "amp.autocast_mode",
    "set_autocast_cache_enabled": "amp.autocast_mode",
    "set_autocast_cpu_dtype": "amp.autocast_mode",
    "set_autocast_dtype": "amp.autocast_mode",
}


if _typing.TYPE_CHECKING:  # by name, so that a type checker knows what is not there
    from . import (
        _dynamo, accelerator, amp, ao, array_api, backends, compiler, cuda, define, distributed,
        distributions, fft, func, functional, fx, hub, jit, library, linalg, masked,
        multiprocessing, nn, onnx, ops, optim, overrides, profiler, safetensors, serialization,
        show, signal, special, storage, switch, testing, torch_version, types, utils, version,
        vision,
    )  # fmt: skip
    from .jit.script_module import ScriptFunction as ScriptFunction
    from .jit.script_module import ScriptModule as ScriptModule
    from .serialization.file_reader import PyTorchFileReader as PyTorchFileReader
    from .functional.copies import *  # noqa: F403
    from .functional.covariance import *  # noqa: F403
    from .functional.differences import *  # noqa: F403
    from .functional.distances import *  # noqa: F403
    from .functional.histograms import *  # noqa: F403
    from .functional.integrals import *  # noqa: F403
    from .functional.layers import *  # noqa: F403
    from .functional.limits import *  # noqa: F403
    from .functional.lobpcg import *  # noqa: F403
    from .functional.low_rank import *  # noqa: F403
    from .functional.membership import *  # noqa: F403
    from .functional.norms import *  # noqa: F403
    from .functional.quantization import *  # noqa: F403
    from .functional.recurrent import *  # noqa: F403
    from .functional.segments import *  # noqa: F403
    from .functional.spectrum import *  # noqa: F403
    from .functional.windows import *  # noqa: F403
    from .array_api import __array_namespace_info__ as __array_namespace_info__
    from .amp import GradScaler as GradScaler
    from .amp.autocast_mode import (
        autocast as autocast,
        clear_autocast_cache as clear_autocast_cache,
        get_autocast_cpu_dtype as get_autocast_cpu_dtype,
        get_autocast_dtype as get_autocast_dtype,
        get_autocast_gpu_dtype as get_autocast_gpu_dtype,
        is_autocast_cache_enabled as is_autocast_cache_enabled,
        is_autocast_cpu_enabled as is_autocast_cpu_enabled,
        is_autocast_enabled as is_autocast_enabled,
        set_autocast_cache_enabled as set_autocast_cache_enabled,
        set_autocast_cpu_dtype as set_autocast_cpu_dtype,
        set_autocast_dtype as set_autocast_dtype,
    )
    from .compiler import compile as compile
    from .func import vmap as vmap
    from .overrides import DisableTorchFunctionSubclass as DisableTorchFunctionSubclass
    from .serialization import load as load, save as save
    from .switch import install_as_torch as install_as_torch
else:

    def __getattr__(name: str) -> _typing.Any:
        if name in _LAZY:
            return _import_module(f".{name}", __name__)
        if name in _FROM_LAZY:
            return getattr(_import_module(f".{_FROM_LAZY[name]}", __name__), name)
        if name.startswith(("_check", "_assert", "_shape_as")):
            return getattr(_import_module("._checks", __name__), name)
        if name in _late.FUNCTIONS:
            globals()[name] = _late.find(name)
            return globals()[name]
        raise AttributeError(f"module 'kagari' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_FROM_LAZY, *_late.FUNCTIONS})
