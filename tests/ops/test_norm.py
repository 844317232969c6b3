"""Normalisations beside PyTorch: shapes, layouts, dtypes, statistics, gradients of both orders."""

import pytest
import torch

import kagari
from tests.ops.beside_torch import FLOATING, assert_close, compare, compare_gradients, ours, sample

F64 = torch.float64


def leaf(*sizes, dtype=F64, seed=0):
    return sample(dtype, *sizes, seed=seed).requires_grad_()


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
def test_layer_and_rms_norm(dtype):
    for shape, normalized in (
        ((3, 4), (4,)),
        ((5, 33), (33,)),
        ((2, 3, 40), (3, 40)),
        ((7,), (7,)),
        ((0, 4), (4,)),
        ((300, 16), (16,)),
    ):
        x = sample(dtype, *shape) * 3 + 1
        w, b = sample(dtype, *normalized, seed=1), sample(dtype, *normalized, seed=2)
        for args in ((), (w,), (w, b), (None, b)):
            compare("layer_norm", x, normalized, *args, scale=20)
        for args in ((), (w,), (w, 1e-3)):
            compare("rms_norm", x, normalized, *args, scale=20)
    x = sample(dtype, 6, 5).T
    compare("layer_norm", x, (6,), scale=20)
    compare("rms_norm", x, (6,), scale=20)


def test_long_rows():
    x = sample(torch.float32, 2, 40_000) + 5
    w = sample(torch.float32, 40_000)
    compare("layer_norm", x, (40_000,), w, w, scale=20)
    compare("rms_norm", x, (40_000,), w, scale=20)


def test_layer_norm_gradients():
    x = leaf(6, 5)
    for args in ((), (leaf(5, seed=1),), (leaf(5, seed=1), leaf(5, seed=2))):
        compare_gradients("layer_norm", x, (5,), *args)
        compare_gradients("layer_norm", x, (5,), *args, second=False)
    compare_gradients("layer_norm", leaf(2, 3, 4), (3, 4), leaf(3, 4, seed=1), leaf(3, 4, seed=2))
    wide = leaf(300, 40, dtype=torch.float32)
    w, b = leaf(40, dtype=torch.float32, seed=1), leaf(40, dtype=torch.float32, seed=2)
    compare_gradients("layer_norm", wide, (40,), w, b, second=False, scale=50)


def test_rms_norm_gradients():
    for args in ((), (leaf(5, seed=1),)):
        compare_gradients("rms_norm", leaf(6, 5), (5,), *args)
        compare_gradients("rms_norm", leaf(6, 5), (5,), *args, second=False)
    compare_gradients(
        "rms_norm", leaf(300, 40, dtype=torch.float32), (40,), leaf(40, dtype=torch.float32),
        second=False, scale=50,
    )  # fmt: skip


SHAPES = [(6, 3), (4, 3, 5), (2, 4, 3, 5), (2, 4, 2, 3, 2), (300, 5), (3, 20, 17, 9)]


def channel_layouts(x):
    yield x
    if x.dim() == 4:
        yield x.contiguous(memory_format=torch.channels_last)
        yield x.transpose(2, 3)
    yield torch.stack([x, x], -1)[..., 0]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, F64, torch.bfloat16], ids=str)
def test_batch_norm(dtype, training):
    for shape in SHAPES:
        channels = shape[1]
        w, b = (sample(dtype, channels, seed=s) for s in (1, 2))
        for x in channel_layouts(sample(dtype, *shape) * 2 + 3):
            for affine in ((w, b), (None, None), (w, None)):
                mean, var = sample(dtype, channels, seed=3), sample(dtype, channels).abs() + 0.5
                their = [mean.clone(), var.clone()]
                expected = torch.batch_norm(x, *affine, *their, training, 0.3, 1e-5, False)
                running = [ours(mean), ours(var)]
                got = kagari.batch_norm(ours(x), *map(ours, affine), *running, training, 0.3, 1e-5)
                assert_close(got, expected, 50, f"{shape}")
                if x.stride()[1] == 1 or x.is_contiguous():
                    assert got.stride() == x.stride()
                for mine, other in zip(running, their, strict=True):
                    assert_close(mine, other, 50, "running")


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_gradients(training):
    mean, var = sample(F64, 4, seed=3), sample(F64, 4).abs() + 0.5
    for shape in [(6, 4), (3, 4, 5), (2, 4, 3, 3)]:
        for second in (True, False):
            for w, b in ((leaf(4, seed=1), leaf(4, seed=2)), (None, None)):
                args = (w, b, mean.clone(), var.clone(), training, 0.1, 1e-5, False)
                compare_gradients("batch_norm", leaf(*shape), *args, second=second)
    x = leaf(4, 20, 9, 9, dtype=torch.float32)
    w = leaf(20, dtype=torch.float32, seed=1)
    args = (w, w.detach(), None, None, True, 0.1, 1e-5, False)
    compare_gradients("batch_norm", x, *args, second=False, scale=100)
    nhwc = x.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    compare_gradients("batch_norm", nhwc, *args, second=False, scale=100)


def test_group_norm():
    for dtype in (torch.float32, F64, torch.bfloat16):
        for shape, groups in (((3, 4), 2), ((2, 6, 5), 3), ((2, 6, 4, 3), 6), ((2, 6, 4, 3), 1)):
            channels = shape[1]
            w, b = (sample(dtype, channels, seed=s) for s in (1, 2))
            for x in channel_layouts(sample(dtype, *shape) * 2 + 3):
                for affine in ((w, b), (None, None)):
                    compare("group_norm", x, groups, *affine, scale=50)


def test_group_norm_gradients():
    for shape, groups in (((3, 4), 2), ((2, 6, 5), 3), ((2, 4, 3, 2), 1)):
        for second in (True, False):
            w, b = leaf(shape[1], seed=1), leaf(shape[1], seed=2)
            compare_gradients("group_norm", leaf(*shape), groups, w, b, second=second)
            compare_gradients("group_norm", leaf(*shape), groups, second=second)


def test_native_forms():
    """The names that also give the statistics."""
    x, w = sample(torch.float32, 2, 4, 6), sample(torch.float32, 4)
    compare("native_layer_norm", x, (6,), None, None, 1e-5, scale=20)
    compare("native_group_norm", x, w, w, 2, 4, 6, 2, 1e-5, scale=20)
    for training in (True, False):
        mean, var = torch.zeros(4), torch.ones(4)
        compare("native_batch_norm", x, w, w, mean, var, training, 0.0, 1e-5, scale=50)


def test_errors():
    x = sample(torch.float32, 3, 4)
    for call in (
        lambda lib, c: lib.layer_norm(c(x), (5,)),
        lambda lib, c: lib.layer_norm(c(x), ()),
        lambda lib, c: lib.layer_norm(c(x), (4,), c(x)),
        lambda lib, c: lib.group_norm(c(x), 3),
        lambda lib, c: lib.batch_norm(c(x), c(x[0, :3]), None, None, None, True, 0.1, 1e-5, False),
        lambda lib, c: lib.batch_norm(c(x), None, None, None, None, False, 0.1, 1e-5, False),
    ):
        with pytest.raises(RuntimeError) as expected:
            call(torch, lambda v: v)
        with pytest.raises(expected.type, match="norm"):
            call(kagari, ours)


def test_meta():
    x = ours(sample(torch.float32, 3, 4)).to("meta")
    assert kagari.layer_norm(x, (4,)).is_meta
    assert kagari.batch_norm(x, None, None, None, None, True, 0.1, 1e-5).shape == (3, 4)
