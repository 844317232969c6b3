"""The interpreter against numpy and mpmath."""

import mpmath
import numpy as np
import pytest

from kagari.kernels import define, interpret, rows
from kagari.kernels import expr as e


def test_operations_mean_what_numpy_says():
    a, b = e.symbol("a", "f64"), e.symbol("b", "f64")
    x, y = np.linspace(-3, 3, 13), np.linspace(2, -2, 13)
    y[6] = 0.5
    cases = [
        (a + b, x + y), (a / b, x / y), (e.fma(a, b, 2.0), x * y + 2),
        (e.copysign(a, b), np.copysign(x, y)),
        (e.floor(a), np.floor(x)), (e.rint(a), np.rint(x)), (a < b, x < y), (e.abs(a), abs(x)),
        (e.where(a > b, a, b), np.maximum(x, y)), (e.cast(a, "i32"), np.trunc(x).astype("i4")),
    ]  # fmt: skip
    for expression, want in cases:
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(interpret.evaluate(expression, {"a": x, "b": y}), want)


def test_integers_wrap_and_never_trap():
    a, b = e.symbol("a", "i8"), e.symbol("b", "i8")
    x, y = np.array([-128, 100, 7, -7], "i1"), np.array([-1, 100, 0, 2], "i1")
    got = interpret.evaluate(e.idiv(a, b), {"a": x, "b": y})
    assert got.tolist() == [-128, 1, 0, -3]
    assert interpret.evaluate(a + b, {"a": x, "b": y}).tolist() == [127, -56, 7, -5]
    assert interpret.evaluate(a >> 9, {"a": x}).tolist() == [-1, 0, 0, -1]


@pytest.mark.parametrize("name", ["exp", "log", "tanh"])
def test_f64_reference_agrees_with_mpmath(name):
    define.load()
    x = np.linspace(0.1, 5, 23)
    got = interpret.run(rows.find_row(name), "f64", x)
    want = [float(getattr(mpmath, name)(mpmath.mpf(v))) for v in x]
    np.testing.assert_allclose(got, want, rtol=4e-16)


def test_constant_results_fill_the_shape():
    got = interpret.evaluate(e.const(2, "f32"), {"x": np.zeros(3)})
    assert got.tolist() == [2, 2, 2]
