"""Compiled kernels against the interpreter: dtypes, levels, strides, lengths, half types."""

import numpy as np
import pytest
from running import EXTREMES, TOLERANCE, assert_same, levels, run, sample, stored, values_of

from kagari.kernels import define, dtypes, interpret, rows, runtime

LENGTHS = (1, 3, 16, 33, 100)
SOME = ("add", "exp", "lt", "where", "clamp.min.max", "mul.d0", "exp.d0", "div")


def slow(level: str):
    return pytest.param(level, marks=pytest.mark.slow)


def reference(row: rows.Row, dtype: str, operands: list[np.ndarray]) -> np.ndarray:
    got = interpret.run(row, dtype, *operands)
    if dtype in dtypes.HALF and got.dtype == np.float32:
        got = values_of(stored(got, dtype), dtype)
    return got


def operands_of(row: rows.Row, dtype: str, n: int) -> list[np.ndarray]:
    return [sample(_stored_dtype(o, dtype), n, i) for i, o in enumerate(row.operands)]


def _stored_dtype(operand: rows.Operand, dtype: str) -> str:
    return dtype if operand.kind in "TS" else rows.dtype_of(operand.kind, dtype)


def compare(row: rows.Row, dtype: str, level: str, memory, values, n: int, out_gap=1) -> None:
    got = run(f"{row.name}.{dtype}", level, memory, n, out_gap)
    want = reference(row, dtype, values)
    if dtype in dtypes.HALF and want.dtype == np.float32:
        got = values_of(got, dtype)
    assert_same(got, want, dtype, f"{row.name}.{dtype} on {level}")


def spread(a: np.ndarray, gap: int, n: int) -> np.ndarray:
    """n elements that are `gap` apart; the first one n times if 0."""
    return np.broadcast_to(a[:1], n) if gap == 0 else a[::gap][:n]


@pytest.mark.parametrize("level", levels())
@pytest.mark.parametrize("name", SOME)
def test_lengths_and_strides(name, level):
    row = rows.find_row(name)
    for dtype in row.dtypes:
        for n in LENGTHS:
            for gaps in ((1, 1, 1, 1), (2, 1, 3, 1), (0, 1, 1, 0), (1, 0, 2, 1), (0, 0, 0, 0)):
                memory, values = [], []
                for o, gap, full in zip(row.operands, gaps, operands_of(row, dtype, 3 * n)):
                    memory.append(spread(stored(full, _stored_dtype(o, dtype)), gap, n))
                    values.append(spread(full, gap, n))
                compare(row, dtype, level, memory, values, n, out_gap=1 + n % 2)


@pytest.mark.parametrize("level", [levels()[-1], *(slow(v) for v in levels()[:-1])])
@pytest.mark.parametrize("name", sorted(define.load()))
def test_every_row_and_dtype(name, level):
    for row in rows.rows_of(define.registry[name], order=1):
        for dtype in row.dtypes:
            values = operands_of(row, dtype, 40)
            memory = [
                stored(v, _stored_dtype(o, dtype))
                for o, v in zip(row.operands, values, strict=True)
            ]
            compare(row, dtype, level, memory, values, 40)


@pytest.mark.parametrize("level", levels())
@pytest.mark.parametrize("dtype", ["f16", "bf16"])
def test_a_half_operand_may_be_one_float(dtype, level):
    """Stride 1 says so: 0.1 is not rounded to half."""
    x = sample(dtype, 37, extremes=False)
    scalar = np.full(1, 0.1, np.float32)
    one = np.lib.stride_tricks.as_strided(scalar, (37,), (1,))
    got = values_of(run(f"mul.{dtype}", level, [stored(x, dtype), one], 37), dtype)
    want = values_of(stored(x.astype(np.float32) * np.float32(0.1), dtype), dtype)
    assert_same(got, want, dtype)


@pytest.mark.parametrize("level", levels())
def test_half_conversions_are_exact(level):
    """Every half value, there and back, and values between two halves."""
    every = np.arange(65536, dtype=np.uint16).view(np.float16)
    every = every[~np.isnan(every)]
    n = every.size
    zero = np.zeros(n, np.float16)
    got = run("add.f16", level, [every, zero], n)
    assert_same(got, every + zero, "f64")
    wide = every.astype(np.float32) * np.float32(1.00049)
    factor = np.full(1, 1.00049, np.float32)
    one = np.lib.stride_tricks.as_strided(factor, (n,), (1,))
    with np.errstate(over="ignore"):
        assert_same(run("mul.f16", level, [every, one], n), wide.astype(np.float16), "f64")


@pytest.mark.parametrize("dtype", ["i8", "i32", "i64", "u8", "u64"])
def test_integer_division_never_traps(dtype):
    kind = np.dtype(dtypes.NUMPY[dtype])
    a = np.array([np.iinfo(kind).min, np.iinfo(kind).max, 7, 0] * 10, kind)
    b = np.array([-1 if kind.kind == "i" else 1, 0, 0, 3] * 10, kind)
    row = rows.find_row("remainder")
    for level in levels():
        compare(row, dtype, level, [a, b], [a, b], 40)


@pytest.mark.parametrize("level", levels())
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_fmod_is_exact(dtype, level):
    """Small and huge quotients, products that round up, extremes; signs of zeros as in C."""
    kind, rng = dtypes.NUMPY[dtype], np.random.default_rng(0)
    extremes = np.array([*EXTREMES, 2.0**22, 2.0**24 + 1, 0.1], kind)
    a, b = (v.ravel() for v in np.meshgrid(extremes, extremes))
    factors, near = rng.integers(-1000, 1000, 2000).astype(kind), rng.normal(size=2000).astype(kind)
    wide = (rng.normal(size=2000) * 10.0 ** rng.uniform(-6, 6, 2000)).astype(kind)
    a, b = np.concatenate([factors * near, wide, near, a]), np.concatenate([near, near, wide, b])
    with np.errstate(all="ignore"):
        want = np.fmod(a, b)
    got = run(f"fmod.{dtype}", level, [a, b], a.size)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got[want == 0]), np.signbit(want[want == 0]))


def test_in_place():
    x = sample("f32", 50, extremes=False)
    want = x + x
    data, address = x.ctypes.data, runtime.provide("add.f32")
    runtime.call(address, 50, [data, data, data], [4, 4, 4])
    np.testing.assert_array_equal(x, want)


def test_nothing_is_written_beyond_the_end():
    for name in ("add.f32", "tanh.f32"):
        count = len(rows.find_row(name[:-4]).operands)
        for n in range(40):
            out = np.full(48, 7, np.float32)
            x = np.ones(48, np.float32)
            data = [out.ctypes.data, *[x.ctypes.data] * count]
            runtime.call(runtime.provide(name), n, data, [4] * len(data))
            assert (out[n:] == 7).all() and (out[:n] != 7).all()


def test_oracles_bite():
    """A kernel that computes something else is found."""
    x = sample("f32", 40)
    with pytest.raises(AssertionError):
        assert_same(run("add.f32", levels()[-1], [x, x], 40), x * 2.00002, "f32")
    assert set(TOLERANCE) >= {"f16", "bf16", "f32", "f64"}


@pytest.mark.parametrize("level", levels())
def test_rare_choices(level):
    """Vectors with and without a lane that needs the rare value, and the rest of a loop."""
    x = np.linspace(-3, 3, 83)
    x[[5, 40]] = 1e9
    want = np.sin(x.astype(np.longdouble)).astype(np.float64)
    np.testing.assert_allclose(run("sin.f64", level, [x], len(x)), want, rtol=1e-15)
