"""Resized images of bytes, bit by bit as PyTorch's, and of halves, summed in float32."""

import itertools

import pytest
import torch

import kagari

SIZES = [{"size": (3, 2)}, {"size": (7, 11)}, {"size": (20, 31)}, {"scale_factor": 0.6}]


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_bytes(mode):
    bytes_ = torch.randint(0, 256, (2, 3, 13, 11), dtype=torch.uint8)
    for size, antialias, corners in itertools.product(SIZES, (False, True), (False, True)):
        options = {**size, "mode": mode, "antialias": antialias, "align_corners": corners}
        expected = torch.nn.functional.interpolate(bytes_, **options)
        found = kagari.nn.functional.interpolate(kagari.from_numpy(bytes_.numpy()), **options)
        assert found.dtype == kagari.uint8 and found.is_contiguous()
        assert found.tolist() == expected.tolist(), options


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves(dtype):
    given = kagari.randn(1, 2, 9, 8).to(getattr(kagari, dtype))
    for size in SIZES:
        options = {**size, "mode": "bicubic", "align_corners": False}
        found = kagari.nn.functional.interpolate(given, **options)
        exact = kagari.nn.functional.interpolate(given.double(), **options)
        assert found.equal(exact.to(given.dtype)) or found.sub(exact).abs().max() < 0.01
