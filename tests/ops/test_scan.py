"""Scans beside PyTorch: values, ties, NaN and infinities, gradients with and without zeros."""

import pytest
import torch

import kagari
from tests.ops.beside_torch import DTYPES, REAL, compare, compare_gradients, layouts, ours, sample

SHAPES = [(), (1,), (9,), (0,), (3, 0), (3, 4), (4, 3, 5), (2, 300), (300, 20)]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_sums_and_products(name, dtype):
    for shape in SHAPES:
        if name == "cumprod" and 300 in shape:
            continue
        for layout, x in layouts(sample(dtype, *shape)).items():
            for dim in range(-max(len(shape), 1), max(len(shape), 1)):
                compare(name, x, dim, scale=20, note=f"{name} {shape} {layout} dim={dim}")


@pytest.mark.parametrize("dtype", REAL, ids=str)
@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_extremes(name, dtype):
    for shape in SHAPES:
        for layout, x in layouts(sample(dtype, *shape)).items():
            for dim in range(max(len(shape), 1)):
                compare(name, x, dim, note=f"{name} {shape} {layout} dim={dim}")


def test_special_values():
    x = torch.randn(5, 12)
    x[0, 3], x[1, 4], x[2, 5], x[3] = torch.nan, torch.inf, -torch.inf, -torch.inf
    x[4, 2], x[4, 7] = torch.inf, -torch.inf
    for name in ("cumsum", "cummax", "cummin", "logcumsumexp"):
        for dim in (0, 1):
            compare(name, x, dim, scale=20, note=f"{name} {dim}")


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64], ids=str)
def test_logcumsumexp(dtype):
    for shape in SHAPES:
        for x in layouts(sample(dtype, *shape) * 10).values():
            for dim in range(max(len(shape), 1)):
                compare("logcumsumexp", x, dim, scale=10)


def test_complex_angles_are_not_wrapped():
    """Of complex numbers the imaginary part goes on from that of the largest element so far."""
    x = torch.complex(sample(torch.float64, 4, 9) * 3, sample(torch.float64, 4, 9) * 9)
    x[1, 0], x[2, 3], x[3] = complex(-torch.inf, 1), complex(-torch.inf, 0), 0
    compare("logcumsumexp", x, 1, scale=10)
    compare_gradients("logcumsumexp", x[:1].clone().requires_grad_(), 1)


def test_result_dtype():
    compare("cumsum", sample(torch.int32, 3, 4), 1, dtype=torch.float64)
    compare("cumprod", sample(torch.float32, 3, 4), 1, dtype=torch.int8)
    compare("logcumsumexp", sample(torch.complex128, 3, 4), 1, scale=10)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"])
def test_gradients(name):
    for shape in [(5,), (3, 4), (2, 3, 4)]:
        for dim in range(len(shape)):
            compare_gradients(name, sample(torch.float64, *shape).requires_grad_(), dim)


def test_products_with_zeros():
    for places in ([1], [0, 2], [3]):
        x = sample(torch.float64, 3, 4)
        x[1, places] = 0
        compare_gradients("cumprod", x.requires_grad_(), 1)


def test_float32_sums_run_in_float64():
    x = torch.full((100_000,), 0.1)
    compare("cumsum", x, 0, scale=0.1)


def test_errors_and_meta():
    x = ours(sample(torch.float32, 3, 4))
    for name in ("cumsum", "cumprod", "cummax", "logcumsumexp"):
        with pytest.raises(IndexError, match="Dimension out of range"):
            getattr(kagari, name)(x, 2)
    assert x.to("meta").cumsum(0).shape == (3, 4)
