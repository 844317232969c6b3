"""Symbolic derivatives against finite differences, for every row, and the shapes they take."""

import numpy as np
import pytest

from kagari.kernels import define, interpret, rows
from kagari.kernels import expr as e
from kagari.kernels.function import MISSING, function
from kagari.kernels.scalar import diff

# Their derivative is what was agreed on, whatever a finite difference sees.
CONVENTION = {"fake_quantize_elements", "nextafter"}
# Defined between 0 and 1 only.
PROBABILITIES = {"binary_cross_entropy_elements"}


def cases(order: int) -> list[tuple[str, str]]:
    """Rows that have a derivative, with each dtype to check."""
    found = []
    for name in sorted(set(define.load()) - CONVENTION):
        for row in rows.rows_of(define.registry[name], order):
            able = [d for d in ("f64", "c128") if d in row.differentiable]
            if any(d.rule not in ("None", "Missing") for d in row.derivatives):
                found += [(row.name, d) for d in able]
    return found


def points(row: rows.Row, dtype: str, seed: int) -> list[np.ndarray]:
    """Inner points: away from zero, from one and from each other, so that no kink is near."""
    rng = np.random.default_rng(seed)
    found = []
    for i, o in enumerate(row.operands):
        kind = rows.dtype_of(o.kind, dtype)
        if kind == "bool":
            found.append(rng.integers(0, 2, 6).astype(bool))
        elif kind == "i64":
            found.append(rng.integers(1, 3, 6))
        else:
            base = np.array([0.13, 0.31, 0.47, 0.62, 0.77, 0.91]) + 0.011 * i
            if row.name.startswith("zeta") and o.name == "input":
                base = base + 1.5  # below 1 it is NaN
            if kind in ("c64", "c128"):
                base = base + 1j * (0.17 + 0.1 * rng.random(6))
            found.append(base)
    return found


def finite(row: rows.Row, dtype: str, inputs, i: int, direction: complex) -> np.ndarray:
    """d(row)/d(operand i) along a direction, by central differences."""
    h = 1e-5
    above, below = list(inputs), list(inputs)
    above[i], below[i] = inputs[i] + h * direction, inputs[i] - h * direction
    up, down = (interpret.run(row, dtype, *v) for v in (above, below))
    return (up - down) / (2 * h)


def check_row(row: rows.Row, dtype: str, seed: int = 3) -> int:
    """Every gradient of the row against finite differences; returns how many were compared."""
    inputs = points(row, dtype, seed)
    output = interpret.run(row, dtype, *inputs)
    real = output.dtype.kind == "f"
    rng = np.random.default_rng(5)
    grad = rng.normal(size=6) + (0 if real else 1j * rng.normal(size=6))
    values = {o.name: v for o, v in zip(row.operands, inputs, strict=True)}
    values |= {row.fresh[0]: grad, row.fresh[1]: output}
    compared = 0
    for i, (o, g) in enumerate(zip(row.operands, row.gradients(dtype), strict=True)):
        if o.kind not in "TRC" or g is MISSING:
            continue
        got = np.zeros(6) if g is None else interpret.evaluate(g, values)
        complex_input = rows.dtype_of(o.kind, dtype) in ("c64", "c128")
        for direction in (1, 1j) if complex_input else (1,):
            moved = finite(row, dtype, inputs, i, direction)
            want = np.real(np.conj(grad) * moved)
            np.testing.assert_allclose(
                np.real(np.conj(got) * direction), want, rtol=2e-4, atol=1e-6,
                err_msg=f"{row.name}.{dtype}: gradient of {o.name} along {direction}",
            )  # fmt: skip
            compared += 1
    return compared


@pytest.mark.parametrize(("name", "dtype"), cases(order=1))
def test_gradients_match_finite_differences(name, dtype):
    assert check_row(rows.find_row(name), dtype)


def with_explicit_rule() -> list[str]:
    """Rows whose derivative is given, and whose body can be differentiated as well."""
    found = []
    for name in sorted(set(define.load()) - CONVENTION):
        for row in rows.rows_of(define.registry[name], order=0):
            if row.rule is not None and "f64" in row.differentiable:
                found.append(row.name)
    return found


@pytest.mark.parametrize("name", with_explicit_rule())
def test_explicit_rules_agree_with_the_symbolic_derivative(name):
    """At extremes too, wherever both are finite: the explicit one is there for the other places."""
    row = rows.find_row(name)
    y, inputs = row.expression("f64"), row.inputs("f64")
    try:
        symbolic = diff.vjp(y, e.symbol("grad", "f64"), inputs)
    except diff.NotDifferentiable:
        pytest.skip("the body has a step without a derivative")
    extremes = np.array([-30.0, -3.7, -1e-8, 1e-8, 0.3, 0.9, 2.5, 30.0])
    if name in PROBABILITIES:
        extremes = np.linspace(0.01, 0.97, 8)
    grids = np.meshgrid(*[extremes + 1e-3 * i for i in range(len(inputs))])
    values = {x.data: g.ravel() for x, g in zip(inputs, grids, strict=True)}
    count = grids[0].size
    values["grad"] = np.linspace(0.5, 2, count)
    values |= {x.data: values[x.data] > 0 for x in inputs if x.dtype == "bool"}
    values["output"] = interpret.evaluate(y, values)
    for operand, explicit, other in zip(row.operands, row.gradients("f64"), symbolic, strict=True):
        if operand.kind not in "TRC":
            continue
        got, want = (
            np.zeros(count) if g is None else interpret.evaluate(g, values)
            for g in (explicit, other)
        )
        both = np.isfinite(got) & np.isfinite(want)
        np.testing.assert_allclose(
            got[both], want[both], rtol=1e-6, atol=1e-8, err_msg=f"{name}: {operand.name}"
        )


def test_oracles_bite():
    """A planted wrong derivative is found."""

    def body(input):
        """Planted."""
        return input * input * input

    op = define.Pointwise(body, "same", "f64", "p", {}, ())
    op.derivative(lambda grad, input: grad * input * input * 2)
    with pytest.raises(AssertionError, match="gradient of input"):
        check_row(rows.VariantRow(op, op.variants[0]), "f64")
    op.derivative(lambda grad, input: grad * input * input * 3)
    assert check_row(rows.VariantRow(op, op.variants[0]), "f64") == 1


def test_the_saved_result_is_used():
    assert rows.find_row("exp").derivatives[0].uses == ("output",)
    assert rows.find_row("sqrt").derivatives[0].uses == ("output",)
    assert rows.find_row("add").derivatives[0].rule == "Identity"
    assert rows.find_row("lt").derivatives[0].rule == "None"
    assert rows.find_row("floor").derivatives[0].rule == "Zero"


def test_a_function_is_not_differentiated_through_its_body():
    @function
    def f(x):
        return e.bitcast(e.bitcast(x, "i64") + 1, "f64")

    x = e.symbol("x", "f64")
    with pytest.raises(diff.NotDifferentiable, match="bitcast"):
        diff.vjp(f(x), e.symbol("g", "f64"), [x])
    f.derivative(lambda grad, x: grad * x)
    (got,) = diff.vjp(f(x), e.symbol("g", "f64"), [x])
    assert got is e.symbol("g", "f64") * x


def test_a_long_chain_does_not_recurse():
    x = e.symbol("x", "f64")
    y = x
    for _ in range(5_000):
        y = y * x
    (g,) = diff.vjp(y, e.const(1, x), [x])
    assert interpret.evaluate(g, {"x": np.array([1.0])}).tolist() == [5001.0]
