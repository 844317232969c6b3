"""The Python array API standard, version 2024.12: what tensor.__array_namespace__() gives.

PyTorch's functions keep PyTorch's behaviour under their own names in kagari; here they have the
standard's names, signatures and promotion. Nothing is computed here: each function is a call of
kagari's, adapted where the two disagree.

    >>> xp = kagari.ones(2).__array_namespace__()
    >>> xp.sum(xp.asarray([1, 2], dtype=xp.uint8)).dtype
    torch.uint64
"""

from math import e as e, inf as inf, nan as nan, pi as pi

from kagari._C import (
    bool as bool, complex64 as complex64, complex128 as complex128, float32 as float32,
    float64 as float64, int8 as int8, int16 as int16, int32 as int32, int64 as int64,
    uint8 as uint8, uint16 as uint16, uint32 as uint32, uint64 as uint64,
)  # fmt: skip

from . import fft as fft, linalg as linalg
from ._creation import *  # noqa: F403
from ._dtypes import *  # noqa: F403
from ._elementwise import *  # noqa: F403
from ._info import __array_namespace_info__ as __array_namespace_info__
from ._movement import *  # noqa: F403
from ._reductions import *  # noqa: F403
from .linalg import matmul as matmul, matrix_transpose as matrix_transpose
from .linalg import tensordot as tensordot, vecdot as vecdot

__array_api_version__ = "2024.12"
newaxis = None
