"""Row programs against numpy: every way of walking (along, collected, across), sizes, levels."""

import numpy as np
import pytest

from kagari.kernels import define, rowwise, runtime, targets
from kagari.kernels import expr as e
from kagari.kernels.lowering import sweep

define.load()
SIZES = [(1, 1), (3, 5), (2, 17), (40, 3), (70, 33), (9, 300), (300, 2)]


def compiled(program: rowwise.Row, level: str = "") -> int:
    target = targets.TARGETS[level] if level else runtime.host()
    function = sweep.lower(program, target, "kernel")
    ir = targets.module_text(target, [function.exported()], function.declarations)
    return runtime.load(targets.object_code(ir, target), target)


def run(address: int, n: int, m: int, *operands) -> None:
    """Operands are (array, stride from row to row, stride along the row), in bytes."""
    strides = [m, *(s for _, outer, inner in operands for s in (outer, inner))]
    runtime.call(address, n, [a.ctypes.data for a, _, _ in operands], strides)


def layouts(x: np.ndarray):
    """The values as contiguous rows, as contiguous columns, and with gaps."""
    yield np.ascontiguousarray(x)
    yield np.ascontiguousarray(x.T).T
    wide = np.zeros((x.shape[0] * 2, x.shape[1] * 3), x.dtype)[::2, ::3]
    wide[...] = x
    yield wide


def values(dtype: str, n: int, m: int) -> np.ndarray:
    rng = np.random.default_rng(n * 1000 + m)
    if dtype == "bool":
        return rng.random((n, m)) < 0.5
    if dtype[0] in "iu":
        info = np.iinfo(np.dtype(dtype))
        return rng.integers(info.min, info.max, (n, m), endpoint=True, dtype=info.dtype)
    x = rng.normal(size=(n, m))
    return (x + 1j * rng.normal(size=(n, m)) if dtype[0] == "c" else x).astype(dtype)


def _logsumexp(x, axis):
    return np.log(np.exp(x.astype("f8")).sum(axis))


CASES = {
    "sum": (np.sum, "bool uint8 int8 int32 int64 uint16 float16 float32 float64 complex64"),
    "prod": (np.prod, "uint8 int64 float32 float64 complex128"),
    "amax": (np.max, "bool uint8 int8 int32 int64 float16 float32 float64"),
    "amin": (np.min, "bool uint8 int8 int32 int64 float16 float32 float64"),
    "any": (np.any, "bool uint8 float32 complex64"),
    "all": (np.all, "bool uint8 float32"),
    "argmax": (np.argmax, "bool uint8 int32 int64 float16 float32 float64"),
    "argmin": (np.argmin, "bool uint8 int32 int64 float32"),
    "count_nonzero": (np.count_nonzero, "bool int32 float32"),
    "logsumexp": (_logsumexp, "float32 float64"),
}
CODES = {
    "bool": "bool", "uint8": "u8", "int8": "i8", "int32": "i32", "int64": "i64", "uint16": "u16",
    "float16": "f16", "float32": "f32", "float64": "f64", "complex64": "c64", "complex128": "c128",
}  # fmt: skip
PAIRS = [(name, dtype) for name, (_, types) in CASES.items() for dtype in types.split()]


def result_dtype(name: str, dtype: str) -> str:
    if name in ("argmax", "argmin", "count_nonzero"):
        return "int64"
    if name in ("any", "all"):
        return "uint8" if dtype == "uint8" else "bool"
    return "int64" if name in ("sum", "prod") and dtype[0] in "iub" else dtype


def check(name: str, dtype: str, level: str = "") -> None:
    oracle, _ = CASES[name]
    definition, code = rowwise.find(f"{name}.{CODES[dtype]}")
    address = compiled(definition.program(code), level)
    tolerance = {"float16": 3e-2, "float32": 1e-4, "complex64": 1e-4}.get(dtype, 1e-9)
    for n, m in SIZES:
        x = values(dtype, n, m)
        expected = oracle(x.astype("f4") if dtype == "float16" else x, axis=1)
        for a in layouts(x):
            out = np.zeros(n, result_dtype(name, dtype))
            run(address, n, m, (out, out.itemsize, 0), (a, *a.strides))
            if out.dtype.kind in "biu":
                np.testing.assert_array_equal(out, expected.astype(out.dtype))
            else:
                np.testing.assert_allclose(out, expected, tolerance, tolerance, err_msg=f"{n} {m}")


@pytest.mark.parametrize(("name", "dtype"), PAIRS)
def test_reduction(name, dtype):
    check(name, dtype)


@pytest.mark.parametrize("level", ["v2", "v3"])
@pytest.mark.parametrize("name", ["sum", "argmax", "logsumexp"])
def test_lower_levels(name, level):
    for dtype in ("float16", "float32") if name == "sum" else ("float32",):
        check(name, dtype, level)


def test_nan_wins_and_comes_first():
    x = np.zeros((3, 50), "float32")
    x[0, 7], x[0, 9] = np.nan, np.nan
    x[1, 49], x[2] = np.nan, -np.inf
    for name, expected in (
        ("amax", [np.nan, np.nan, -np.inf]),
        ("argmax", [7, 49, 0]),
        ("argmin", [7, 49, 0]),
    ):
        definition, code = rowwise.find(f"{name}.f32")
        address = compiled(definition.program(code))
        for a in layouts(x):
            out = np.zeros(3, result_dtype(name, "float32"))
            run(address, 3, 50, (out, out.itemsize, 0), (a, *a.strides))
            np.testing.assert_array_equal(out, expected)


def test_parts_merge_to_the_whole():
    """A long row cut into blocks: states, then the results."""
    x = values("float32", 1, 10_000)
    part = compiled(rowwise.find("var_mean.part.f32")[0].program("f32"))
    merge = compiled(rowwise.find("var_mean.merge.f32")[0].program("f32"))
    states = np.zeros((3, 10))
    run(part, 10, 1000, *((s, 8, 8) for s in states), (x, 4000, 4))
    var, mean, correction = np.zeros(1, "f4"), np.zeros(1, "f4"), np.ones(1)
    inputs = [(s, 80, 8) for s in states]
    run(merge, 1, 10, (var, 4, 4), (mean, 4, 4), *inputs, (correction, 0, 0))
    np.testing.assert_allclose(var[0], x.var(ddof=1, dtype="f8"), rtol=1e-6)
    np.testing.assert_allclose(mean[0], x.mean(dtype="f8"), rtol=1e-5, atol=1e-7)


def test_every_definition_lowers():
    """Each dtype of each program can be traced; one of each is valid IR for small machines."""
    for definition in rowwise.registry.values():
        for dtype in definition.dtypes:
            definition.program(dtype)
        program = definition.program(definition.dtypes[-1])
        for level in ("v2", "neon"):
            target = targets.TARGETS[level]
            function = sweep.lower(program, target, "kernel")
            targets.parse(targets.module_text(target, [function.text], function.declarations))


def test_two_definitions_of_one_name():
    with pytest.raises(ValueError, match="defined twice"):
        rowwise.define("sum", lambda row, dtype: None, "floating")


def test_a_new_row_program():
    """Row values feed elements again: three passes, per-row and per-column operands, an index."""
    row = rowwise.Row()
    x, w = row.element("x", "f32"), row.per_column("w", "f32")
    bias, scale = row.per_row("bias", "f32"), row.scalar("scale")
    total = rowwise.Reduction(
        "sum",
        lambda v: (e.const(0, v),),
        lambda s, v, i: (s[0] + v[0],),
        lambda a, b: (a[0] + b[0],),
    )
    centred = x - row.reduce(total, x) / e.cast(row.size, "f32")
    norm = row.reduce(total, centred * centred)
    row.store("y", "f32", centred * w / norm + bias + e.cast(row.index, "f32"))
    row.store("norm", "f64", e.cast(norm, "f64") * scale)
    assert row.passes == 3
    address = compiled(row)
    for n, m in SIZES[1:]:
        a, cols = values("float32", n, m), values("float32", 1, m)[0]
        b = np.ascontiguousarray(values("float32", n, 1)[:, 0])
        factor = np.array([2.5])
        c = a - a.mean(1, keepdims=True)
        square = (c * c).sum(1, keepdims=True)
        expected = c * cols / square + b[:, None] + np.arange(m)
        for source in layouts(a):
            y, out = np.zeros_like(source), np.zeros(n)
            run(address, n, m, (y, *y.strides), (out, 8, 0), (source, *source.strides),
                (cols, 0, 4), (b, 4, 0), (factor, 0, 0))  # fmt: skip
            np.testing.assert_allclose(y, expected, 1e-3, 1e-3)
            np.testing.assert_allclose(out, 2.5 * square[:, 0], 1e-4)
