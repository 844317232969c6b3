"""Transformers: encoder and decoder layers, stacks of them, and both together ("Attention Is All
You Need", 2017; `norm_first`: "On Layer Normalization in the Transformer Architecture", 2020)."""

import copy
import warnings
from collections.abc import Callable
from typing import Any

import kagari
from kagari import Tensor

from .. import functional as F
from .. import init
from .container import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .multihead import MultiheadAttention
from .normalization import LayerNorm

Activation = str | Callable[[Tensor], Tensor]


def _causal_mask(size: int, device: Any = None, dtype: Any = None) -> Tensor:
    return kagari.full((size, size), float("-inf"), device=device, dtype=dtype).triu(1)


def _clones(module: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(module) for _ in range(count)])


def _function_of(activation: str) -> Callable[[Tensor], Tensor]:
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    return F.relu if activation == "relu" else F.gelu


def _length(sequence: Tensor, batch_first: bool) -> int | None:
    if sequence.dim() == 2:
        return sequence.shape[0]
    return sequence.shape[1 if batch_first else 0] if sequence.dim() == 3 else None


def _is_causal(mask: Tensor | None, said: bool | None, size: int | None) -> bool:
    """Whether the mask is the causal one: as it is said, or else by looking."""
    if said is not None or mask is None:
        return said is True
    length = mask.shape[-2] if size is None else size
    if tuple(mask.shape) != (length, length):
        return False
    expected = _causal_mask(length, mask.device, mask.dtype if mask.is_floating_point() else None)
    return bool((mask == expected).all())


def _is_canonical_mask(name: str, mask: Tensor | None) -> None:
    if mask is not None and mask.dtype != kagari.bool and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {name} are supported")


class _Layer(Module):
    """What encoder and decoder layers share: the two linear maps, and reading older states."""

    __constants__ = ["norm_first"]
    activation: Any

    def _feed_forward(
        self, d_model: int, dim_feedforward: int, dropout: float, bias: bool, made: dict[str, Any]
    ) -> None:
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **made)

    def _set_activation(self, activation: Activation) -> None:
        self.activation = _function_of(activation) if isinstance(activation, str) else activation

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        if "activation" not in self.__dict__ and "activation" not in self._modules:
            self.activation = F.relu

    def _maps(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Self-attention and two linear maps, each added to its input and normalised.

    Args:
        activation: "relu", "gelu", or a function of one tensor, between the linear maps.
        norm_first: normalise the input of each part, and not its sum with the part.

    RuntimeError for another name of an activation; what `MultiheadAttention` raises.

    >>> layer = kagari.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> layer(kagari.zeros(2, 5, 8)).shape
    torch.Size([2, 5, 8])
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        made = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **made
        )
        self._feed_forward(d_model, dim_feedforward, dropout, bias, made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self._set_activation(activation)

    def forward(
        self, src: Tensor, src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None, is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        """src is (L, N, d_model), (N, L, d_model) with `batch_first`, or (L, d_model); the masks
        are those of `MultiheadAttention`, and `is_causal` says that src_mask is the causal one."""
        _is_canonical_mask("src_mask", src_mask)
        _is_canonical_mask("src_key_padding_mask", src_key_padding_mask)
        how = (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            src = src + self._sa_block(self.norm1(src), *how)
            return src + self._ff_block(self.norm2(src))
        src = self.norm1(src + self._sa_block(src, *how))
        return self.norm2(src + self._ff_block(src))

    def _sa_block(
        self, x: Tensor, mask: Tensor | None, padding: Tensor | None, is_causal: bool
    ) -> Tensor:
        out = self.self_attn(x, x, x, padding, False, mask, is_causal=is_causal)[0]
        return self.dropout1(out)

    def _ff_block(self, x: Tensor) -> Tensor:
        return self.dropout2(self._maps(x))


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to the encoder's output and two linear maps, each added to its
    input and normalised. The arguments are those of `TransformerEncoderLayer`.

    >>> layer, x = kagari.nn.TransformerDecoderLayer(8, 2, 16), kagari.zeros(5, 2, 8)
    >>> layer(x, kagari.zeros(7, 2, 8)).shape
    torch.Size([5, 2, 8])
    """

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        made = {"device": device, "dtype": dtype}
        attention = {"dropout": dropout, "bias": bias, "batch_first": batch_first, **made}
        self.self_attn = MultiheadAttention(d_model, nhead, **attention)
        self.multihead_attn = MultiheadAttention(d_model, nhead, **attention)
        self._feed_forward(d_model, dim_feedforward, dropout, bias, made)
        self.norm_first = norm_first
        for i in (1, 2, 3):
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made)
            setattr(self, f"norm{i}", norm)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self._set_activation(activation)

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None, tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        """tgt is (L, N, d_model) and memory (S, N, d_model); (N, L, d_model) and so on with
        `batch_first`; or both without N."""
        x = tgt
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory_mask, memory_key_padding_mask, memory_is_causal)
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x), *own)
            x = x + self._mha_block(self.norm2(x), memory, *other)
            return x + self._ff_block(self.norm3(x))
        x = self.norm1(x + self._sa_block(x, *own))
        x = self.norm2(x + self._mha_block(x, memory, *other))
        return self.norm3(x + self._ff_block(x))

    def _sa_block(
        self, x: Tensor, mask: Tensor | None, padding: Tensor | None, is_causal: bool
    ) -> Tensor:
        out = self.self_attn(x, x, x, padding, False, mask, is_causal=is_causal)[0]
        return self.dropout1(out)

    def _mha_block(
        self, x: Tensor, memory: Tensor, mask: Tensor | None, padding: Tensor | None,
        is_causal: bool,
    ) -> Tensor:  # fmt: skip
        out = self.multihead_attn(x, memory, memory, padding, False, mask, is_causal=is_causal)[0]
        return self.dropout2(out)

    def _ff_block(self, x: Tensor) -> Tensor:
        return self.dropout3(self._maps(x))


class TransformerEncoder(Module):
    """`num_layers` copies of an encoder layer, one behind the other, and a last normalisation.

    Without gradients and in evaluation, padding at the end of the samples comes out of the layers
    as zeros where `enable_nested_tensor` is True and PyTorch would take its own way without
    padding; `mask_check` looks whether it is at the end.

    >>> layer = kagari.nn.TransformerEncoderLayer(8, 2, 16)
    >>> kagari.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)(kagari.zeros(5, 8)).shape
    torch.Size([5, 8])
    """

    __constants__ = ["norm"]

    def __init__(
        self, encoder_layer: TransformerEncoderLayer, num_layers: int, norm: Module | None = None,
        enable_nested_tensor: bool = True, mask_check: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.layers = _clones(encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check
        reason = _keeps_padding(encoder_layer)
        self.use_nested_tensor = enable_nested_tensor and not reason
        if enable_nested_tensor and reason:
            warnings.warn(
                "enable_nested_tensor is True, but self.use_nested_tensor is False because "
                f"{reason}",
                stacklevel=2,
            )

    def forward(
        self, src: Tensor, mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None, is_causal: bool | None = None,
    ) -> Tensor:  # fmt: skip
        """src as the layers take it. `is_causal` None: it is found out whether the mask is."""
        _is_canonical_mask("mask", mask)
        _is_canonical_mask("src_key_padding_mask", src_key_padding_mask)
        drops = self._drops_padding(src, src_key_padding_mask)
        batch_first = getattr(getattr(self.layers[0], "self_attn", None), "batch_first", False)
        causal = _is_causal(mask, is_causal, _length(src, batch_first))
        output = src
        for layer in self.layers:
            output = layer(
                output, src_mask=mask, is_causal=causal, src_key_padding_mask=src_key_padding_mask
            )
        if drops and src_key_padding_mask is not None:
            output = output.masked_fill(src_key_padding_mask.unsqueeze(-1), 0.0)
        return output if self.norm is None else self.norm(output)

    def _drops_padding(self, src: Tensor, padding: Tensor | None) -> bool:
        if not self.use_nested_tensor or padding is None or padding.dtype != kagari.bool:
            return False
        first: Any = self.layers[0]
        if first.training or src.dim() != 3:
            return False
        if kagari.is_grad_enabled() and any(
            t.requires_grad for t in (src, *self.parameters(recurse=True))
        ):
            return False
        return not self.mask_check or not bool((padding[:, :-1] & ~padding[:, 1:]).any())


def _keeps_padding(layer: Any) -> str:
    """Why PyTorch would compute padding too, or nothing."""
    name = "encoder_layer"
    if not isinstance(layer, TransformerEncoderLayer):
        return f"{name} was not TransformerEncoderLayer"
    attention, activation = layer.self_attn, layer.activation
    reasons = {
        f"{name}.norm_first was True": layer.norm_first,
        f"{name}.self_attn.batch_first was not True(use batch_first for better inference "
        "performance)": not attention.batch_first,
        f"{name}.self_attn._qkv_same_embed_dim was not True": not attention._qkv_same_embed_dim,
        f"{name}.self_attn was passed bias=False": attention.in_proj_bias is None,
        f"{name}.activation_relu_or_gelu was not True": not _is_relu_or_gelu(activation),
        f"{name}.norm1.eps was not equal to {name}.norm2.eps": layer.norm1.eps != layer.norm2.eps,
        f"{name}.self_attn.num_heads is odd": attention.num_heads % 2 == 1,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _is_relu_or_gelu(activation: Any) -> bool:
    return activation in (F.relu, F.gelu) or type(activation).__name__ in ("ReLU", "GELU")


class TransformerDecoder(Module):
    """`num_layers` copies of a decoder layer, one behind the other, and a last normalisation.

    >>> decoder = kagari.nn.TransformerDecoder(kagari.nn.TransformerDecoderLayer(8, 2, 16), 2)
    >>> decoder(kagari.zeros(5, 2, 8), kagari.zeros(7, 2, 8)).shape
    torch.Size([5, 2, 8])
    """

    __constants__ = ["norm"]

    def __init__(
        self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None
    ) -> None:
        super().__init__()
        self.layers = _clones(decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None, tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        """tgt and memory as the layers take them. `tgt_is_causal` None: it is found out whether
        tgt_mask is."""
        batch_first = getattr(getattr(self.layers[0], "self_attn", None), "batch_first", False)
        causal = _is_causal(tgt_mask, tgt_is_causal, _length(tgt, batch_first))
        output = tgt
        for layer in self.layers:
            output = layer(
                output, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=causal,
                memory_is_causal=memory_is_causal,
            )  # fmt: skip
        return output if self.norm is None else self.norm(output)


class Transformer(Module):
    """Encoder and decoder. The arguments are those of their layers; `custom_encoder` and
    `custom_decoder` take their places.

    >>> model = kagari.nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    >>> model(kagari.zeros(2, 5, 8), kagari.zeros(2, 3, 8)).shape
    torch.Size([2, 3, 8])
    """

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6,
        num_decoder_layers: int = 6, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = F.relu, custom_encoder: Any = None, custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False,
        bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        made = {"device": device, "dtype": dtype}
        layer = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
                 norm_first, bias)  # fmt: skip
        if custom_encoder is None:
            one = TransformerEncoderLayer(*layer, **made)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made)
            custom_encoder = TransformerEncoder(one, num_encoder_layers, norm)
        self.encoder = custom_encoder
        if custom_decoder is None:
            other = TransformerDecoderLayer(*layer, **made)
            norm = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **made)
            custom_decoder = TransformerDecoder(other, num_decoder_layers, norm)
        self.decoder = custom_decoder
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self, src: Tensor, tgt: Tensor, src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None, tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None, src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Tensor:  # fmt: skip
        """src is (S, N, d_model), tgt and the result are (T, N, d_model); N first with
        `batch_first`, or all without N. RuntimeError for sizes that do not fit together."""
        batched = src.dim() == 3
        axis = 0 if self.batch_first else 1
        if batched and src.shape[axis] != tgt.shape[axis]:
            raise RuntimeError(
                "the batch number of src and tgt must be equal, got "
                f"{src.shape[axis]} and {tgt.shape[axis]}"
            )
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError(
                f"the feature number of src and tgt must be equal to d_model, {self.d_model}, got "
                f"{src.shape[-1]} and {tgt.shape[-1]}"
            )
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        return self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )  # fmt: skip

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """The causal mask (sz, sz): 0 on and below the diagonal, -inf above it.

        >>> kagari.nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        return _causal_mask(sz, device, dtype)

    def _reset_parameters(self) -> None:
        for p in self.parameters():
            if p.dim() > 1:
                init.xavier_uniform_(p)
