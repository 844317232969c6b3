"""kagari: deep learning with PyTorch's API, in Python over a small C++ core.

    >>> import kagari as torch
    >>> torch.ones(2, 3).sum()
    tensor(6.)

What is public here is put together from the parts below; nothing heavy is imported.
"""

from . import _C
from ._C import *  # noqa: F403
from ._ops import *  # noqa: F403
from ._C import Tensor as Tensor

__version__ = "0.1.0"
