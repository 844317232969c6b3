"""Graph, GraphModule and Tracer: to name and to derive from, as there is no tracer yet."""

from typing import Any

from kagari.nn import Module

from .node import Absent, refuse

_USER_PRESERVED_ATTRIBUTES_KEY = "_user_preserved_attributes"


class Graph(Absent):
    """Operations in the order in which they run."""


class Tracer(Absent):
    """Would record what a module does."""


class GraphModule(Module):
    """A module that runs a graph: no module is one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        refuse(type(self))


class _CodeOnlyModule(Module):
    """A module made of generated code: no module is one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        refuse(type(self))


def _copy_attr(from_module: Module, to_module: Module, target: str) -> None:
    """Sets `target`, a dotted name, in one module to what it is in another."""
    *path, name = target.split(".")
    for part in path:
        inside = getattr(to_module, part, None)
        if inside is None:
            inside = Module()
            setattr(to_module, part, inside)
        from_module, to_module = getattr(from_module, part), inside
    value = getattr(from_module, name)
    if name in from_module._buffers:
        to_module.register_buffer(name, value)
    else:
        setattr(to_module, name, value)
