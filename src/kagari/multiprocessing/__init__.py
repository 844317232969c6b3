"""torch.multiprocessing: Python's multiprocessing, and `spawn`.

Tensors go through queues and pipes by value: the receiver has a copy (docs/differences.md).
"""

from multiprocessing import *  # noqa: F403
from multiprocessing import __all__ as _all

from .spawning import (
    ProcessContext,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    spawn,
    start_processes,
)

__all__ = [
    *_all, "ProcessContext", "ProcessExitedException", "ProcessRaisedException", "SpawnContext",
    "spawn", "start_processes",
]  # fmt: skip
