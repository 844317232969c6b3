"""Copies: conversions to every dtype, and memory read in another order than it is written."""

import itertools

import numpy as np
import pytest
import torch

import kagari

SIZES = {"uint8": 1, "int16": 2, "float32": 4, "float64": 8, "complex128": 16}


@pytest.mark.parametrize("dtype", SIZES)
@pytest.mark.parametrize("shape", [(7, 130), (3, 5, 2, 67), (2, 64, 9, 33), (1, 70, 66), (300, 3)])
def test_permuted_copies(dtype: str, shape: tuple[int, ...]) -> None:
    x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    for order in itertools.permutations(range(len(shape))):
        view = kagari.from_numpy(x).permute(order)
        copy = view.contiguous()
        assert copy.is_contiguous()
        np.testing.assert_array_equal(copy.numpy(), x.transpose(order))
        # to memory with gaps, in an order of its own
        wide = kagari.zeros(*[2 * n for n in view.shape], dtype=view.dtype)
        window = wide[
            tuple(slice(0, 2 * n, 2) if i else slice(n) for i, n in enumerate(view.shape))
        ]
        window.copy_(view)
        np.testing.assert_array_equal(window.numpy(), x.transpose(order))
        assert (wide != 0).sum() == (view != 0).sum()


@pytest.mark.parametrize("code", [
    "x[..., ::2].permute(2, 0, 1)", "x.flip(2).permute(1, 2, 0)", "x[:, 3:, 1:].transpose(0, 2)",
    "x.unsqueeze(1).expand(-1, 3, -1, -1).permute(3, 1, 2, 0)",
])  # fmt: skip
def test_copies_of_other_windows(code: str) -> None:
    x = torch.randn(20, 30, 40)
    expected = eval(code, {"x": x}).contiguous().numpy()
    found = eval(code, {"x": kagari.from_numpy(x.numpy())}).contiguous().numpy()
    np.testing.assert_array_equal(found, expected)


def test_channels_last_copies_and_gradients() -> None:
    x = kagari.rand(3, 20, 9, 11, requires_grad=True)
    y = x.contiguous(memory_format=kagari.channels_last)
    assert y.stride() == (20 * 99, 1, 220, 20)
    (y * kagari.arange(y.numel()).view(y.shape)).sum().backward()
    assert kagari.equal(x.grad, kagari.arange(y.numel()).view(y.shape).float())


def every_half() -> np.ndarray:
    return np.arange(65536, dtype=np.uint32).astype(np.uint16).view(np.float16)


def test_every_half_as_float_and_back() -> None:
    halves = every_half()
    x = kagari.from_numpy(halves)
    for dtype in ("float32", "float64"):
        np.testing.assert_array_equal(x.to(getattr(kagari, dtype)).numpy(), halves.astype(dtype))
    back = x.float().to(kagari.float16).numpy()
    numbers = ~np.isnan(halves)
    np.testing.assert_array_equal(back[numbers].view(np.uint16), halves[numbers].view(np.uint16))
    assert np.isnan(back[~numbers]).all()


@pytest.mark.parametrize("start", range(8))  # lines whose end fills no register
def test_floats_to_half_and_bfloat16(start: int) -> None:
    generator = np.random.default_rng(start)
    bits = generator.integers(0, 2**32, 40000, dtype=np.uint32).view(np.float32)
    near = every_half().astype(np.float32)
    ties = np.nextafter(near, generator.choice([-np.inf, np.inf], near.shape).astype(np.float32))
    with np.errstate(all="ignore"):
        between = (near[:-1] + near[1:]) / 2
        values = np.concatenate([bits, near, ties, between])[start:]
        expected = values.astype(np.float16)
    found = kagari.from_numpy(values).to(kagari.float16).numpy()
    np.testing.assert_array_equal(found, expected)  # NaN equals NaN here
    theirs = torch.from_numpy(values).to(torch.bfloat16).float().numpy()
    np.testing.assert_array_equal(
        kagari.from_numpy(values).to(kagari.bfloat16).float().numpy(), theirs
    )


DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
          "float64", "complex64"]  # fmt: skip


@pytest.mark.parametrize("source", DTYPES)
@pytest.mark.parametrize("target", DTYPES)
@pytest.mark.filterwarnings("ignore:Casting complex values")
def test_conversions(source: str, target: str) -> None:
    x = torch.tensor([0, 1, 2, -1, 100, -100, 255, 300, 70000, 2.5, -0.5, 0.9] * 9)
    x = x.to(getattr(torch, source))
    if target in ("uint8", "int8", "int16") and source in ("complex64", *DTYPES[6:10]):
        x = x.clamp(-100, 100) if source != "complex64" else x / 1000
    if source == "float16" and "int" in target:
        x[x.isinf()] = 7  # what an infinity becomes differs from processor to processor
    ours = kagari.from_dlpack(x).to(getattr(kagari, target))
    theirs = x.to(getattr(torch, target))
    wide = "complex128" if target == "complex64" else "float64"
    found = ours.to(getattr(kagari, wide)).numpy()
    np.testing.assert_array_equal(found, theirs.to(getattr(torch, wide)).numpy())
    strided = kagari.from_dlpack(x)[::3].to(getattr(kagari, target))
    assert kagari.equal(strided, ours[::3])


@pytest.mark.parametrize("shape", [(5, 3000), (70, 9, 11), (4000,)])
def test_roll_of_long_rows(shape: tuple[int, ...]) -> None:
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    for dim in range(len(shape)):
        for shift in (1, -3, shape[dim] // 2, shape[dim] + 2):
            found = kagari.from_numpy(x).roll(shift, dim)
            np.testing.assert_array_equal(found.numpy(), np.roll(x, shift, dim))
            turned = kagari.from_numpy(x).permute(*range(x.ndim)[::-1]).roll(shift, -1 - dim)
            np.testing.assert_array_equal(turned.numpy(), np.roll(x.T, shift, -1 - dim))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("n", [1, 17, 63, 64, 300, 100_003])
def test_filled_lines(dtype: str, n: int) -> None:
    for value in (0, 1, -0.0 if dtype.startswith("f") else 3):
        x = np.full(n + 2, 9, dtype=dtype)
        kagari.from_numpy(x)[1:-1].fill_(value)
        assert x[0] == x[-1] == 9
        np.testing.assert_array_equal(x[1:-1].view("u1"), np.full(n, value, dtype).view("u1"))
