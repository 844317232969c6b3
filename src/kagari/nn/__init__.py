"""torch.nn: modules, their functional forms, initialisation and parameters."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import attention as attention
from . import functional as functional
from . import init as init
from . import modules as modules
from . import utils as utils
from .modules import *  # noqa: F403
from .parameter import Buffer as Buffer
from .parameter import Parameter as Parameter
from .parameter import UninitializedBuffer as UninitializedBuffer
from .parameter import UninitializedParameter as UninitializedParameter

if not TYPE_CHECKING:  # a type checker cannot add up lists
    __all__ = [
        "Buffer",
        "Parameter",
        "UninitializedBuffer",
        "UninitializedParameter",
        "attention",
        "functional",
        "init",
        "modules",
        "utils",
        *modules.__all__,
    ]


def __getattr__(name: str) -> Any:
    if name in ("parallel", "DataParallel"):
        parallel = import_module("kagari.nn.parallel")
        return parallel if name == "parallel" else parallel.DataParallel
    raise AttributeError(f"module 'kagari.nn' has no attribute '{name}'")
