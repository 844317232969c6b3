"""docs/adding_an_op.md: its Python runs, its ops work, its C++ is the code that is there."""

import re
from pathlib import Path

import numpy as np
import pytest

from kagari.kernels import define, interpret, rows, rowwise, runtime

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "adding_an_op.md").read_text()


@pytest.fixture(scope="module")
def page():
    """The names that the Python blocks define, run in order."""
    names: dict = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S):
        exec(compile(block, "adding_an_op.md", "exec"), names)
    yield names
    for op in ("bounded", "cubed_sigmoid"):
        del define.registry[op]
    del rowwise.registry["unit_row"]


def test_the_pointwise_op(page):
    row = rows.find_row("bounded.scale")
    x = np.linspace(-2, 2, 9)
    got = interpret.run(row, "f64", x, 3.0)
    np.testing.assert_allclose(got, 3 * x / (1 + abs(x)))
    assert row.derivatives[0].uses == ("input", "scale")


def test_the_row_program(page):
    x, out = np.random.default_rng(0).normal(size=(3, 50)).astype("f4"), np.zeros((3, 50), "f4")
    data = [out.ctypes.data, x.ctypes.data]
    runtime.call(runtime.provide("unit_row.f32"), 3, data, [50, 200, 4, 200, 4])
    np.testing.assert_allclose(out, x / np.linalg.norm(x, axis=1, keepdims=True), rtol=1e-5)


def test_the_cpp_is_the_code_that_is_there():
    (block,) = re.findall(r"^```cpp\n(.*?)^```", PAGE, re.M | re.S)
    assert block in (ROOT / "csrc" / "ops" / "movement" / "movement.cpp").read_text()
