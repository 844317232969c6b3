"""What `python -m kagari.show` prints."""

import pytest

from kagari.kernels import expr as e
from kagari.kernels import show


def test_formulas():
    x, y = e.symbol("x", "f32"), e.symbol("y", "f32")
    assert show.formula((x + 1) * -y) == "(x + 1) * -y"
    assert show.formula(e.where(x < 0, e.sqrt(y), x)) == "where(x < 0, sqrt(y), x)"
    shared = x * y
    assert show.formula(shared + shared / 2) == "t0 = x * y\nt0 + (t0 / 2)"
    assert repr(x - y) == "x - y"


def test_everything_about_an_op(capsys):
    show.main(["sigmoid", "--target", "v3"])
    text = capsys.readouterr().out
    for part in (
        "sigmoid(input) =",
        "sigmoid.d0(grad, output)",
        "define void @kernel",
        "ymm",
        ".entry",
    ):
        assert part in text


def test_an_unknown_op_is_an_error(capsys):
    with pytest.raises(SystemExit):
        show.main(["no_such_op"])
    assert "no_such_op" in capsys.readouterr().err


def test_the_passes_of_a_row_program(capsys):
    show.main(["softmax", "--what", "formula,derivative,ir"])
    text = capsys.readouterr().out
    assert "pass 2:\n    output =\n        output * (1 / result1.0)" in text
    assert "define void @kernel" in text and "derivative" not in text
