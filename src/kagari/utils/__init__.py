"""What supports the rest: data, hook handles, checkpointing. Each subject is a module."""

from . import data, hooks

__all__ = ["data", "hooks"]


def __getattr__(name: str) -> object:
    if name == "checkpoint":  # loaded when it is first named
        from importlib import import_module

        return import_module(f"{__name__}.checkpoint")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
