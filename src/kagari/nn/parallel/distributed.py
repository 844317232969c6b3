"""DistributedDataParallel, to name: it needs a group of processes, and there is none."""

from typing import Any

from ..modules.module import Module


class DistributedDataParallel(Module):
    """Would keep a module equal in several processes: refuses, as without init_process_group."""

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        raise ValueError(
            "DistributedDataParallel: default process group has not been initialized; kagari "
            "trains in one process (docs/not_supported.md)"
        )
