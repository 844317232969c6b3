"""torch.nn: modules, their functional forms, initialisation and parameters."""

from typing import TYPE_CHECKING

from . import attention as attention
from . import functional as functional
from . import init as init
from . import modules as modules
from . import parallel as parallel
from . import utils as utils
from .factory import factory_kwargs as factory_kwargs
from .modules import *  # noqa: F403
from .parallel import DataParallel as DataParallel
from .parameter import Buffer as Buffer
from .parameter import Parameter as Parameter
from .parameter import UninitializedBuffer as UninitializedBuffer
from .parameter import UninitializedParameter as UninitializedParameter

if not TYPE_CHECKING:  # a type checker cannot add up lists
    __all__ = [
        "Buffer",
        "DataParallel",
        "Parameter",
        "UninitializedBuffer",
        "UninitializedParameter",
        "attention",
        "factory_kwargs",
        "functional",
        "init",
        "modules",
        "parallel",
        "utils",
        *modules.__all__,
    ]
