"""Attention whose scores a function of one's own changes and masks.

The scores are computed whole, (B, H, queries, keys), whatever the mask: memory grows with them.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypedDict

import kagari
from kagari import Tensor

from .block_mask import (
    _DEFAULT_SPARSE_BLOCK_SIZE,
    BlockMask,
    and_masks,
    create_block_mask,
    create_mask,
    noop_mask,
    or_masks,
    over_scores,
)

__all__ = [
    "_DEFAULT_SPARSE_BLOCK_SIZE", "AuxOutput", "AuxRequest", "BlockMask", "FlexKernelOptions",
    "and_masks", "create_block_mask", "create_mask", "flex_attention", "noop_mask", "or_masks",
]  # fmt: skip


class AuxRequest(NamedTuple):
    """What else flex_attention is to give."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What it gave: (B, H, queries) each, None where it was not asked for."""

    lse: Tensor | None = None
    max_scores: Tensor | None = None


class FlexKernelOptions(TypedDict, total=False):
    """Choices for PyTorch's GPU kernels, which there are none of here."""


def flex_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor] | None = None,
    block_mask: BlockMask | None = None,
    scale: float | None = None,
    enable_gqa: bool = False,
    return_lse: bool = False,
    kernel_options: FlexKernelOptions | None = None,
    *,
    return_aux: AuxRequest | None = None,
) -> Any:
    """Attention with scores `score_mod(score, b, h, q, kv)`, those that a mask leaves.

    Args:
        query: (B, Hq, L, E). key: (B, Hkv, S, E). value: (B, Hkv, S, Ev).
        scale: of the scores; 1 / sqrt(E) if None.
        enable_gqa: may each head of keys serve Hq / Hkv heads of queries?

    Returns:
        (B, Hq, L, Ev); zeros where no score stands. With `return_lse` also the logarithm of each
        row's sum of exponentials, (B, Hq, L), with `return_aux` an AuxOutput.

    Raises:
        ValueError: where shapes do not fit.

    >>> x = kagari.ones(1, 1, 2, 4)
    >>> flex_attention(x, x, x, score_mod=lambda score, b, h, q, kv: score - (q - kv).abs())
    tensor([[[[1., 1., 1., 1.],
              [1., 1., 1., 1.]]]])
    """
    _check(query, key, value, enable_gqa)
    batch, heads, queries, width = query.shape
    if heads != key.shape[1]:
        key = key.repeat_interleave(heads // key.shape[1], 1)
        value = value.repeat_interleave(heads // value.shape[1], 1)
    wide = kagari.float64 if query.dtype is kagari.float64 else kagari.float32
    scores = (query.to(wide) @ key.to(wide).mT) * (width**-0.5 if scale is None else scale)
    if score_mod is not None:
        places = [kagari.arange(size) for size in scores.shape]
        scores = over_scores(score_mod, scores)(scores, *places)
    if block_mask is not None:
        lengths = block_mask.seq_lengths
        if lengths[0] < queries or lengths[1] < key.shape[2]:
            raise ValueError(
                f"flex_attention: block_mask is for {lengths} queries and keys, there are "
                f"{(queries, key.shape[2])}; create it for these"
            )
        allowed = block_mask.allowed()[..., :queries, : key.shape[2]]
        scores = scores.masked_fill(~allowed, -math.inf)
    lse = scores.logsumexp(-1)
    weights = kagari.exp(scores - lse.masked_fill(lse == -math.inf, 0).unsqueeze(-1))
    result = (weights.to(query.dtype) @ value).to(query.dtype)
    if return_aux is not None:
        highest = scores.amax(-1) if return_aux.max_scores else None
        return result, AuxOutput(lse if return_aux.lse else None, highest)
    return (result, lse) if return_lse else result


def _check(query: Tensor, key: Tensor, value: Tensor, grouped: bool) -> None:
    shapes = f"query {tuple(query.shape)}, key {tuple(key.shape)}, value {tuple(value.shape)}"
    if not query.dim() == key.dim() == value.dim() == 4:
        raise ValueError(f"flex_attention: expected (B, H, length, width) each, got {shapes}")
    if query.dtype != key.dtype or query.dtype != value.dtype:
        raise ValueError(
            f"flex_attention: query, key and value: expected one dtype, got {query.dtype}, "
            f"{key.dtype} and {value.dtype}"
        )
    if query.shape[-1] != key.shape[-1] or key.shape[1:3] != value.shape[1:3]:
        raise ValueError(f"flex_attention: widths and lengths do not fit: {shapes}")
    if query.shape[1] != key.shape[1] and not (grouped and query.shape[1] % key.shape[1] == 0):
        raise ValueError(
            f"flex_attention: expected as many heads, got {shapes}; enable_gqa=True lets a head of "
            "keys serve several of queries"
        )
