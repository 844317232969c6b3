"""What libraries tell an ONNX exporter when they are imported. There is no exporter yet.

`export` is not here (docs/not_supported.md); what has been registered is kept for it.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["is_in_onnx_export", "register_custom_op_symbolic", "unregister_custom_op_symbolic"]

# (name of an op, version of ONNX's ops) -> function that writes it
symbolics: dict[tuple[str, int], Callable[..., Any]] = {}


def is_in_onnx_export() -> bool:
    """Is a model being exported? Never.

    >>> is_in_onnx_export()
    False
    """
    return False


def register_custom_op_symbolic(
    symbolic_name: str, symbolic_fn: Callable[..., Any], opset_version: int
) -> None:
    """Says how an op "namespace::name" is written in ONNX from a version on."""
    if "::" not in symbolic_name:
        raise ValueError(
            "register_custom_op_symbolic: symbolic_name: expected 'namespace::name', got "
            f"{symbolic_name!r}"
        )
    symbolics[symbolic_name, opset_version] = symbolic_fn


def unregister_custom_op_symbolic(symbolic_name: str, opset_version: int) -> None:
    """Takes that back."""
    symbolics.pop((symbolic_name, opset_version), None)
