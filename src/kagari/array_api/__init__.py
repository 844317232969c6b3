"""The Python array API standard, version 2024.12: what tensor.__array_namespace__() gives.

PyTorch's functions keep PyTorch's behaviour under their own names in kagari; here they have the
standard's names, signatures and promotion. Nothing is computed here: each function is a call of
kagari's, adapted where the two disagree.

    >>> xp = kagari.ones(2).__array_namespace__()
    >>> xp.sum(xp.asarray([1, 2], dtype=xp.uint8)).dtype
    torch.uint64
"""

from math import e, inf, nan, pi

from kagari import (
    bool,
    complex64,
    complex128,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)

from . import fft, linalg
from ._creation import *  # noqa: F403
from ._dtypes import astype, can_cast, finfo, iinfo, isdtype, result_type
from ._elementwise import *  # noqa: F403
from ._info import __array_namespace_info__
from ._movement import *  # noqa: F403
from ._reductions import *  # noqa: F403
from .linalg import matmul, matrix_transpose, tensordot, vecdot

__array_api_version__ = "2024.12"
newaxis = None
