"""Loops in scalar expressions: interpreted, compiled in lanes, as PTX; and gradients nobody has."""

import numpy as np
import pytest
from running import run

from kagari.kernels import define, interpret, loops, rows, runtime
from kagari.kernels import expr as e
from kagari.kernels.function import MISSING, Function
from kagari.kernels.lowering.ptx import ptx_of
from kagari.kernels.scalar import diff

X, Y = e.symbol("x", "f64"), e.symbol("y", "f64")


def halvings(x: e.Expr, limit: e.Expr) -> tuple[e.Expr, ...]:
    """How often x can be halved before it is below the limit, and what is left."""
    return e.loop(
        lambda k, x, limit: x >= limit,
        lambda k, x, limit: (k + 1.0, x * 0.5),
        (e.const(0.0, x), x),
        (limit,),
    )


def compiled(results: tuple[e.Expr, ...], *values: np.ndarray, n: int) -> list[np.ndarray]:
    names = ["x", "y"][: len(values)]
    outputs = tuple(loops.Operand(f"out{k}", "f64") for k in range(len(results)))
    inputs = tuple(loops.Operand(name, "f64") for name in names)
    address = runtime.provide_program(loops.Pointwise(outputs, inputs, results))
    made = [np.full(n, -1.0) for _ in results]
    strides = [8] * len(made) + [v.strides[0] for v in values]
    runtime.call(address, n, [v.ctypes.data for v in (*made, *values)], strides)
    return made


@pytest.mark.parametrize("n", [1, 7, 8, 40])
def test_every_lane_ends_on_its_own(n):
    x = np.exp(np.random.default_rng(n).uniform(-5, 300, n))
    x[0] = np.nan  # never starts
    limit = np.full(n, 1.0)
    want_k = np.where(np.isnan(x), 0, np.floor(np.log2(np.maximum(x, 0.5))) + 1)
    places = {"x": x, "y": limit}
    results = halvings(X, Y)
    for k, left in (
        [interpret.evaluate(r, places) for r in results],
        compiled(results, x, limit, n=n),
        compiled(results, x, np.broadcast_to(limit[:1], n), n=n),
    ):
        np.testing.assert_array_equal(k, want_k)
        np.testing.assert_array_equal(left, x / 2.0**want_k)


def test_a_loop_in_a_loop():
    """The sum of the halvings of x, x - 1, ... down to 1."""

    def step(x, total, limit):
        return x - 1.0, total + halvings(x, limit)[0]

    total = e.loop(lambda x, *_: x >= 1.0, step, (X, e.const(0.0, X)), (Y,))[1]
    x = np.arange(12.0)
    want = [sum(int(v).bit_length() for v in range(1, int(n) + 1)) for n in x]
    ones = np.ones(12)
    np.testing.assert_array_equal(interpret.evaluate(total, {"x": x, "y": ones}), want)
    np.testing.assert_array_equal(compiled((total,), x, ones, n=12)[0], want)


def test_lanes_that_hold_nothing_do_not_run():
    """Few strided values in a long body: what else is in the buffers must end the loop at once."""
    x, n = np.full((3, 2), 0.5)[:, 0], np.full((3, 2), 3.0)[:, 0]
    for _ in range(3):
        got = run("legendre_polynomial_p.f64", runtime.host().name, [x, n], 3)
        np.testing.assert_allclose(got, -0.4375)


def test_loops_are_ptx_too():
    outputs = (loops.Operand("out", "f64"),)
    inputs = (loops.Operand("x", "f64"), loops.Operand("y", "f64"))
    text = ptx_of(loops.Pointwise(outputs, inputs, halvings(X, Y)[:1]))
    assert text.count("bra") >= 3


def test_a_loop_shows_what_it_repeats():
    assert "while state1 >= given0: state0 = state0 + 1, state1 = state1 * 0.5" in repr(
        halvings(X, Y)[0]
    )


def test_a_loop_is_closed_and_keeps_its_dtypes():
    one = e.const(1.0, X)
    with pytest.raises(TypeError, match="pass .*x.* as given"):
        e.loop(lambda k: k < X, lambda k: (k + 1.0,), (one,))
    with pytest.raises(e.Unsupported, match="step 0 of f64"):
        e.loop(lambda k: k < 1.0, lambda k: (e.cast(k, "f32"),), (one,))
    with pytest.raises(e.Unsupported):
        e.loop(lambda k: k != k, lambda k: (k,), (e.symbol("z", "c64"),))


def test_a_loop_has_no_derivative():
    with pytest.raises(diff.NotDifferentiable, match="loop"):
        diff.vjp(halvings(X, Y)[1], e.const(1.0, X), [X])


def test_a_missing_gradient_reaches_all_it_depends_on():
    half = Function("half", lambda x, y: x * y)
    half.derivative(lambda grad, x, y: (MISSING, grad * x))
    z = e.symbol("z", "f64")
    found = diff.vjp(half(X * z, Y) + z, e.const(1.0, X), [X, Y, z])
    assert found[0] is MISSING and found[2] is MISSING
    assert interpret.evaluate(found[1], {"x": np.array(3.0), "z": np.array(2.0)}) == 6


def test_rows_tell_what_is_missing_and_what_is_constant():
    define.load()
    assert [d.rule for d in rows.find_row("igamma").derivatives] == ["Missing", "Op"]
    assert [d.rule for d in rows.find_row("bessel_j0").derivatives] == ["None"]
