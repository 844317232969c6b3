"""Definitions as rows: signatures, variants, kinds, schemas, derivative rows."""

import pytest

from kagari.kernels import define, rows, table
from kagari.kernels import expr as e
from kagari.kernels.define import Bool, Pointwise


def make(body, promote="same", chosen=None, modes=None, rule=None) -> list[rows.Row]:
    body.__doc__ = "A test."
    op = Pointwise(body, promote, chosen, "p", modes or {}, ())
    if rule is not None:
        op.derivative(rule)
    return [rows.VariantRow(op, v) for v in op.variants]


def test_scalars_at_their_default_are_folded():
    plain, scaled = make(lambda input, other, *, alpha=1: input + other * alpha)
    assert plain.expression("f32") is e.symbol("input", "f32") + e.symbol("other", "f32")
    assert [o.kind for o in scaled.operands] == ["T", "T", "S"]
    assert scaled.name.endswith(".alpha")


def test_optional_operands_and_modes():
    def bounded(input, min=None, max=None):
        input = input if min is None else e.max(input, min)
        return input if max is None else e.min(input, max)

    names = [r.name for r in make(bounded)]
    assert names == ["bounded", "bounded.min", "bounded.max", "bounded.min.max"]

    def div(input, other, *, rounding_mode=None):
        quotient = input / other
        return e.trunc(quotient) if rounding_mode == "trunc" else quotient

    found = make(
        div, {None: "float", "trunc": "same"}, "floating", {"rounding_mode": (None, "trunc")}
    )
    assert [(r.name, r.promote) for r in found] == [("div", "float"), ("div.trunc", "same")]
    schema = table.schema(found[0].op, "div")
    assert schema == "div(Tensor input, Tensor other, *, str? rounding_mode=None) -> Tensor"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (lambda a, b: a < b, "B"),
        (lambda a, b: a + b, "T"),
        (lambda a, b: e.real(a) + e.real(b), "R"),
        (lambda a, b: e.complex_(a, b), "C"),
        (lambda a, b: e.cast(a, "i64"), "I"),
    ],
)
def test_the_kind_of_the_result_is_inferred(body, kind):
    assert make(body, chosen=None)[0].result == kind


def test_dtypes_are_found_by_tracing():
    (row,) = make(lambda a: a / 2)
    assert row.dtypes == ("f16", "bf16", "f32", "f64", "c64", "c128")
    (row,) = make(lambda a: a >> 1)
    assert row.dtypes == ("u8", "i8", "i16", "i32", "i64", "u16", "u32", "u64")
    (row,) = make(lambda a: ~a, "bool")
    assert row.dtypes == ("bool",)


def test_derivative_rows_chain():
    (row,) = make(lambda x: x * x * x)
    first = row.derivative(0)
    assert [o.name for o in first.operands] == ["grad", "x"]
    second = first.derivative(1)
    assert [o.name for o in second.operands] == ["grad_", "grad", "x"]
    third = second.derivative(2)
    got = third.expression("f64")
    assert set(e.symbols(got)) == {"grad", "grad_", "grad__"}


def test_conditions_and_scalars_have_no_gradient():
    def pick(condition: Bool, a, b):
        return e.where(condition, a, b)

    (row,) = make(pick)
    assert [d.rule for d in row.derivatives] == ["None", "Op", "Op"]
    assert row.derivatives[1].uses == ("condition",)
    fields = table.fields(row)
    assert fields["kinds"] == "BTT" and fields["derivatives"][1]["uses"] == 1


def test_names_reach_every_row():
    for name in ("exp", "add.alpha", "exp.d0", "mul.d0.d1", "exp.d0.d1.d0"):
        assert rows.find_row(name).name == name
    for wrong in ("no_such_op", "exp.nothing", "lt.d0"):
        with pytest.raises(KeyError):
            rows.find_row(wrong)


def test_an_op_is_defined_once_and_with_a_docstring():
    with pytest.raises(ValueError, match="defined twice"):
        define.pointwise()(define.load()["exp"].body)
    with pytest.raises(ValueError, match="docstring"):
        Pointwise(lambda x: x, "same", None, "p", {}, ())


def test_every_definition_makes_rows():
    for op in define.load().values():
        found = rows.rows_of(op, order=1)
        assert found, f"{op.name} computes in no dtype"
        for row in found:
            table.spec_text(table.fields(row))
