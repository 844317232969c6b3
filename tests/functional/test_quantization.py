"""Fake quantisation beside PyTorch: values, gradients, wrong input."""

import numpy as np
import pytest
import torch

import kagari


def both(dtype, call, values):
    """Result and gradient in float64, from either side."""
    found = []
    for library, x in ((torch, torch.from_numpy(values)), (kagari, kagari.from_numpy(values))):
        x = x.to(getattr(library, dtype)).requires_grad_()
        out = call(library, x)
        assert str(out.dtype) == f"torch.{dtype}"
        (out * library.ones_like(out)).sum().backward()
        found.append([t.detach().double().numpy() for t in (out, x.grad)])
    return found


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_per_tensor(dtype):
    values = np.append(np.linspace(-3, 12, 101), [np.inf, -np.inf])
    for scale, zero_point in ((0.13, 3), ("tensor", "tensor")):

        def call(library, x, scale=scale, zero_point=zero_point):
            if scale == "tensor":
                scale = library.tensor([0.25], dtype=library.float32)
                zero_point = library.tensor([-2], dtype=library.int32)
            return library.fake_quantize_per_tensor_affine(x, scale, zero_point, -8, 60)

        theirs, ours = both(dtype, call, values)
        for a, b in zip(theirs, ours, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_per_channel(axis):
    values = np.random.default_rng(0).normal(size=(4, 4))

    def call(library, x):
        scale = library.tensor([0.1, 0.2, 0.3, 0.05])
        zero_point = library.tensor([0, 1, 7, 3], dtype=library.int32)
        return library.fake_quantize_per_channel_affine(x, scale, zero_point, axis % 2, 0, 7)

    theirs, ours = both("float32", call, values)
    for a, b in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda x: kagari.fake_quantize_per_tensor_affine(x.int(), 0.1, 0, 0, 7), "input"),
        (lambda x: kagari.fake_quantize_per_tensor_affine(x, 0.1, 0, 7, 0), "quant_min"),
        (lambda x: kagari.fake_quantize_per_tensor_affine(x, x, 0, 0, 7), "scale"),
        (lambda x: kagari.fake_quantize_per_channel_affine(x, x, x, 1, 0, 7), "axis"),
        (lambda x: kagari.fake_quantize_per_channel_affine(x, x[1:], x, 0, 0, 7), "scale"),
        (lambda x: kagari.fake_quantize_per_channel_affine(x, x, (x + 9).int(), 0, 0, 7), "zero_"),
    ],
)
def test_wrong_input(call, part):
    with pytest.raises(RuntimeError, match=part):
        call(kagari.ones(3))
