"""kagari in PyTorch's place, for programs and libraries that say `import torch`.

    >>> import kagari
    >>> kagari.install_as_torch()
    >>> import torch
    >>> torch is kagari
    True

`kagari run script.py` does the same from outside. The import system's side is in finder.py, what
is said of names that are not there in missing.py, the reader of programs in check.py, the command
line in command.py.
"""

from .check import Use as Use
from .check import check as check
from .finder import TORCH_VERSION as TORCH_VERSION
from .finder import install_as_torch as install_as_torch
from .missing import explain as explain
