"""Softmax and log-softmax beside PyTorch: dimensions, layouts, sizes around the lanes, extremes."""

import pytest
import torch

import kagari
from tests.ops.beside_torch import FLOATING, compare, compare_gradients, layouts, ours, sample

NAMES = ["softmax", "log_softmax"]
SHAPES = [(), (1,), (7,), (0, 3), (3, 0), (3, 4), (5, 10), (2, 17, 40), (300, 9), (4, 1000)]


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_values(name, dtype):
    for shape in [
        (),
        (1,),
        (7,),
        (0, 3),
        (3, 0),
        (3, 4),
        (5, 10),
        (2, 17, 40),
        (300, 9),
        (4, 1000),
    ]:
        for layout, x in layouts(sample(dtype, *shape)).items():
            for dim in range(-max(len(shape), 1), max(len(shape), 1)):
                compare(name, x * 5, dim, scale=5, note=f"{name} {shape} {layout} dim={dim}")


@pytest.mark.parametrize("name", NAMES)
def test_extremes(name):
    x = torch.randn(6, 20) * 100
    x[1, 3], x[2, 4], x[3], x[4, 0], x[5] = torch.inf, -torch.inf, -torch.inf, torch.nan, 1e38
    for dim in (0, 1):
        compare(name, x, dim, scale=30)


def test_result_dtype():
    compare("softmax", sample(torch.int64, 3, 4), 1, dtype=torch.float32)
    compare("log_softmax", sample(torch.float16, 3, 4), 1, dtype=torch.float32)


@pytest.mark.parametrize("name", NAMES)
def test_gradients(name):
    for shape, dim in (((5,), 0), ((3, 4), 0), ((3, 4), 1), ((2, 3, 4), 1), ((2, 20), -1)):
        compare_gradients(name, sample(torch.float64, *shape).requires_grad_(), dim)
    leaf = sample(torch.float32, 40, 33).requires_grad_()
    compare_gradients(name, leaf, 1, second=False, scale=20)


@pytest.mark.parametrize("name", NAMES)
def test_errors(name):
    x = sample(torch.float32, 3, 4)
    for args, error in (((2,), IndexError), ((-3,), IndexError)):
        with pytest.raises(error):
            getattr(torch, name)(x, *args)
        with pytest.raises(error, match=name):
            getattr(kagari, name)(ours(x), *args)
    with pytest.raises(NotImplementedError, match="floating point"):
        getattr(kagari, name)(ours(sample(torch.int64, 3)), 0)


def test_meta_and_out():
    x = sample(torch.float16, 3, 4)
    assert ours(x).to("meta").softmax(1).shape == (3, 4)
    out = kagari.empty(3, 4)
    assert kagari.softmax(ours(x.float()), 1, out=out) is out
