"""Reductions beside PyTorch: dtypes, layouts, dimensions, extremes, gradients, errors, accuracy."""

import itertools
import math

import pytest
import torch

import kagari
from tests.ops.beside_torch import (
    DTYPES,
    FLOATING,
    REAL,
    assert_close,
    compare,
    compare_gradients,
    layouts,
    ours,
    sample,
    theirs,
)

INEXACT = [d for d in DTYPES if d.is_floating_point or d.is_complex]
SHAPES = [(), (1,), (5,), (0,), (3, 4), (2, 0, 3), (4, 1, 5), (3, 4, 5, 2), (33, 70)]


def dims_of(shape):
    """None, every single dimension, every pair, all."""
    rank = max(len(shape), 1)
    yield None
    yield from range(-rank, rank)
    yield from itertools.combinations(range(len(shape)), 2)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ["sum", "any", "all", "count_nonzero"])
def test_any_dtype(name, dtype):
    for shape in SHAPES:
        for layout, x in layouts(sample(dtype, *shape)).items():
            for dim in dims_of(shape):
                keep = {} if name == "count_nonzero" else {"keepdim": True}
                note = f"{name} {shape} {layout} dim={dim}"
                compare(name, x, dim=dim, scale=10, note=note)
                if dim is not None and keep:
                    compare(name, x, dim, scale=10, note=note, **keep)


@pytest.mark.parametrize(
    "dtype", [d for d in DTYPES if d.is_floating_point or d.is_complex], ids=str
)
@pytest.mark.parametrize("name", ["mean", "var", "std", "logsumexp", "norm", "nansum"])
def test_floating(name, dtype):
    if dtype.is_complex and name in ("logsumexp", "nansum"):
        return
    for shape in SHAPES:
        for layout, x in layouts(sample(dtype, *shape)).items():
            for dim in dims_of(shape):
                if dim is None and name == "logsumexp":
                    continue
                note = f"{name} {shape} {layout} dim={dim}"
                compare(name, x, dim=dim, scale=10, note=note)
                if dim is not None:
                    compare(name, x, dim=dim, keepdim=True, scale=10, note=note)


@pytest.mark.parametrize("dtype", REAL, ids=str)
@pytest.mark.parametrize("name", ["amax", "amin", "argmax", "argmin", "max", "min"])
def test_extremes(name, dtype):
    if dtype == torch.bool and name.startswith("arg"):
        return
    for shape in [s for s in SHAPES if 0 not in s]:
        for layout, x in layouts(sample(dtype, *shape)).items():
            compare(name, x, note=f"{name} {shape} {layout}")
            for dim in range(-max(len(shape), 1), max(len(shape), 1)):
                for keepdim in (False, True):
                    note = f"{name} {shape} {layout} dim={dim}"
                    compare(name, x, dim, keepdim, note=note)
    if name in ("amax", "amin"):
        compare(name, sample(dtype, 3, 4, 5), (0, 2))


@pytest.mark.parametrize(
    "dtype", [torch.uint8, torch.int64, torch.float32, torch.complex64], ids=str
)
def test_prod(dtype):
    for shape in SHAPES:
        for x in layouts(sample(dtype, *shape)).values():
            compare("prod", x, scale=10)
            for dim in range(len(shape)):
                compare("prod", x, dim, True, scale=10)


@pytest.mark.parametrize("p", [0, 1, 2, 3, 0.5, -1.5, math.inf, -math.inf])
def test_norms(p):
    for dtype in (torch.float32, torch.float64, torch.complex64):
        x = sample(dtype, 4, 5, 3)
        for dim in (None, 0, (0, 2)):
            compare("norm", x, p, dim, scale=10)
    leaf = sample(torch.float64, 4, 5).requires_grad_()
    compare_gradients("norm", leaf, p, 1, second=p != 0)
    compare("norm", sample(torch.float32, 3, 4))


@pytest.mark.parametrize("correction", [0, 1, 2, 0.5, 100])
def test_correction(correction):
    x = sample(torch.float64, 4, 6)
    for name in ("var", "std", "var_mean", "std_mean"):
        compare(name, x, dim=1, correction=correction)
        compare(name, x, correction=correction)
    for name in ("var", "std"):
        compare(name, x, False)
        compare(name, x, 0, True)
        compare(name, x, (0, 1), unbiased=False, keepdim=True)


def test_result_dtype():
    for source, target in itertools.product(
        (torch.int32, torch.float32), (torch.float64, torch.int16)
    ):
        compare("sum", sample(source, 3, 4), dtype=target)
        compare("prod", sample(source, 3, 4), 1, dtype=target)
    compare("mean", sample(torch.int64, 3, 4), dtype=torch.float32)
    compare("sum", sample(torch.float16, 3, 4), 0, dtype=torch.float32)
    compare("nansum", sample(torch.int8, 3, 4))


def test_nan_and_infinity():
    x = torch.randn(4, 40)
    x[0, 3], x[0, 30], x[1, 39] = math.nan, math.nan, math.inf
    x[2] = -math.inf
    x[3, 0], x[3, 1] = math.inf, -math.inf
    for name in ("sum", "amax", "amin", "argmax", "argmin", "logsumexp", "mean", "nansum", "var"):
        for a in layouts(x).values():
            compare(name, a, 1, scale=10, note=name)
    compare("max", x, 1)
    compare("min", x, 1)
    compare("max", x)
    compare("aminmax", x)
    compare("aminmax", x, dim=0)


def test_long_rows_are_cut_into_blocks():
    """Above and around the sizes at which a row is cut, both ways of walking."""
    for n in (8191, 16384, 16385, 50_001):
        x = sample(torch.float32, n)
        for name in ("sum", "mean", "var", "amax", "argmax", "argmin", "logsumexp", "std_mean"):
            compare(name, x, 0, scale=20, note=f"{name} {n}")
    for m in (255, 257, 1000):
        x = sample(torch.float32, m, 37)
        for name in ("sum", "mean", "var", "amax", "argmax", "argmin", "logsumexp", "max"):
            compare(name, x, 0, scale=20, note=f"{name} {m}")
        compare("sum", x.to(torch.int32), 0)
    x = torch.zeros(30_000)
    x[20_001] = x[29_999] = 1
    compare("argmax", x)
    compare("argmin", x)
    compare("argmax", x.bool().to(torch.uint8))


def test_large_sums_are_accurate():
    """Against float64: no worse than a few units in the last place of a float32."""
    for x in (torch.rand(3_000_001), torch.full((2_000_000,), 0.1), torch.randn(1_000_003)):
        exact = x.double().sum().item()
        size = x.double().abs().sum().item()
        got = ours(x).sum().item()
        assert abs(got - exact) <= 5e-7 * max(abs(exact), 1e-3 * size)
        got = theirs(ours(x[:1_000_000].reshape(-1, 10)).sum(0)).double()
        torch.testing.assert_close(
            got, x[:1_000_000].reshape(-1, 10).double().sum(0), rtol=2e-6, atol=1e-2
        )


def test_threads_do_not_change_a_bit():
    x = ours(torch.randn(1_000_003))
    results = set()
    before = kagari.get_num_threads()
    for threads in (1, 2, 3):
        kagari.set_num_threads(threads)
        results.add((x.sum().item(), x.var().item(), x.logsumexp(0).item()))
    kagari.set_num_threads(before)
    assert len(results) == 1


GRADIENTS = [
    "sum", "mean", "prod", "amax", "amin", "var", "std", "logsumexp", "nansum", "max", "min",
    "var_mean", "std_mean",
]  # fmt: skip


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name):
    for shape in [(4,), (3, 4), (2, 3, 4)]:
        x = sample(torch.float64, *shape).requires_grad_()
        for dim in range(len(shape)):
            for keepdim in (False, True):
                compare_gradients(name, x, dim=dim, keepdim=keepdim)
        if name != "logsumexp":
            compare_gradients(name, x)
    if name in ("sum", "mean", "prod"):
        compare_gradients(name, sample(torch.complex128, 3, 4).requires_grad_(), second=False)


def test_gradients_at_ties_and_zeros():
    tied = torch.tensor([[1.0, 3, 3], [2, 2, 2]], dtype=torch.float64, requires_grad=True)
    for name in ("amax", "amin", "max", "min"):
        compare_gradients(name, tied, dim=1, second=False)
        compare_gradients(name, tied, second=False)
    for zeros in ([], [1], [0, 2]):
        x = sample(torch.float64, 2, 4)
        x[0, zeros] = 0
        compare_gradients("prod", x.clone().requires_grad_(), dim=1)
        compare_gradients("prod", x.clone().requires_grad_(), second=False)
    compare_gradients("std", torch.ones(3, requires_grad=True), second=False)
    compare_gradients("norm", torch.zeros(3, requires_grad=True), second=False)


def test_out():
    x = sample(torch.float32, 3, 4)
    for name in ("sum", "mean", "amax"):
        out = kagari.from_dlpack(torch.empty(3))
        assert getattr(kagari, name)(ours(x), 1, out=out) is out
        assert_close(out, getattr(torch, name)(x, 1))


def test_meta():
    x = sample(torch.float16, 3, 4, 5)
    for name, args in (
        ("sum", ()),
        ("mean", (1,)),
        ("argmax", (2, True)),
        ("max", (0,)),
        ("var", ()),
    ):
        got = getattr(kagari, name)(ours(x).to("meta"), *args)
        expected = getattr(torch, name)(x.to("meta"), *args)
        got, expected = (r[0] if isinstance(r, tuple) else r for r in (got, expected))
        assert tuple(got.shape) == tuple(expected.shape) and got.is_meta


ERRORS = [
    ("sum", (2,), IndexError, "Dimension out of range"),
    ("sum", ((0, 0),), RuntimeError, "appears multiple times"),
    ("argmax", (5,), IndexError, "Dimension out of range"),
    ("var", (3,), IndexError, "Dimension out of range"),
]


@pytest.mark.parametrize(("name", "args", "error", "message"), ERRORS)
def test_errors(name, args, error, message):
    x = sample(torch.float32, 3, 4)
    with pytest.raises(error, match=message):
        getattr(torch, name)(x, *args)
    with pytest.raises(error, match=message):
        getattr(kagari, name)(ours(x), *args)


def test_errors_of_empty_inputs_and_dtypes():
    empty, whole = torch.empty(0, 3), sample(torch.int64, 3)
    for call in (
        lambda lib, c: lib.amax(c(empty)),
        lambda lib, c: lib.amax(c(empty), 0),
        lambda lib, c: lib.argmax(c(empty)),
        lambda lib, c: lib.argmin(c(empty), 0),
        lambda lib, c: lib.max(c(empty), 0),
        lambda lib, c: lib.max(c(empty)),
        lambda lib, c: lib.aminmax(c(empty)),
        lambda lib, c: lib.mean(c(whole)),
        lambda lib, c: lib.var(c(whole)),
        lambda lib, c: lib.norm(c(whole)),
        lambda lib, c: lib.norm(c(torch.empty(0)), math.inf),
    ):
        with pytest.raises((IndexError, RuntimeError)) as expected:
            call(torch, lambda v: v)
        with pytest.raises(expected.type):
            call(kagari, ours)


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
def test_half_precision_sums_in_single(dtype):
    x = torch.full((10_000,), 0.1, dtype=dtype)
    compare("sum", x, scale=2)
    compare("mean", x, scale=2)


def test_logsumexp_of_complex_numbers():
    x = sample(torch.complex128, 3, 4, 5)
    for dim in (0, -1, (0, 2)):
        for keepdim in (False, True):
            compare("logsumexp", x, dim, keepdim, scale=10)
    compare_gradients("logsumexp", x.requires_grad_(), 1, second=False)


def test_out_of_several_results():
    x = sample(torch.float32, 3, 4)
    calls = (("max", (1,), {}), ("cummax", (0,), {}), ("aminmax", (), {"dim": 1}))
    for name, args, kwargs in calls:
        out = (kagari.empty(0), kagari.empty(0, dtype=kagari.int64 if name != "aminmax" else None))
        found = getattr(kagari, name)(ours(x), *args, out=out, **kwargs)
        expected = getattr(torch, name)(x, *args, **kwargs)
        for mine, other in zip(found, expected, strict=True):
            assert_close(mine, other)
