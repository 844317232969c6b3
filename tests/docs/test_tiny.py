"""docs/tiny.py: short, alone, and right."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).resolve().parents[2] / "docs" / "tiny.py"


@pytest.fixture(scope="module")
def tiny():
    spec = importlib.util.spec_from_file_location("tiny", PATH)
    module = sys.modules["tiny"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["tiny"]


def test_stays_tiny_and_alone():
    text = PATH.read_text()
    assert text.count("\n") <= 300
    assert "import kagari" not in text and "from kagari" not in text


def test_learns(tiny):
    assert tiny.train() > 0.95


@pytest.mark.parametrize("name", ["silu", "relu", "add", "squared_error"])
def test_derivatives(tiny, name):
    op = getattr(tiny, name)
    values = [np.array([-1.5, -0.2, 0.3, 2.0]), np.array([[0.5], [1.5]])]
    if name in ("silu", "relu"):
        values = values[:1]
    tensors = [tiny.Tensor(value) for value in values]
    op(*tensors).mean().backward()
    for i, value in enumerate(values):
        numeric = np.zeros_like(value)
        for at in np.ndindex(value.shape):
            step = np.zeros_like(value)
            step[at] = 1e-6
            above, below = (
                op(*[v + s * step if j == i else v for j, v in enumerate(values)]).data.mean()
                for s in (1, -1)
            )
            numeric[at] = (above - below) / 2e-6
        np.testing.assert_allclose(tensors[i].grad, numeric, atol=1e-8)


def test_one_tensor_used_twice(tiny):
    x = tiny.Tensor([2.0])
    y = tiny.silu(x)
    tiny.add(tiny.squared_error(y, x), y).mean().backward()
    s = 1 / (1 + np.exp(-2.0))
    dy = s * (1 + 2 * (1 - s))
    np.testing.assert_allclose(x.grad, 2 * (2 * s - 2) * (dy - 1) + dy)


def test_depth_does_not_matter(tiny):
    x = y = tiny.Tensor([1.0])
    for _ in range(3000):
        y = tiny.add(y, 0.0)
    y.backward()
    assert x.grad == 1
