"""Multi-head attention and transformers beside PyTorch's: values, gradients, masks, states."""

import warnings
from typing import Any

import pytest
import torch

import kagari
from tests.nn.side_by_side import assert_same, compare, scalar, to_kagari, twins
from tests.nn.test_modules import x
from tests.ops.pairs import same_error

ATTENTION = [
    ({}, [(3, 2, 8)] * 3),
    ({"batch_first": True, "bias": False}, [(2, 3, 8), (2, 5, 8), (2, 5, 8)]),
    ({"kdim": 6, "vdim": 4, "add_bias_kv": True}, [(3, 2, 8), (5, 2, 6), (5, 2, 4)]),
    ({"add_zero_attn": True, "batch_first": True}, [(3, 8), (5, 8), (5, 8)]),
]


@pytest.mark.parametrize(("options", "shapes"), ATTENTION)
def test_attention(options: dict[str, Any], shapes: Any) -> None:
    ours, theirs = twins("MultiheadAttention", 8, 2, **options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    compare(ours, theirs, *(x(*shape) for shape in shapes))
    torch.manual_seed(3)
    kagari.manual_seed(3)
    made = torch.nn.MultiheadAttention(8, 2, **options)
    mine = kagari.nn.MultiheadAttention(8, 2, **options)
    for a, b in zip(mine.parameters(), made.parameters(), strict=True):
        assert_same(a, b, rtol=0, atol=1e-7)


CAUSAL = torch.triu(torch.ones(4, 4, dtype=torch.bool), 1)
PADDING = torch.tensor([[False, False, False, True], [False, True, True, True]])
CALLS: list[dict[str, Any]] = [
    {"attn_mask": CAUSAL},
    {"attn_mask": CAUSAL, "is_causal": True, "need_weights": False},
    {"attn_mask": x(4, 4, 4, grad=False), "average_attn_weights": False},
    {"key_padding_mask": PADDING},
    {"key_padding_mask": PADDING, "attn_mask": CAUSAL, "need_weights": False},
    {"key_padding_mask": x(2, 4, grad=False), "attn_mask": x(4, 4, grad=False)},
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: " ".join(call))
def test_masks(call: dict[str, Any]) -> None:
    ours, theirs = twins("MultiheadAttention", 8, 2, batch_first=True)
    mine = to_kagari(call)
    for training in (True, False):
        ours.train(training), theirs.train(training)
        compare(ours, theirs, *[x(2, 4, 8) for _ in range(3)], options=call)
        with torch.no_grad(), kagari.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            q = x(2, 4, 8, grad=False)
            a, b = to_kagari(q), theirs(q, q, q, **call)
            assert_same([t for t in ours(a, a, a, **mine) if t is not None],
                        [t for t in b if t is not None])  # fmt: skip


def test_merged_masks() -> None:
    ours, theirs = twins("MultiheadAttention", 8, 2, batch_first=True)
    q, mask, padding = x(2, 4, 8, grad=False), x(4, 4, grad=False), x(2, 4, grad=False)
    for a, b in ((mask, padding), (mask, None), (None, padding)):
        assert_same(ours.merge_masks(*to_kagari((a, b, q))), theirs.merge_masks(a, b, q))
    assert ours.merge_masks(None, None, to_kagari(q)) == (None, None)


LAYERS = [
    {},
    {"batch_first": True, "activation": "gelu", "norm_first": True},
    {"bias": False, "activation": torch.tanh, "layer_norm_eps": 1e-3},
]


def both(name: str, *args: Any, **options: Any) -> tuple[Any, Any]:
    if options.get("activation") is torch.tanh:
        theirs = getattr(torch.nn, name)(*args, **options).double()
        ours = getattr(kagari.nn, name)(*args, **{**options, "activation": kagari.tanh}).double()
        ours.load_state_dict(to_kagari(dict(theirs.state_dict())))
        return ours, theirs
    return twins(name, *args, **options)


@pytest.mark.parametrize("options", LAYERS, ids=lambda options: " ".join(options) or "plain")
def test_layers(options: dict[str, Any]) -> None:
    for name, extra in (("TransformerEncoderLayer", 0), ("TransformerDecoderLayer", 1)):
        ours, theirs = both(name, 8, 2, 12, dropout=0.0, **options)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for shape in ((4, 2, 8), (4, 8)):
            compare(ours, theirs, *[x(*shape) for _ in range(1 + extra)])
        inputs = [x(4, 4, 8) for _ in range(1 + extra)]
        compare(ours, theirs, *inputs, CAUSAL)


def test_dropout_is_drawn_in_the_same_order() -> None:
    ours, theirs = twins("TransformerDecoderLayer", 8, 2, 12, dropout=0.5)
    torch.manual_seed(0)
    kagari.manual_seed(0)
    compare(ours, theirs, x(4, 2, 8), x(3, 2, 8))


@pytest.mark.filterwarnings("ignore:enable_nested_tensor", "ignore:The PyTorch API of nested")
@pytest.mark.parametrize("batch_first", [True, False])
def test_whole(batch_first: bool) -> None:
    ours, theirs = twins("Transformer", 8, 2, 2, 1, 12, 0.0, batch_first=batch_first)
    assert repr(ours) == repr(theirs)
    compare(ours, theirs, x(4, 4, 8), x(4, 4, 8))
    mask = theirs.generate_square_subsequent_mask(4)
    assert_same(ours.generate_square_subsequent_mask(4), mask)
    compare(ours, theirs, x(4, 4, 8), x(4, 4, 8), mask.double(), mask.double())
    torch.manual_seed(1)
    kagari.manual_seed(1)
    made = torch.nn.Transformer(8, 2, 1, 1, 12)
    for a, b in zip(kagari.nn.Transformer(8, 2, 1, 1, 12).parameters(), made.parameters()):
        assert_same(a, b, rtol=0, atol=1e-7)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested")
@pytest.mark.parametrize("left", [True, False], ids=["at the end", "in between"])
def test_padding_of_an_encoder(left: bool) -> None:
    """Padding at the end leaves the layers as zeros where PyTorch leaves it out of them."""
    layer = torch.nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True)
    theirs = torch.nn.TransformerEncoder(layer, 2, torch.nn.LayerNorm(8)).double()
    own = kagari.nn.TransformerEncoderLayer(8, 2, 12, 0.0, batch_first=True)
    ours = kagari.nn.TransformerEncoder(own, 2, kagari.nn.LayerNorm(8)).double()
    ours.load_state_dict(to_kagari(dict(theirs.state_dict())))
    given, padding = x(2, 4, 8), PADDING if left else PADDING.flip(1)
    for training in (True, False):
        ours.train(training), theirs.train(training)
        a = ours(to_kagari(given), src_key_padding_mask=to_kagari(padding))
        b = theirs(given, src_key_padding_mask=padding)
        assert_same(a, b)
        scalar(b).backward()
        with torch.no_grad(), kagari.no_grad():
            a = ours(to_kagari(given), src_key_padding_mask=to_kagari(padding))
            assert_same(a, theirs(given, src_key_padding_mask=padding))


def test_causal_masks_are_recognised() -> None:
    from kagari.nn.modules.transformer import _is_causal

    mask = kagari.nn.Transformer.generate_square_subsequent_mask(4)
    assert _is_causal(mask, None, 4)
    assert not _is_causal(mask, None, 5)
    assert not _is_causal(mask.mT, None, 4)
    assert not _is_causal(mask, False, 4)
    assert _is_causal(None, True, 4)


ERRORS = {
    "sizes": lambda t: t.nn.MultiheadAttention(0, 1),
    "heads": lambda t: t.nn.MultiheadAttention(7, 2),
    "activation": lambda t: t.nn.TransformerEncoderLayer(4, 2, 4, activation="tanh"),
    "batches": lambda t: t.nn.Transformer(4, 2, 1, 1, 4)(t.zeros(1, 2, 4), t.zeros(1, 3, 4)),
    "features": lambda t: t.nn.Transformer(4, 2, 1, 1, 4)(t.zeros(1, 2, 5), t.zeros(1, 2, 4)),
    "mask": lambda t: t.nn.TransformerEncoderLayer(4, 2, 4)(t.zeros(2, 1, 4), t.ones(2, 2).int()),
    "hint": lambda t: t.nn.TransformerEncoderLayer(4, 2, 4)(t.zeros(2, 1, 4), is_causal=True),
    "mask shape": lambda t: t.nn.MultiheadAttention(4, 2)(
        *[t.zeros(2, 1, 4)] * 3, attn_mask=t.zeros(3, 3)
    ),
    "padding shape": lambda t: t.nn.MultiheadAttention(4, 2)(
        *[t.zeros(2, 1, 4)] * 3, key_padding_mask=t.zeros(1, 3)
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    same_error(ERRORS[name])


def test_what_keeps_padding_is_said() -> None:
    layer = kagari.nn.TransformerEncoderLayer(4, 2, 4)
    with pytest.warns(UserWarning, match="batch_first was not True"):
        kagari.nn.TransformerEncoder(layer, 1)
