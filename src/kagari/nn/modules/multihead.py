"""Multi-head attention as a module. The arithmetic is left to functional/multihead.py."""

from typing import Any

import kagari
from kagari import Tensor

from .. import functional as F
from .. import init
from ..parameter import Parameter
from .linear import NonDynamicallyQuantizableLinear
from .module import Module


class MultiheadAttention(Module):
    """Attention of `num_heads` heads of embed_dim / num_heads features, each with projections of
    query, key and value, and a projection of what they give ("Attention Is All You Need", 3.2.2).

    Args:
        kdim, vdim: features of key and value, embed_dim where they are None.
        add_bias_kv: a learned element more in key and value; add_zero_attn: one of zeros more.
        batch_first: sequences are (N, L, E), not (L, N, E).

    ValueError for sizes that are not positive, AssertionError where embed_dim is no multiple of
    num_heads.

    >>> x = kagari.zeros(5, 2, 8)
    >>> out, weights = kagari.nn.MultiheadAttention(8, 2)(x, x, x)
    >>> out.shape, weights.shape
    (torch.Size([5, 2, 8]), torch.Size([2, 5, 5]))
    """

    __constants__ = ["batch_first"]
    in_proj_weight: Any
    in_proj_bias: Any
    q_proj_weight: Any
    k_proj_weight: Any
    v_proj_weight: Any
    bias_k: Any
    bias_v: Any

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
        add_bias_kv: bool = False, add_zero_attn: bool = False, kdim: int | None = None,
        vdim: int | None = None, batch_first: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim, self.num_heads, self.dropout = embed_dim, num_heads, dropout
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.batch_first, self.add_zero_attn = batch_first, add_zero_attn
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError(
                f"embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}"
            )
        self._make(bias, add_bias_kv, {"device": device, "dtype": dtype})
        self._reset_parameters()

    def _make(self, bias: bool, add_bias_kv: bool, made: dict[str, Any]) -> None:
        size, together = self.embed_dim, self._qkv_same_embed_dim
        shapes = {
            "q_proj_weight": None if together else (size, size),
            "k_proj_weight": None if together else (size, self.kdim),
            "v_proj_weight": None if together else (size, self.vdim),
            "in_proj_weight": (3 * size, size) if together else None,
            "in_proj_bias": (3 * size,) if bias else None,
            "bias_k": (1, 1, size) if add_bias_kv else None,
            "bias_v": (1, 1, size) if add_bias_kv else None,
        }
        for name, shape in shapes.items():
            made_here = None if shape is None else Parameter(kagari.empty(shape, **made))
            self.register_parameter(name, made_here)
        self.out_proj = NonDynamicallyQuantizableLinear(size, size, bias=bias, **made)

    def _reset_parameters(self) -> None:
        for weight in (
            self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight,
        ):  # fmt: skip
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)  # type: ignore[arg-type]
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def __setstate__(self, state: Any) -> None:
        state.setdefault("_qkv_same_embed_dim", True)  # older checkpoints of whole modules
        super().__setstate__(state)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
        need_weights: bool = True, attn_mask: Tensor | None = None,
        average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        """(output, weights) of query (L, N, E), key (S, N, kdim) and value (S, N, vdim), or all
        without N; (N, L, E) and so on with `batch_first`. The weights are (N, L, S), or
        (N, heads, L, S) without `average_attn_weights`, or None without `need_weights`.

        For masks see `kagari.nn.functional.multi_head_attention_forward`.
        """
        swapped = self.batch_first and query.dim() == 3
        if swapped:  # what was one tensor stays one: then one product projects all three
            turned = {id(t): t.transpose(0, 1) for t in (query, key, value)}
            query, key, value = (turned[id(t)] for t in (query, key, value))
        separate = not self._qkv_same_embed_dim
        weights: dict[str, Any] = {"use_separate_proj_weight": separate}
        if separate:
            for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
                weights[name] = getattr(self, name)
        out, attention = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight,
            self.in_proj_bias, self.bias_k, self.bias_v, self.add_zero_attn, self.dropout,
            self.out_proj.weight, self.out_proj.bias, training=self.training,
            key_padding_mask=key_padding_mask, need_weights=need_weights, attn_mask=attn_mask,
            average_attn_weights=average_attn_weights, is_causal=is_causal, **weights,
        )  # fmt: skip
        return (out.transpose(0, 1) if swapped else out), attention

    def merge_masks(
        self, attn_mask: Tensor | None, key_padding_mask: Tensor | None, query: Tensor
    ) -> tuple[Tensor | None, int | None]:
        """Both masks as one of shape (N, heads, L, S), and 2; or the one there is, and 0 for
        attn_mask, 1 for key_padding_mask; or None twice. query is (N, L, E)."""
        kind: int | None = None
        merged = None
        if key_padding_mask is not None:
            kind, merged = 1, key_padding_mask
        if attn_mask is not None:
            batch, length = query.shape[:2]
            kind = 2
            if attn_mask.dim() == 3:
                merged = attn_mask.view(batch, -1, length, length)
            else:
                merged = attn_mask.view(1, 1, length, length).expand(batch, self.num_heads, -1, -1)
            if key_padding_mask is not None:
                padding = key_padding_mask.view(batch, 1, 1, length)
                merged = merged + padding.expand(-1, self.num_heads, -1, -1)
        return merged, kind
