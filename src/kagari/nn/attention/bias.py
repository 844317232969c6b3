"""Causal masks for queries and keys of different lengths that hold no numbers: attention reads from
them where its rows end."""

from enum import IntEnum
from typing import Any

import kagari
from kagari import Tensor
from kagari.overrides import DisableTorchFunctionSubclass

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(IntEnum):
    """Where the triangle of a causal mask begins: its first query sees the first key, or its last
    query sees the last key."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(Tensor):
    """A causal mask (queries, keys) as `attn_mask` of scaled_dot_product_attention. Other ops see
    it as a tensor of bool.

    AssertionError for what is no CausalVariant.
    """

    variant: CausalVariant
    seq_len_q: int
    seq_len_kv: int

    def __new__(cls, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> "CausalBias":
        if not isinstance(variant, CausalVariant):
            raise AssertionError(f"variant must be a CausalVariant, got {type(variant).__name__}")
        made = kagari.zeros(1, dtype=kagari.bool).expand(seq_len_q, seq_len_kv).as_subclass(cls)
        made.variant, made.seq_len_q, made.seq_len_kv = variant, seq_len_q, seq_len_kv
        return made

    def __init__(self, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> None:
        pass

    @property
    def first_row_ends_at(self) -> int:
        """The last key that the first query sees; negative where it sees none."""
        lower = self.variant is CausalVariant.LOWER_RIGHT
        return self.seq_len_kv - self.seq_len_q if lower else 0

    def _materialize(self, device: Any = None) -> Tensor:
        whole = kagari.ones(self.seq_len_q, self.seq_len_kv, dtype=kagari.bool, device=device)
        return whole.tril(self.first_row_ends_at)

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Other ops take the mask itself."""
        with DisableTorchFunctionSubclass():
            return func(*_plain(args), **_plain(kwargs or {}))

    def __repr__(self, *args: Any, **kwargs: Any) -> str:  # type: ignore[override]
        return repr(self._materialize())


def _plain(value: Any) -> Any:
    if isinstance(value, CausalBias):
        return value._materialize()
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(part) for part in value)
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return value


def causal_upper_left(*size: int) -> CausalBias:
    """The mask (queries, keys) in which query i sees keys 0 to i.

    >>> causal_upper_left(2, 3)
    tensor([[ True, False, False],
            [ True,  True, False]])
    """
    return _of_size("causal_upper_left", CausalVariant.UPPER_LEFT, size)


def causal_lower_right(*size: int) -> CausalBias:
    """The mask (queries, keys) in which the last query sees all keys, and each before one less.

    >>> causal_lower_right(2, 3)
    tensor([[ True,  True, False],
            [ True,  True,  True]])
    """
    return _of_size("causal_lower_right", CausalVariant.LOWER_RIGHT, size)


def _of_size(name: str, variant: CausalVariant, size: tuple[int, ...]) -> CausalBias:
    if len(size) != 2:
        raise AssertionError(f"{name} only supports 2D tensors, got {len(size)} sizes")
    return CausalBias(variant, *size)
