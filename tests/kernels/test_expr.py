"""Construction of expressions: sharing, folding, checks."""

import math

import pytest

from kagari.kernels import expr as e


@pytest.fixture
def x():
    return e.symbol("x", "f32")


def test_equal_expressions_are_one_object(x):
    assert x * x + 1 is x * x + 1
    assert e.const(0.0, x) is not e.const(-0.0, x)
    assert e.const(math.nan, x) is e.const(math.nan, x)


def test_constants_fold_in_their_dtype(x):
    assert (e.const(1, "f32") / 3).data == pytest.approx(1 / 3, rel=1e-7)
    assert (e.const(1, "f32") / 3).data != 1 / 3
    assert (e.const(200, "u8") + 100).data == 44
    assert (e.const(-128, "i8") - 1).data == 127
    assert e.idiv(e.const(-7, "i32"), 2).data == -3
    assert e.irem(e.const(-7, "i32"), 2).data == -1
    assert e.idiv(e.const(7, "i32"), 0).data == 0
    assert e.idiv(e.const(-(2**31), "i32"), -1).data == -(2**31)
    assert e.bitcast(e.const(1.0, "f32"), "i32").data == 0x3F800000
    assert e.cast(e.const(-2.7, "f64"), "i64").data == -2


def test_only_exact_identities_are_used(x):
    assert x * 1 is x and x / 1 is x and x - 0 is x and x + -0.0 is x
    assert (x + 0).op == "add" and (x * 0).op == "mul"
    i = e.symbol("i", "i32")
    assert i + 0 is i and (i & -1) is i and (i & 0).data == 0 and (i | i) is i
    assert e.neg(e.neg(x)) is x and e.abs(e.abs(x)) is e.abs(x)


def test_where_folds(x):
    c = x > 0
    assert e.where(c, x, x) is x
    assert e.where(e.const(True, "bool"), x, x + 1) is x
    assert e.where(c, e.const(True, "bool"), e.const(False, "bool")) is c


def test_complex_parts(x):
    z = e.complex_(x, x * 2)
    assert e.real(z) is x and e.imag(z) is x * 2 and z.dtype == "c64"
    w = e.symbol("w", "c64")
    assert e.complex_(e.real(w), e.imag(w)) is w and e.conj(e.conj(w)) is w
    assert (w * 2).args[1].dtype == "f32"


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda x: x + e.symbol("y", "f64"), "add: operands are f32 and f64; cast one of them"),
        (lambda x: x & 1, "and does not exist for f32"),
        (lambda x: e.symbol("i", "i32") / 2, "div does not exist for i32"),
        (lambda x: e.symbol("z", "c64") < 1, "lt does not exist for c64"),
        (lambda x: e.symbol("i", "i32") + 0.5, "0.5 is not a constant of the integer dtype i32"),
        (lambda x: x + "a", "expected an expression or a number, got str"),
        (lambda x: bool(x > 0), "use e.where"),
        (lambda x: e.where(x, x, x), "where does not exist for f32"),
        (lambda x: e.bitcast(x, "i64"), "bitcast to i64 does not exist for f32"),
    ],
)
def test_misuse_is_explained(x, build, message):
    with pytest.raises(TypeError, match=message.replace("(", r"\(").replace(".", r"\.")):
        build(x)


def test_expressions_are_immutable(x):
    with pytest.raises(AttributeError, match="immutable"):
        x.dtype = "f64"


def test_deep_expressions_do_not_recurse(x):
    y = x
    for _ in range(20_000):
        y = y * x + 1
    assert len(e.topological([y])) == 40_002
    other = e.symbol("y", "f32")
    (z,) = e.substitute([y], {x: other})
    assert e.symbols(z) == {"y": other}
