"""Multi-head attention as one function: projections, heads, masks, attention, output projection.

Sequences are (length, batch, features) here, as in PyTorch; the formula is that of "Attention Is
All You Need", section 3.2.2.
"""

import math
from typing import Any

import kagari
from kagari import Tensor
from kagari import _ops as ops

from .attention import scaled_dot_product_attention
from .dropout import dropout

__all__ = ["multi_head_attention_forward"]

_NAME = "multi_head_attention_forward"


def multi_head_attention_forward(
    query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
    in_proj_weight: Tensor | None, in_proj_bias: Tensor | None, bias_k: Tensor | None,
    bias_v: Tensor | None, add_zero_attn: bool, dropout_p: float, out_proj_weight: Tensor,
    out_proj_bias: Tensor | None, training: bool = True, key_padding_mask: Tensor | None = None,
    need_weights: bool = True, attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None, v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None, static_v: Tensor | None = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """Attention of `num_heads` heads, and their weights where these are needed.

    Args:
        query: (L, N, E), or (L, E) without a batch; key and value: (S, N, E) or (S, E).
        in_proj_weight: (3 E, E) for query, key and value one below the other, unless
            `use_separate_proj_weight`, which takes the three `*_proj_weight`.
        bias_k, bias_v: one more element at the end of key and value; `add_zero_attn` adds zeros.
        key_padding_mask: (N, S) or (S), True (or -inf to add) for keys that do not count.
        attn_mask: (L, S) or (N * heads, L, S), True for pairs that do not count, or numbers to add.
        is_causal: says that attn_mask is the causal mask, which must be given.
        static_k, static_v: (N * heads, S, E / heads) instead of what is projected.

    Returns (L, N, E) or (L, E), and (N, L, S), (N, heads, L, S) without `average_attn_weights`, or
    None without `need_weights`.

    AssertionError or RuntimeError for shapes that do not fit together.
    """
    batched = _is_batched(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, features = query.shape
    head = _head_size(features, embed_dim_to_check, num_heads)
    if is_causal and attn_mask is None:
        raise RuntimeError(f"{_NAME}: Need attn_mask if specifying the is_causal hint.")
    is_causal = is_causal and key_padding_mask is None and not need_weights
    mask = None if is_causal else _added("attn_mask", attn_mask, query.dtype)
    padding = _added("key_padding_mask", key_padding_mask, query.dtype)

    if use_separate_proj_weight:
        q, k, v = _separate_projections(
            (query, key, value), (q_proj_weight, k_proj_weight, v_proj_weight), in_proj_bias
        )
    else:
        _agree(key.shape == value.shape, f"key shape {tuple(key.shape)} does not match value shape "
               f"{tuple(value.shape)}")  # fmt: skip
        _agree(in_proj_weight is not None, "use_separate_proj_weight is False but in_proj_weight "
               "is None")  # fmt: skip
        q, k, v = _projections(query, key, value, in_proj_weight, in_proj_bias)  # type: ignore[arg-type]
    mask = _mask_of_heads(mask, (length, key.shape[0]), batch * num_heads)

    if (bias_k is None) != (bias_v is None):
        raise AssertionError(f"{_NAME}: bias_k and bias_v must both be given, or neither")
    if bias_k is not None and bias_v is not None:
        _agree(static_k is None and static_v is None, "bias cannot be added to static key or value")
        k, v = (
            kagari.cat([t, b.expand(1, batch, b.shape[-1])]) for t, b in ((k, bias_k), (v, bias_v))
        )
        mask, padding = _one_wider(mask), _one_wider(padding)

    def heads(t: Tensor) -> Tensor:  # (length, N, E) to (N * heads, length, E / heads)
        return t.reshape(t.shape[0], batch * num_heads, head).transpose(0, 1)

    q = heads(q)
    k = heads(k) if static_k is None else _static("static_k", static_k, batch * num_heads, head)
    v = heads(v) if static_v is None else _static("static_v", static_v, batch * num_heads, head)
    if add_zero_attn:
        k, v = (kagari.cat([t, t.new_zeros(batch * num_heads, 1, head)], dim=1) for t in (k, v))
        mask, padding = _one_wider(mask), _one_wider(padding)
    mask = _merged(mask, padding, batch, num_heads, k.shape[1])

    dropped = dropout_p if training else 0.0
    if need_weights:
        out, weights = _with_weights(q, k, v, mask, dropped)
        weights = weights.view(batch, num_heads, length, k.shape[1])
        weights = weights.mean(1) if average_attn_weights else weights
    else:
        if mask is not None:
            shared = mask.shape[0] == 1
            mask = mask.unsqueeze(0) if shared else mask.view(batch, num_heads, *mask.shape[1:])
        q, k, v = (t.view(batch, num_heads, t.shape[1], head) for t in (q, k, v))
        out = scaled_dot_product_attention(q, k, v, mask, dropped, is_causal)
        out, weights = out.reshape(batch * num_heads, length, head), None
    out = out.transpose(0, 1).reshape(length * batch, features)
    out = ops.linear(out, out_proj_weight, out_proj_bias)
    out = out.view(length, batch, out.shape[1])
    if batched:
        return out, weights
    return out.squeeze(1), None if weights is None else weights.squeeze(0)


def _agree(fits: bool, text: str) -> None:
    """PyTorch's class for shapes that do not fit together here."""
    if not fits:
        raise AssertionError(f"{_NAME}: {text}")


def _is_batched(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, mask: Tensor | None,
    num_heads: int,
) -> bool:  # fmt: skip
    rank = query.dim()
    _agree(rank in (2, 3), f"query should be unbatched 2D or batched 3D tensor but received "
           f"{rank}-D query tensor")  # fmt: skip
    _agree(key.dim() == rank and value.dim() == rank, f"for {rank}-D query expected key and value "
           f"to be {rank}-D but found {key.dim()}-D and {value.dim()}-D tensors")  # fmt: skip
    if padding is not None:
        _agree(padding.dim() == rank - 1, f"for {rank}-D query expected key_padding_mask to be "
               f"None or {rank - 1}-D but found {padding.dim()}-D")  # fmt: skip
    if mask is not None:
        _agree(mask.dim() in (2, 3), f"expected attn_mask to be None, 2-D or 3-D but found "
               f"{mask.dim()}-D")  # fmt: skip
        if rank == 2 and mask.dim() == 3:
            expected = (num_heads, query.shape[0], key.shape[0])
            _agree(tuple(mask.shape) == expected, f"expected attn_mask shape {expected} but got "
                   f"{tuple(mask.shape)}")  # fmt: skip
    return rank == 3


def _head_size(features: int, expected: int, num_heads: int) -> int:
    _agree(features == expected, f"was expecting embedding dimension of {expected}, but got "
           f"{features}")  # fmt: skip
    _agree(features % num_heads == 0, f"embed_dim {features} not divisible by num_heads "
           f"{num_heads}")  # fmt: skip
    return features // num_heads


def _added(name: str, mask: Tensor | None, dtype: kagari.dtype) -> Tensor | None:
    """A mask as numbers to add to the scores."""
    if mask is None:
        return None
    if mask.dtype == kagari.bool:
        return kagari.zeros(mask.shape, dtype=dtype).masked_fill(mask, float("-inf"))
    _agree(mask.is_floating_point(), f"only bool and floating types of {name} are supported, got "
           f"{mask.dtype}")  # fmt: skip
    return mask


def _projections(
    query: Tensor, key: Tensor, value: Tensor, weight: Tensor, bias: Tensor | None
) -> tuple[Tensor, ...]:
    if key is value and query is key:  # one product for all three
        return ops.linear(query, weight, bias).chunk(3, -1)
    weights = weight.chunk(3)
    biases = (None, None, None) if bias is None else bias.chunk(3)
    sources = (query, key, value)
    return tuple(ops.linear(*each) for each in zip(sources, weights, biases, strict=True))


def _separate_projections(
    sources: tuple[Tensor, ...], weights: tuple[Tensor | None, ...], bias: Tensor | None
) -> tuple[Tensor, ...]:
    query, key, value = sources
    _agree(key.shape[:2] == value.shape[:2], f"key's sequence and batch dims "
           f"{tuple(key.shape[:2])} do not match value's {tuple(value.shape[:2])}")  # fmt: skip
    for name, weight, source in zip(("q", "k", "v"), weights, sources, strict=True):
        _agree(weight is not None, f"use_separate_proj_weight is True but {name}_proj_weight is "
               "None")  # fmt: skip
        expected = (query.shape[-1], source.shape[-1])
        _agree(tuple(weight.shape) == expected, f"expecting {name}_proj_weight of shape "  # type: ignore[union-attr]
               f"{expected}, but got {tuple(weight.shape)}")  # type: ignore[union-attr]  # fmt: skip
    biases = (None, None, None) if bias is None else bias.chunk(3)
    given: Any = zip(sources, weights, biases, strict=True)  # no weight is None by now
    return tuple(ops.linear(*each) for each in given)


def _mask_of_heads(mask: Tensor | None, pairs: tuple[int, int], count: int) -> Tensor | None:
    """(L, S) as (1, L, S); (N * heads, L, S) as it is."""
    if mask is None:
        return None
    expected = pairs if mask.dim() == 2 else (count, *pairs)
    if tuple(mask.shape) != expected:
        raise RuntimeError(
            f"{_NAME}: The shape of the {mask.dim()}D attn_mask is {tuple(mask.shape)}, but should "
            f"be {expected}."
        )
    return mask.unsqueeze(0) if mask.dim() == 2 else mask


def _one_wider(mask: Tensor | None) -> Tensor | None:
    """The mask for a key more, which counts."""
    return None if mask is None else kagari.cat([mask, mask.new_zeros(*mask.shape[:-1], 1)], dim=-1)


def _static(name: str, t: Tensor, count: int, head: int) -> Tensor:
    _agree(t.shape[0] == count, f"expecting {name}.size(0) of {count}, but got {t.shape[0]}")
    _agree(t.shape[2] == head, f"expecting {name}.size(2) of {head}, but got {t.shape[2]}")
    return t


def _merged(
    mask: Tensor | None, padding: Tensor | None, batch: int, num_heads: int, keys: int
) -> Tensor | None:
    """Both masks as one: (1, L, S) or (N * heads, 1 or L, S)."""
    if padding is None:
        return mask
    _agree(tuple(padding.shape) == (batch, keys), f"expecting key_padding_mask shape of "
           f"{(batch, keys)}, but got {tuple(padding.shape)}")  # fmt: skip
    wide = padding.view(batch, 1, 1, keys).expand(batch, num_heads, 1, keys)
    wide = wide.reshape(batch * num_heads, 1, keys)
    return wide if mask is None else mask + wide


def _with_weights(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout_p: float
) -> tuple[Tensor, Tensor]:
    scaled = q * math.sqrt(1.0 / q.shape[-1])
    scores = scaled @ k.mT if mask is None else kagari.baddbmm(mask, scaled, k.mT)
    weights = ops.softmax(scores, -1)
    if dropout_p > 0.0:
        weights = dropout(weights, dropout_p)
    return weights @ v, weights
