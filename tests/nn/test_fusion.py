"""Fusing normalisation, skipping initialisation, memory formats of weights: beside PyTorch's."""

from typing import Any

import pytest
import torch

import kagari
from tests.nn.side_by_side import assert_same, to_kagari, twins
from tests.nn.test_modules import x
from tests.ops.pairs import same_error

CONVS = [
    ("Conv2d", (3, 4, 2), {}, "BatchNorm2d", (2, 3, 5, 5)),
    ("Conv1d", (3, 4, 2), {"bias": False}, "BatchNorm1d", (2, 3, 5)),
    ("ConvTranspose2d", (3, 4, 2), {}, "BatchNorm2d", (2, 3, 5, 5)),
]


@pytest.mark.parametrize(("name", "args", "options", "norm", "shape"), CONVS)
@pytest.mark.parametrize("affine", [True, False])
def test_convolutions(
    name: str, args: Any, options: Any, norm: str, shape: Any, affine: bool
) -> None:
    ours, theirs = twins(name, *args, **options)
    norms = twins(norm, 4, affine=affine)
    for each in (ours, theirs, *norms):
        each.eval()
    for buffer in ("running_mean", "running_var"):
        value = x(4, grad=False, positive=True)
        getattr(norms[0], buffer).copy_(to_kagari(value))
        getattr(norms[1], buffer).copy_(value)
    transpose = "Transpose" in name
    fused = kagari.nn.utils.fuse_conv_bn_eval(ours, norms[0], transpose)
    given = x(*shape, grad=False)
    assert_same(fused(to_kagari(given)), norms[1](theirs(given)))
    assert_same(fused.weight, torch.nn.utils.fuse_conv_bn_eval(theirs, norms[1], transpose).weight)
    assert isinstance(fused.bias, kagari.nn.Parameter)
    assert fused.weight.requires_grad


@pytest.mark.parametrize("features", [4, 1])
def test_linear(features: int) -> None:
    ours, theirs = twins("Linear", 3, 4)
    norms = twins("BatchNorm1d", features)
    for each in (ours, theirs, *norms):
        each.eval()
    fused = kagari.nn.utils.fuse_linear_bn_eval(ours, norms[0])
    expected = torch.nn.utils.fuse_linear_bn_eval(theirs, norms[1])
    given = x(2, 3, grad=False)
    assert_same(fused(to_kagari(given)), expected(given))


ERRORS = {
    "training": lambda t: t.nn.utils.fuse_conv_bn_eval(t.nn.Conv2d(1, 2, 1), t.nn.BatchNorm2d(2)),
    "features": lambda t: t.nn.utils.fuse_linear_bn_eval(
        t.nn.Linear(3, 4).eval(), t.nn.BatchNorm1d(3).eval()
    ),
    "no statistics": lambda t: t.nn.utils.fuse_conv_bn_eval(
        t.nn.Conv2d(1, 2, 1).eval(), t.nn.BatchNorm2d(2, track_running_stats=False).eval()
    ),
    "no module": lambda t: t.nn.utils.skip_init(int),
    "no device": lambda t: t.nn.utils.skip_init(t.nn.ReLU),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    same_error(ERRORS[name])


def test_skip_init() -> None:
    kagari.manual_seed(0)
    before = kagari.get_rng_state()
    layer = kagari.nn.utils.skip_init(kagari.nn.Linear, 3, 4, dtype=kagari.float64)
    assert layer.weight.shape == (4, 3)
    assert layer.weight.dtype == kagari.float64
    assert layer.weight.device.type == "cpu"
    assert kagari.equal(before, kagari.get_rng_state())


def test_memory_formats() -> None:
    net = kagari.nn.Sequential(kagari.nn.Conv2d(3, 4, 2), kagari.nn.Conv3d(3, 4, 2))
    assert kagari.nn.utils.convert_conv2d_weight_memory_format(net, kagari.channels_last) is net
    kagari.nn.utils.convert_conv3d_weight_memory_format(net, kagari.channels_last_3d)
    assert net[0].weight.is_contiguous(memory_format=kagari.channels_last)
    assert net[1].weight.is_contiguous(memory_format=kagari.channels_last_3d)
    assert isinstance(net[0].weight, kagari.nn.Parameter)
