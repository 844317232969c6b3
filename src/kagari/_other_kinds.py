"""What PyTorch asks of sparse, quantised and nested tensors alone. All tensors here are dense: they
refuse as they do there. The copying forms (`indices_copy`, ...) are functions."""

from collections.abc import Callable
from typing import Any

from ._C import Tensor

_SPARSE = {
    "coalesce": "sparse coordinate",
    "is_coalesced": "sparse coordinate",
    "indices": "sparse coordinate",
    "values": "sparse",
    "crow_indices": "sparse row compressed",
    "col_indices": "sparse row compressed",
    "ccol_indices": "sparse column compressed",
    "row_indices": "sparse column compressed",
}
_QUANTISED = (
    "int_repr", "q_per_channel_axis", "q_per_channel_scales", "q_per_channel_zero_points",
    "q_scale", "q_zero_point",
)  # fmt: skip
_METHODS = (
    "qscheme", "resize_as_sparse_", "sparse_mask", "sparse_resize_", "sparse_resize_and_clear_",
    "to_padded_tensor",
)  # fmt: skip


def _of_layout(name: str, kind: str, public: str) -> Callable[[Tensor], Any]:
    def refuse(input: Tensor) -> Any:
        raise RuntimeError(f"{name} expected {kind} tensor layout but got Strided")

    refuse.__name__ = refuse.__qualname__ = public
    refuse.__doc__ = f"Of a {kind} tensor; a dense one has none: RuntimeError."
    return refuse


def _of_kind(name: str) -> Callable[..., Any]:
    def refuse(input: Tensor, *args: Any, **options: Any) -> Any:
        raise NotImplementedError(
            f"{name}: input: expected a {kind} tensor, got a dense one of {input.dtype}"
        )

    kind = "quantised" if name in _QUANTISED or name == "qscheme" else "sparse"
    kind = "nested" if name == "to_padded_tensor" else kind
    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"Of a {kind} tensor; a dense one has none: NotImplementedError."
    return refuse


def sspaddmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The sparse sum of a sparse matrix and a product with one; a dense one: RuntimeError."""
    raise RuntimeError("sspaddmm: input: expected sparse matrices, got dense ones; use addmm")


def smm(input: Tensor, mat: Tensor) -> Tensor:
    """The sparse product of a sparse matrix and a dense one; a dense first one: RuntimeError."""
    raise RuntimeError("smm: input: expected a sparse matrix, got a dense one; use mm")


def dequantize(input: Tensor) -> Tensor:
    """The numbers in float32, which a quantised tensor stands for; of a dense tensor its own."""
    from . import float32

    return input.to(float32)


def _copying(name: str) -> Callable[[Tensor], Any]:
    return _of_layout(name, _SPARSE[name], f"{name}_copy")


indices_copy, values_copy = _copying("indices"), _copying("values")
crow_indices_copy, col_indices_copy = _copying("crow_indices"), _copying("col_indices")
ccol_indices_copy, row_indices_copy = _copying("ccol_indices"), _copying("row_indices")
int_repr, q_scale, q_zero_point = (
    _of_kind("int_repr"),
    _of_kind("q_scale"),
    _of_kind("q_zero_point"),
)
q_per_channel_axis = _of_kind("q_per_channel_axis")
q_per_channel_scales = _of_kind("q_per_channel_scales")
q_per_channel_zero_points = _of_kind("q_per_channel_zero_points")


def _install() -> None:
    methods: dict[str, Any] = {n: _of_layout(n, kind, n) for n, kind in _SPARSE.items()}
    methods |= {n: _of_kind(n) for n in (*_QUANTISED, *_METHODS)}
    methods |= {"sspaddmm": sspaddmm, "smm": smm, "dequantize": dequantize}
    for name, method in methods.items():
        setattr(Tensor, name, method)


_install()

__all__ = [
    "ccol_indices_copy", "col_indices_copy", "crow_indices_copy", "dequantize", "indices_copy",
    "int_repr", "q_per_channel_axis", "q_per_channel_scales", "q_per_channel_zero_points",
    "q_scale", "q_zero_point", "row_indices_copy", "smm", "sspaddmm", "values_copy",
]  # fmt: skip
