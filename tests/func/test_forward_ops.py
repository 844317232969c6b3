"""Forward mode of ops of every family, first and second order, and that a wrong rule is seen."""

import pytest

import kagari
from tests.func.forward_ops import Case, differ, problems

OPS = (
    "add sin where atan2 clamp lerp sum prod var cumsum cumprod amax softmax matmul bmm addmm "
    "conv2d view diagonal index_select gather scatter_add masked_fill cat roll sort topk "
    "linalg.inv linalg.det linalg.solve nn.functional.layer_norm nn.functional.conv2d "
    "nn.functional.max_pool2d nn.functional.gelu nn.functional.mse_loss"
).split()
OPS.remove("conv2d")


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", OPS)
def test_op(name, order):
    assert problems(name, order) == []


def test_a_wrong_tangent_is_seen():
    case = Case(kagari.sin, [kagari.tensor([0.3, 0.7], dtype=kagari.float64)], {})
    found, expected = case.forward()
    assert differ(found, expected, 1e-5) == ""
    assert differ([found[0] * 1.001], expected, 1e-5) != ""
