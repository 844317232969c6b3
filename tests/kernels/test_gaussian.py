"""gelu in float32: its absolute error, its extremes, and that it is what the float64 form says."""

import numpy as np
import pytest
from running import levels, run

from kagari.kernels import rows
from kagari.kernels.interpret import run as interpret


@pytest.mark.parametrize("level", levels())
def test_absolute_error(level):
    x = np.linspace(-9, 9, 200_001, dtype=np.float32)
    want = interpret(rows.find_row("gelu"), "f64", x)
    got = run("gelu.f32", level, [x], x.size)
    assert abs(got - want)[x < 0].max() < 2e-7
    assert (abs(got - want) / np.spacing(np.maximum(x, 1), dtype=np.float32))[x > 1].max() < 2
    grad = np.ones_like(x)
    slope = interpret(rows.find_row("gelu.d0"), "f64", grad, x)
    assert abs(run("gelu.d0.f32", level, [grad, x], x.size) - slope).max() < 4e-7


def test_extremes():
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-30, -50.0], np.float32)
    got = run("gelu.f32", levels()[-1], [x], x.size)
    np.testing.assert_array_equal(got, np.array([np.inf, 0, np.nan, 0, 0, 5e-31, 0], np.float32))
