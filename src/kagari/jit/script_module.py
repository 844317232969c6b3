"""ScriptModule and ScriptFunction, the classes of compiled programs: to name, as there are none."""

from typing import Any

from kagari.nn import Module

_WHY = "kagari has no TorchScript compiler (docs/not_supported.md); jit.script gives Python back"


class ScriptModule(Module):
    """A compiled module: no module is one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"ScriptModule: {_WHY}")


class RecursiveScriptModule(ScriptModule):
    """A compiled module made of a module: no module is one."""


class ScriptFunction:
    """A compiled function: no function is one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f"ScriptFunction: {_WHY}")
