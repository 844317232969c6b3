"""OptimizedModule, the class of compiled modules: to ask isinstance, as there are none."""

from typing import Any

from kagari.nn import Module


class OptimizedModule(Module):
    """A compiled module: no module is one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "OptimizedModule: kagari has no compiler yet (docs/not_supported.md)"
        )
