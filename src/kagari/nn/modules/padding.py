"""Padding modules: constant, zero, reflection, replication and circular, in 1 to 3 dimensions."""

from typing import Any

from kagari import Tensor

from .. import functional as F
from .conv import tuple_of
from .module import Module


class _Pad(Module):
    """Pads the last n dimensions; `padding` is (left, right, top, bottom, ...)."""

    __constants__ = ["padding"]
    _n: int
    _mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = tuple_of(padding, 2 * self._n)

    def forward(self, input: Tensor) -> Tensor:
        """input is (N, C, ...) or (C, ...)."""
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        """The padding."""
        return f"{self.padding}"


class _ConstantPadNd(_Pad):
    __constants__ = ["padding", "value"]
    _mode = "constant"

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """input is (N, C, ...) or (C, ...)."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """The padding and its value."""
        return f"padding={self.padding}, value={self.value}"


class _ZeroPadNd(_ConstantPadNd):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """The padding."""
        return f"{self.padding}"


class _CircularPadNd(_Pad):
    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        """input is (N, C, ...) or (C, ...)."""
        n = self._n
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")
        return F.pad(input, self.padding, "circular")


class _ReflectionPadNd(_Pad):
    _mode = "reflect"


class _ReplicationPadNd(_Pad):
    _mode = "replicate"


class ConstantPad1d(_ConstantPadNd):
    """Pads the last dimension with one value."""

    _n = 1


class ConstantPad2d(_ConstantPadNd):
    """Pads the last two dimensions with one value."""

    _n = 2


class ConstantPad3d(_ConstantPadNd):
    """Pads the last three dimensions with one value."""

    _n = 3


class ZeroPad1d(_ZeroPadNd):
    """Pads the last dimension with zeros."""

    _n = 1


class ZeroPad2d(_ZeroPadNd):
    """Pads the last two dimensions with zeros."""

    _n = 2


class ZeroPad3d(_ZeroPadNd):
    """Pads the last three dimensions with zeros."""

    _n = 3


class CircularPad1d(_CircularPadNd):
    """Pads the last dimension with its other end."""

    _n = 1


class CircularPad2d(_CircularPadNd):
    """Pads the last two dimensions with their other ends."""

    _n = 2


class CircularPad3d(_CircularPadNd):
    """Pads the last three dimensions with their other ends."""

    _n = 3


class ReflectionPad1d(_ReflectionPadNd):
    """Pads the last dimension with its reflection."""

    _n = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Pads the last two dimensions with their reflections."""

    _n = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Pads the last three dimensions with their reflections."""

    _n = 3


class ReplicationPad1d(_ReplicationPadNd):
    """Pads the last dimension with its border."""

    _n = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Pads the last two dimensions with their borders."""

    _n = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Pads the last three dimensions with their borders."""

    _n = 3
