"""Small parameters of one shape as one tensor, so that ops run once for all of them."""

from typing import Any

import kagari
from kagari import Tensor

_SMALL = 1 << 14  # elements; beyond, the copies cost more than the calls


def kind_of(param: Tensor) -> Any:
    """Equal for parameters that may be put together."""
    if param.numel() > _SMALL:
        return id(param)
    return tuple(param.shape), param.dtype, param.device


class Together:
    """`tensor` has a dimension in front for the tensors it was made of; it is a view of a single
    one, and a copy of several, which has to be written back."""

    def __init__(self, tensors: list[Tensor]) -> None:
        self.single = len(tensors) == 1
        self.parts = tensors
        self.tensor = tensors[0].unsqueeze(0) if self.single else kagari.stack(tensors)

    def write_back(self) -> None:
        if not self.single:
            for part, value in zip(self.parts, self.tensor.unbind(0), strict=True):
                part.copy_(value)
