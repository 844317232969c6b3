"""First derivatives at extremes in float32: where PyTorch's are finite numbers, so are these."""

import numpy as np
import pytest
import torch

from kagari.kernels import define
from tests.kernels import torch_oracle as oracle

OPS = define.load()
NUMBERS = [0.0, -0.0, 1e-30, -1e-30, 1e-42, 300.0, -300.0, 88.5, -88.5, 1e-4, 17.0, -17.0]
NUMBERS += [1e30, -1e30, 1.0, -1.0, float("inf"), float("-inf")]
# Where PyTorch gives a finite number outside the domain, or at a pole.
OUTSIDE = {"acosh", "digamma", "lgamma", "atan2", "where"}
OUTSIDE |= {"_polygamma"}  # its order is an integer; tests/test_elementary.py has it
OUTSIDE |= {"binary_cross_entropy_elements", "soft_margin_loss_elements"}
CASES = [
    (op, index)
    for op in OPS.values()
    for index in range(len(oracle.calls(op)))
    if op.name not in OUTSIDE and 0 < oracle.tensor_count(op) < 3
]


@pytest.mark.parametrize(("op", "index"), CASES, ids=[f"{op.name}-{i}" for op, i in CASES])
def test_finite(op, index):
    keywords, count = oracle.calls(op)[index], oracle.tensor_count(op)
    row = oracle.find(op, keywords, count)
    if "f32" not in row.differentiable:
        pytest.skip("no derivative")
    grid = np.meshgrid(*[np.array(NUMBERS, np.float32)] * count)
    inputs = [torch.tensor(a.ravel()).requires_grad_() for a in grid]
    y = oracle.expected(op, keywords, inputs)
    if not y.requires_grad:
        pytest.skip("PyTorch has no derivative")
    try:
        want = torch.autograd.grad(y, inputs, torch.ones_like(y), allow_unused=True)
    except (RuntimeError, NotImplementedError):
        pytest.skip("PyTorch has no derivative")
    operands = [oracle.numpy_of(a) for a in oracle.arguments(op, row, inputs, keywords)]
    output = oracle.run(row, "f32", *operands)
    got = oracle.vjp(row, "f32", operands, output, np.ones_like(output))
    for mine, theirs in zip(got, want, strict=False):
        if mine is None or theirs is None:
            continue
        finite = np.isfinite(oracle.numpy_of(theirs))
        wrong = finite & np.isnan(np.broadcast_to(mine, finite.shape))
        places = [tuple(float(a.ravel()[i]) for a in grid) for i in np.flatnonzero(wrong)[:5]]
        assert not places, f"NaN at {places}"
