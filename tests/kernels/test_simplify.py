"""Simplification: smaller, and the same value."""

import numpy as np
import pytest

from kagari.kernels import expr as e
from kagari.kernels.interpret import evaluate
from kagari.kernels.scalar.simplify import simplify

X, Y, C = e.symbol("x", "f64"), e.symbol("y", "f64"), e.symbol("c", "bool")
ZERO = e.const(0, "f64")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (e.where(C, X, ZERO) + e.where(C, ZERO, Y), e.where(C, X, Y)),
        (e.where(C, X, ZERO) + e.where(C, Y, ZERO), e.where(C, X + Y, ZERO)),
        (X + -Y, X - Y),
        (X - -Y, X + Y),
        (-X * Y, -(X * Y)),
        (X * -1, -X),
        (X + 0, X),
        (0 - X, -X),
        (X * 2 * 3, X * 6),
        (X / 4, X * 0.25),
        (e.where(C, e.where(C, X, Y), ZERO), e.where(C, X, ZERO)),
        (e.where(~C, X, Y), e.where(C, Y, X)),
    ],
)
def test_rules(before, after):
    (found,) = simplify([before])
    assert found is after
    values = {"x": np.array([1.5, -2.0]), "y": np.array([0.25, 3.0]), "c": np.array([True, False])}
    np.testing.assert_array_equal(evaluate(found, values), evaluate(before, values))


@pytest.mark.parametrize("kept", [X * 0, X / 3, X * 1e-20 * 1e-20, X - X, X / X])
def test_what_would_change_a_value_stays(kept):
    assert simplify([kept])[0] is kept
