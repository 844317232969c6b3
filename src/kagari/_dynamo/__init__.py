"""What programs use of the private front end of PyTorch's compiler: kagari.compiler's marks."""

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
