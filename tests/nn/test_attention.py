"""Attention against PyTorch: values, two derivatives, masks, blocks, heads, errors."""

import math

import pytest
import torch

import kagari
from kagari.nn.functional import attention

from ..ops.pairs import close, compare, ours, same_error, theirs
from ..ops.test_matmul import make


def sdpa(lib, q, k, v, *args, **kwargs):  # type: ignore[no-untyped-def]
    return lib.nn.functional.scaled_dot_product_attention(q, k, v, *args, **kwargs)


def operands(*lead: int, length: int = 5, keys: int = 7, size: int = 4, values: int = 3, **how):  # type: ignore[no-untyped-def]
    return (
        make(*lead, length, size, **how), make(*lead, keys, size, **how),
        make(*lead, keys, values, **how),
    )  # fmt: skip


@pytest.fixture(params=["whole", "blocks"])
def blocks(request, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Once as sizes have it, once in blocks of two rows."""
    if request.param == "blocks":
        monkeypatch.setattr(attention, "_ROWS", 2)
        monkeypatch.setattr(attention, "_SCORES", 1)


MASKS = {
    "none": lambda n, m: None,
    "bool": lambda n, m: torch.arange(n * m).reshape(n, m) % 3 != 0,
    "one row": lambda n, m: (torch.arange(m) % 3 != 0).unsqueeze(0),
    "nothing to see": lambda n, m: (torch.arange(n * m).reshape(n, m) >= m) & True,
    "numbers": lambda n, m: make(n, m),
    "infinities": lambda n, m: torch.zeros(n, m, dtype=torch.float64).index_fill(
        0, torch.tensor([1]), -math.inf
    ),
    "heads": lambda n, m: make(2, 3, n, m),
}


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.usefixtures("blocks")
def test_masks(name: str) -> None:
    compare(sdpa, *operands(2, 3), MASKS[name](5, 7), scale=10)


@pytest.mark.parametrize("lengths", [(5, 7), (7, 5), (1, 4), (6, 6)], ids=str)
@pytest.mark.usefixtures("blocks")
def test_causal(lengths: tuple[int, int]) -> None:
    length, keys = lengths
    compare(sdpa, *operands(2, length=length, keys=keys), is_causal=True, scale=10)
    compare(sdpa, *operands(2, length=length, keys=keys), is_causal=True, scale=10, order=1)


@pytest.mark.usefixtures("blocks")
def test_inputs_that_depend_on_each_other() -> None:
    """The blocks' gradients do not take the ways between the inputs twice."""
    compare(lambda lib, x: sdpa(lib, x, x * 2, x.sin()), make(2, 5, 4), scale=10)


@pytest.mark.usefixtures("blocks")
def test_options() -> None:
    compare(sdpa, *operands(), scale=10)
    compare(lambda lib, *a: sdpa(lib, *a, scale=0.3), *operands(1, 2), scale=10)
    q, (_, k, v) = make(2, 6, 5, 4), operands(2, 3)
    compare(lambda lib, *a: sdpa(lib, *a, enable_gqa=True), q, k, v, scale=10)
    q, k, v = make(2, 3, 5, 4), make(1, 1, 7, 4), make(3, 7, 2)
    compare(sdpa, q, k, v, scale=10)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
@pytest.mark.usefixtures("blocks")
def test_dtypes(dtype: torch.dtype) -> None:
    args = operands(2, 3, dtype=dtype)
    compare(sdpa, *args, scale=10, order=1)
    wide = [t.detach().double() for t in args]
    expected = sdpa(torch, *wide)
    got = theirs(sdpa(kagari, *ours([t.detach() for t in args]))).double()
    error = (sdpa(torch, *[t.detach() for t in args]).double() - expected).abs().max()
    assert (got - expected).abs().max() <= 1.5 * error + 1e-7


def test_no_keys_no_rows() -> None:
    for length, keys in [(0, 3), (3, 0), (0, 0)]:
        compare(sdpa, *operands(2, length=length, keys=keys, grad=False))


def test_dropout() -> None:
    ones = kagari.ones(4, 8, 4)
    kagari.manual_seed(0)
    torch.manual_seed(0)
    q = torch.zeros(4, 8, 4)
    close(sdpa(kagari, ours(q), ours(q), ones, dropout_p=0.5),
          sdpa(torch, q, q, torch.ones(4, 8, 4), dropout_p=0.5))  # fmt: skip
    assert not bool(sdpa(kagari, ones, ones, ones, dropout_p=1.0).any())


def test_long_sequences_are_split() -> None:
    """Scores of 2^26 numbers are never held at once: the peak stays far below their size."""
    n, size = 8192, 8
    q = kagari.zeros(1, n, size)
    kagari.cpu.empty_cache()
    kagari.cpu.reset_peak_memory_stats()
    before = kagari.cpu.memory_allocated()
    sdpa(kagari, q, q, q)
    peak = kagari.cpu.max_memory_allocated() - before
    assert peak < n * n * 4 / 4


ERRORS = {
    "mask size": lambda lib, q: sdpa(lib, q, q, q, q[0]),
    "mask integers": lambda lib, q: sdpa(lib, q, q, q, q[:, :, :3].int()),
    "mask double": lambda lib, q: sdpa(lib, q, q, q, q[:, :, :3].double()),
    "mask and causal": lambda lib, q: sdpa(lib, q, q, q, q[:, :, :3] > 0, is_causal=True),
    "dtypes": lambda lib, q: sdpa(lib, q, q.double(), q),
    "vectors": lambda lib, q: sdpa(lib, q[0, 0], q, q),
    "dropout": lambda lib, q: sdpa(lib, q, q, q, dropout_p=1.5),
    "features": lambda lib, q: sdpa(lib, q, q[..., :2], q),
    "keys": lambda lib, q: sdpa(lib, q, q, q[:, :2]),
    "heads": lambda lib, q: sdpa(lib, q[:1], q, q, enable_gqa=True),
    "complex": lambda lib, q: sdpa(lib, q + 0j, q + 0j, q + 0j),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    if name == "heads":
        q = torch.ones(2, 3, 4)
        same_error(lambda lib, q: sdpa(lib, q[None, :1], q[None], q[None], enable_gqa=True), q)
        return
    same_error(ERRORS[name], torch.ones(2, 3, 4))


class Heads:
    """Arguments of multi_head_attention_forward: 4 features, 2 heads, 3 samples."""

    def __init__(self, **options):  # type: ignore[no-untyped-def]
        self.options = options

    def __call__(self, lib, q, k, v, tensors):  # type: ignore[no-untyped-def]
        options = {"training": False, **self.options, **tensors}
        weight, bias = options.pop("in_proj_weight", None), options.pop("in_proj_bias", None)
        return [
            t for t in lib.nn.functional.multi_head_attention_forward(
                q, k, v, 4, 2, weight, bias, options.pop("bias_k", None),
                options.pop("bias_v", None), options.pop("add_zero_attn", False),
                options.pop("dropout_p", 0.0), options.pop("out_w"), options.pop("out_b"),
                **options,
            ) if t is not None
        ]  # fmt: skip


def projections(**more: torch.Tensor) -> dict[str, torch.Tensor]:
    return {
        "in_proj_weight": make(12, 4), "in_proj_bias": make(12), "out_w": make(4, 4),
        "out_b": make(4), **more,
    }  # fmt: skip


def check_heads(options: dict, tensors: dict, batch: tuple[int, ...] = (3,)) -> None:
    q, k, v = make(5, *batch, 4), make(6, *batch, 4), make(6, *batch, 4)
    names = list(tensors)

    def call(lib, q, k, v, *values):  # type: ignore[no-untyped-def]
        return Heads(**options)(lib, q, k, v, dict(zip(names, values, strict=True)))

    # PyTorch's attention without weights has no second derivative on the CPU
    order = 2 if options.get("need_weights", True) else 1
    compare(call, q, k, v, *tensors.values(), scale=10, order=order)


@pytest.mark.parametrize("weights", [True, False])
@pytest.mark.parametrize("batch", [(3,), ()], ids=str)
def test_heads(weights: bool, batch: tuple[int, ...]) -> None:
    options = {"need_weights": weights}
    check_heads(options, projections(), batch)
    check_heads({**options, "add_zero_attn": True}, projections(), batch)
    check_heads(options, projections(attn_mask=torch.ones(5, 6, dtype=torch.bool).triu(2)), batch)
    check_heads(options, projections(attn_mask=make(2 * (batch or (1,))[0], 5, 6)), batch)
    padding = torch.arange(6).expand(*batch, 6) > 3
    check_heads(options, projections(key_padding_mask=padding), batch)
    masks = {"key_padding_mask": padding, "attn_mask": make(5, 6)}
    check_heads(options, projections(**masks, bias_k=make(1, 1, 4), bias_v=make(1, 1, 4)), batch)


def test_more_of_heads() -> None:
    check_heads({"average_attn_weights": False}, projections())
    causal = torch.ones(5, 6, dtype=torch.bool).triu(1)
    check_heads({"is_causal": True, "need_weights": False}, projections(attn_mask=causal))
    check_heads({"is_causal": True}, projections(attn_mask=causal))
    static = {"static_k": make(6, 7, 2), "static_v": make(6, 7, 2)}
    check_heads({}, projections(**static))
    separate = {f"{n}_proj_weight": make(4, 4) for n in "qkv"}
    check_heads({"use_separate_proj_weight": True}, projections(**separate))
    x = make(5, 3, 4)
    names, values = zip(*projections().items(), strict=True)
    compare(
        lambda lib, x, *v: Heads()(lib, x, x, x, dict(zip(names, v, strict=True))), x, *values,
        scale=10,
    )  # fmt: skip


WRONG_HEADS = {
    "rank": ({}, {}, (3, 1)),
    "features": ({}, {}, "features"),
    "mask": ({}, {"attn_mask": torch.zeros(4, 4)}, (3,)),
    "mask of heads": ({}, {"attn_mask": torch.zeros(3, 5, 6)}, (3,)),
    "padding": ({}, {"key_padding_mask": torch.zeros(3, 5)}, (3,)),
    "padding integers": ({}, {"key_padding_mask": torch.zeros(3, 6, dtype=torch.int64)}, (3,)),
    "causal": ({"is_causal": True}, {}, (3,)),
}


@pytest.mark.parametrize("name", WRONG_HEADS)
def test_errors_of_heads(name: str) -> None:
    options, more, batch = WRONG_HEADS[name]
    size = 6 if batch == "features" else 4
    batch = (3,) if batch == "features" else batch
    tensors = {k: t.detach() for k, t in projections(**more).items()}
    q, k = make(5, *batch, size, grad=False), make(6, *batch, size, grad=False)
    names, values = zip(*tensors.items(), strict=True)
    same_error(
        lambda lib, q, k, *v: Heads(**options)(lib, q, k, k, dict(zip(names, v, strict=True))),
        q, k, *values,
    )  # fmt: skip


@pytest.mark.parametrize("needed", [(0, 1, 2), (0,), (1,), (2,)], ids=str)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.usefixtures("blocks")
def test_first_derivatives(needed: tuple[int, ...], causal: bool) -> None:
    """Without a derivative to follow, blocks have a rule of their own."""
    given = [t.requires_grad_(i in needed) for i, t in enumerate(operands(2, 3, grad=False))]
    compare(sdpa, *given, is_causal=causal, scale=10, order=1)
