"""What supports the rest: data loading, hook handles. Each subject is a module of its own."""

from . import data, hooks

__all__ = ["data", "hooks"]
