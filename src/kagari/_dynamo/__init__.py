"""What programs use of the private front end of PyTorch's compiler: kagari.compiler's marks."""

from importlib import import_module
from typing import Any

from kagari.compiler import (
    allow_in_graph,
    assume_constant_result,
    disable,
    is_compiling,
    list_backends,
    reset,
)

__all__ = [
    "allow_in_graph", "assume_constant_result", "disable", "is_compiling", "list_backends",
    "reset",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "OptimizedModule":
        return import_module("kagari._dynamo.eval_frame").OptimizedModule
    raise AttributeError(f"module 'kagari._dynamo' has no attribute '{name}'")
