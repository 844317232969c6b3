"""Attention: softmax(query key^T) value, and the layer of several heads made of it."""

import math
from typing import Any

import kagari
from kagari import Tensor
from kagari import _ops as ops

from ..attention.backends import check_available
from .blockwise import blockwise

__all__ = ["scaled_dot_product_attention"]

_INF = float("inf")
_SCORES = 1 << 21  # how many scores are held at a time, where there are more rows than _ROWS
_ROWS = 64


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
    dropout_p: float = 0.0, is_causal: bool = False, *, scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """softmax(scale query key^T + mask) value, in memory proportional to the lengths.

    Args:
        query: (*, heads, L, E).
        key: (*, heads, S, E).
        value: (*, heads, S, Ev); the result is (*, heads, L, Ev).
        attn_mask: broadcast to (*, heads, L, S): bool, True for what takes part, or numbers to add,
            or a mask of `nn.attention.bias`. Rows in which nothing takes part give zeros.
        dropout_p: the probability with which weights are dropped; always applied.
        is_causal: element i of the query sees elements 0 to i of the key; not with a mask.
        scale: 1 / sqrt(E) where it is None.
        enable_gqa: several heads of the query share one of key and value.

    RuntimeError for dtypes that differ, for tensors of less than two dimensions, for a mask that is
    neither bool nor float nor of the query's dtype, and for a mask with `is_causal`.

    >>> q = kagari.zeros(1, 2, 4)
    >>> kagari.nn.functional.scaled_dot_product_attention(q, q, kagari.ones(1, 2, 3)).shape
    torch.Size([1, 2, 3])
    """
    check_available()
    start: int | None = 0 if is_causal else None  # the last key that the first row sees
    if attn_mask is not None and type(attn_mask) is not Tensor:
        start, attn_mask = _causal_start(query, key, attn_mask, is_causal)
    _check(query, key, value, attn_mask, dropout_p, is_causal)
    if enable_gqa:
        key, value = _shared_heads(query, key), _shared_heads(query, value)
    lead = kagari.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    if attn_mask is not None:
        attn_mask = attn_mask if attn_mask.dim() > 1 else attn_mask.unsqueeze(0)
        lead = kagari.broadcast_shapes(lead, attn_mask.shape[:-2])
    query, key, value = (_with_lead(t, lead) for t in (query, key, value))
    factor = 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale
    length = query.shape[-2]
    rows = max(_ROWS, _SCORES // max(1, math.prod(lead) * key.shape[-2]))

    def place(i: int) -> tuple[slice, slice, int | None]:
        """The rows of a block, the keys that any of them sees, the last that the first sees."""
        first, last = i * rows, min((i + 1) * rows, length)
        seen = None if start is None else start + first
        causal = seen is not None and seen >= 0
        keys = min(start + last, key.shape[-2]) if causal else key.shape[-2]  # type: ignore[operator]
        return slice(first, last), slice(0, keys), seen

    def block(i: int, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        span, keys, seen = place(i)
        if mask is not None and mask.shape[-2] > 1:
            mask = mask[..., span, :]
        return _attend(q[..., span, :], k[..., keys, :], v[..., keys, :], mask, seen, factor)

    def add_gradients(i: int, grad: Tensor, tensors: Any, totals: Any) -> None:
        span, keys, seen = place(i)
        q, k, v = tensors[0][..., span, :], tensors[1][..., keys, :], tensors[2][..., keys, :]
        weights = _weights(q, k, None, seen, factor)
        if totals[2] is not None:
            totals[2][..., keys, :].add_(weights.mT @ grad)
        if totals[0] is None and totals[1] is None:
            return
        scores = ops._softmax_backward_data(grad @ v.mT, weights, -1) * factor
        if totals[0] is not None:
            totals[0][..., span, :] = scores @ k
        if totals[1] is not None:
            totals[1][..., keys, :].add_(scores.mT @ q)

    if dropout_p > 0.0:  # what is dropped is drawn once for all
        return _attend(query, key, value, attn_mask, start, factor, dropout_p)
    if rows >= length:
        return block(0, query, key, value, attn_mask)
    if not (kagari.is_grad_enabled() and (query.requires_grad or key.requires_grad)):
        key = key.mT.contiguous().mT  # all blocks multiply by it from the side where it is quick
    return blockwise(
        block, -(-length // rows), lambda parts: kagari.cat(list(parts), dim=-2),
        lambda grad, i: grad[..., i * rows : (i + 1) * rows, :], (query, key, value, attn_mask),
        add_gradients if attn_mask is None and query.element_size() >= 4 else None,
    )  # fmt: skip


def _causal_start(
    query: Tensor, key: Tensor, mask: Tensor, is_causal: bool
) -> tuple[int | None, Tensor | None]:
    """Where a mask of `nn.attention.bias` starts, and no mask; or another mask as it is."""
    from ..attention.bias import CausalBias

    if not isinstance(mask, CausalBias):
        return (0 if is_causal else None), mask
    if is_causal:
        raise ValueError("CausalBias should not be used with causal=True")
    lengths = (query.shape[-2], key.shape[-2])
    if (mask.seq_len_q, mask.seq_len_kv) != lengths:
        raise RuntimeError(
            f"scaled_dot_product_attention: the causal mask is for {mask.seq_len_q} queries and "
            f"{mask.seq_len_kv} keys, there are {lengths[0]} and {lengths[1]}"
        )
    return mask.first_row_ends_at, None


def _attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, first: int | None,
    scale: float, dropout_p: float = 0.0,
) -> Tensor:  # fmt: skip
    """Attention of rows of the query; `first` is the last key that the first row sees where it is
    causal."""
    half, dtype = query.element_size() < 4, query.dtype
    if half:
        query, key, value = query.float(), key.float(), value.float()
    weights = _weights(query, key, mask, first, scale)
    if dropout_p > 0.0:
        weights = ops.dropout(weights, dropout_p, True)
    made = weights @ value
    return made.to(dtype) if half else made


def _weights(
    query: Tensor, key: Tensor, mask: Tensor | None, first: int | None, scale: float
) -> Tensor:
    scores = (query * scale) @ key.mT
    if first is not None:
        rows, columns = scores.shape[-2:]
        seen = kagari.ones(rows, columns, dtype=kagari.bool).tril(first)
        scores = scores.masked_fill(~seen, -_INF)
    elif mask is not None:
        if mask.dtype == kagari.bool:
            scores = scores.masked_fill(~mask, -_INF)
        else:
            scores = scores + mask.to(scores.dtype)
    if (mask is None and (first is None or first >= 0)) or scores.shape[-1] == 0:
        return ops.softmax(scores, -1)
    dead = scores.detach().amax(-1, keepdim=True) == -_INF
    return ops.softmax(scores.masked_fill(dead, 0.0), -1).masked_fill(dead, 0.0)


def _with_lead(t: Tensor, lead: tuple[int, ...]) -> Tensor:
    return t if t.shape[:-2] == lead else t.expand(*lead, *t.shape[-2:])


def _shared_heads(query: Tensor, shared: Tensor) -> Tensor:
    """Each head of key or value as often as there are heads of the query for it."""
    if query.dim() < 3 or shared.dim() < 3:
        raise RuntimeError(
            "scaled_dot_product_attention: with enable_gqa=True query, key and value need a "
            f"dimension of heads, got {query.dim()} and {shared.dim()} dimensions"
        )
    heads, given = query.shape[-3], shared.shape[-3]
    if heads == given:
        return shared
    if given == 0 or heads % given:
        raise RuntimeError(
            "scaled_dot_product_attention: Number of heads in key and value must divide the number "
            f"of heads in query, got {given} and {heads}"
        )
    return shared.repeat_interleave(heads // given, -3)


def _check(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout_p: float,
    is_causal: bool,
) -> None:  # fmt: skip
    op = "scaled_dot_product_attention"
    if not query.dtype == key.dtype == value.dtype:
        raise RuntimeError(
            f"{op}: Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{query.dtype}, key.dtype: {key.dtype} and value.dtype: {value.dtype}"
        )
    if min(query.dim(), key.dim(), value.dim()) < 2:
        raise RuntimeError(
            f"{op}: Expected query, key, and value to all be at least 2 dimensional, but got "
            f"query.dim: {query.dim()}, key.dim: {key.dim()} and value.dim: {value.dim()}"
        )
    if not query.is_floating_point():
        raise NotImplementedError(f'"{op}" not implemented for {query.dtype}')
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise RuntimeError(
            f"{op}: query (*, L, E), key (*, S, E) and value (*, S, Ev) do not fit together, got "
            f"{tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}"
        )
    if mask is not None and mask.dtype not in (kagari.bool, kagari.float32, query.dtype):
        raise RuntimeError(
            f"{op}: Expected attn_mask dtype to be bool or float or to match query dtype, but got "
            f"attn_mask.dtype: {mask.dtype} and query.dtype: {query.dtype}"
        )
    if mask is not None and is_causal:
        raise RuntimeError(
            f"{op}: Explicit attn_mask should not be set when is_causal=True; give one of them"
        )
    if dropout_p > 1.0:
        raise RuntimeError(
            f"{op}: dropout probability has to be between 0 and 1, but got {dropout_p}"
        )
