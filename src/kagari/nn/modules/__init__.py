"""torch.nn.modules: each family is a file; what they share is module.py."""

from typing import TYPE_CHECKING

from . import (
    activation,
    adaptive,
    batchnorm,
    container,
    conv,
    distance,
    dropout,
    linear,
    loss,
    multihead,
    normalization,
    padding,
    pooling,
    rnn,
    rnn_cells,
    shape,
    sparse,
    transformer,
)
from .lazy import LazyModuleMixin as LazyModuleMixin
from .linear_cross_entropy_options import LinearCrossEntropyOptions as LinearCrossEntropyOptions
from .module import Module as Module

_FAMILIES = (
    container, linear, conv, batchnorm, normalization, activation, dropout, pooling, padding,
    shape, sparse, distance, loss, adaptive, rnn, rnn_cells, multihead, transformer,
)  # fmt: skip

if TYPE_CHECKING:  # every public class of the families, as below
    from .activation import *  # noqa: F403
    from .adaptive import *  # noqa: F403
    from .batchnorm import *  # noqa: F403
    from .container import *  # noqa: F403
    from .conv import *  # noqa: F403
    from .distance import *  # noqa: F403
    from .dropout import *  # noqa: F403
    from .linear import *  # noqa: F403
    from .loss import *  # noqa: F403
    from .multihead import *  # noqa: F403
    from .normalization import *  # noqa: F403
    from .padding import *  # noqa: F403
    from .pooling import *  # noqa: F403
    from .rnn import *  # noqa: F403
    from .rnn_cells import *  # noqa: F403
    from .shape import *  # noqa: F403
    from .sparse import *  # noqa: F403
    from .transformer import *  # noqa: F403
else:
    __all__ = ["LazyModuleMixin", "LinearCrossEntropyOptions", "Module"]
    for _family in _FAMILIES:
        for _name, _value in vars(_family).items():
            _own = isinstance(_value, type) and _value.__module__ == _family.__name__
            if _own and issubclass(_value, Module) and not _name.startswith("_"):
                globals()[_name] = _value
                __all__.append(_name)
    del _family, _name, _value, _own
