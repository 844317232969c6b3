"""torch.nn.modules: each family is a file; what they share is module.py."""

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
    normalization,
    padding,
    pooling,
    shape,
    sparse,
)
from .lazy import LazyModuleMixin
from .linear_cross_entropy_options import LinearCrossEntropyOptions
from .module import Module

_FAMILIES = (
    container, linear, conv, batchnorm, normalization, activation, dropout, pooling, padding,
    shape, sparse, distance, loss, adaptive,
)  # fmt: skip

__all__ = ["LazyModuleMixin", "LinearCrossEntropyOptions", "Module"]
for _family in _FAMILIES:
    for _name, _value in vars(_family).items():
        _own = isinstance(_value, type) and _value.__module__ == _family.__name__
        if _own and issubclass(_value, Module) and not _name.startswith("_"):
            globals()[_name] = _value
            __all__.append(_name)
del _family, _name, _value, _own
