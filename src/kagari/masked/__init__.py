"""torch.masked: reductions and normalisations in which only the elements under a mask take part.

There is no MaskedTensor: the functions take a tensor and its mask.
"""

from typing import Any

from .normalizations import log_softmax, logaddexp, normalize, softmax, softmin
from .reductions import (
    amax,
    amin,
    argmax,
    argmin,
    logsumexp,
    mean,
    median,
    norm,
    prod,
    std,
    sum,
    var,
)
from .scans import cumprod, cumsum


def is_masked_tensor(obj: Any, /) -> bool:
    """Always False: there are no masked tensors, only tensors with masks beside them."""
    return False


__all__ = [
    "amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "is_masked_tensor", "log_softmax",
    "logaddexp", "logsumexp", "mean", "median", "norm", "normalize", "prod", "softmax", "softmin",
    "std", "sum", "var",
]  # fmt: skip
