"""Order statistics beside PyTorch."""

import pytest
import torch

import kagari
from tests.ops.beside_torch import compare, compare_gradients, ours, sample

SHAPES = [(), (1,), (7,), (4, 5), (3, 1, 6), (2, 40)]
REAL = [torch.uint8, torch.int64, torch.float32, torch.float64, torch.bfloat16]


def with_nan(*shape):
    x = sample(torch.float64, *shape)
    if x.dim():
        x.view(-1)[::3] = torch.nan
    return x


@pytest.mark.parametrize("dtype", REAL, ids=str)
@pytest.mark.parametrize("name", ["median", "nanmedian", "mode"])
def test_values(name, dtype):
    for shape in SHAPES:
        x = sample(dtype, *shape)
        if name != "mode":
            compare(name, x)
        for dim in range(max(len(shape), 1)):
            for keepdim in (False, True):
                expected = getattr(torch, name)(x, dim, keepdim)
                got = getattr(kagari, name)(ours(x), dim, keepdim)
                assert got.values.tolist() == expected.values.tolist()
                assert tuple(got.indices.shape) == tuple(expected.indices.shape)
                if shape:  # which of equal elements is told is no part of the promise
                    picked = x.gather(
                        dim,
                        torch.tensor(got.indices.tolist()).reshape(
                            expected.values.shape
                            if keepdim
                            else expected.values.unsqueeze(dim).shape
                        ),
                    )
                    assert picked.flatten().tolist() == expected.values.flatten().tolist()


def test_nan():
    for shape in SHAPES:
        x = with_nan(*shape)
        for name in ("median", "nanmedian", "nanmean"):
            compare(name, x)
        for dim in range(len(shape)):
            compare("median", x, dim)
            compare("nanmedian", x, dim)
            compare("nanmean", x, dim, keepdim=True)
            for q in (0.0, 0.3, [0.1, 0.5, 1.0]):
                q = torch.tensor(q, dtype=torch.float64)
                compare("quantile", x, q, dim)
                compare("nanquantile", x, q, dim, keepdim=True)
    compare("nanmean", torch.full((3,), torch.nan))
    compare("nanmedian", torch.full((3,), torch.nan))


@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "nearest", "midpoint"])
def test_quantile(interpolation):
    for shape in SHAPES:
        x = sample(torch.float64, *shape)
        for q in (0.0, 0.5, 0.77, 1.0, torch.tensor([0.2, 0.9], dtype=torch.float64)):
            for keepdim in (False, True):
                compare("quantile", x, q, keepdim=keepdim, interpolation=interpolation)
                for dim in range(len(shape)):
                    compare("quantile", x, q, dim, keepdim, interpolation=interpolation)


def test_gradients():
    x = sample(torch.float64, 4, 5).requires_grad_()
    for dim in (0, 1):
        for name in ("median", "nanmedian"):
            compare_gradients(name, x, dim)
        compare_gradients("nanmean", x, dim)
        compare_gradients("quantile", x, 0.3, dim)
    compare_gradients("median", x)


def test_errors():
    x = sample(torch.float32, 3)
    for name, args in (
        ("quantile", (1.5,)),
        ("quantile", (torch.zeros(2, 2),)),
        ("quantile", (0.5, 0, False, "cubic")),
        ("median", (2,)),
        ("nanmean", ()),
    ):
        options = {"interpolation": args[3]} if len(args) == 4 else {}
        given = sample(torch.int64, 3) if name == "nanmean" else x
        with pytest.raises((RuntimeError, IndexError)) as expected:
            getattr(torch, name)(given, *args[:3], **options)
        with pytest.raises(expected.type):
            getattr(kagari, name)(ours(given), *map(ours, args[:3]), **options)
