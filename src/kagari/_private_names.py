"""What libraries use of torch._C: answers that are true of kagari, loaded when asked for."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

from kagari import _C

_PLACES = {
    "DisableTorchFunctionSubclass": "kagari.overrides",
    "DispatchKey": "kagari.library.dispatch",
    "DispatchKeySet": "kagari.library.dispatch",
}


def _log_api_usage_once(event: str) -> None:
    """What libraries tell of their use: it is not kept."""


def _get_tracing_state() -> None:
    """The trace that is being recorded: none is."""


def _find(name: str) -> Any:
    if name == "_nn":  # where libraries take Module.to's reading of arguments from
        return SimpleNamespace(_parse_to=import_module("kagari.nn.modules.tree").parse_to)
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'kagari._C' has no attribute '{name}'")


def install() -> None:
    """Puts them there."""
    _C._log_api_usage_once = _log_api_usage_once
    _C._get_tracing_state = _get_tracing_state
    _C._TensorMeta = type(_C.Tensor)
    _C.__getattr__ = _find
