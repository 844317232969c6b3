"""First and second derivatives of every pointwise op against PyTorch's autograd, kinks included."""

import numpy as np
import pytest
import torch

import kagari
from kagari.kernels import define
from tests.kernels import torch_oracle as oracle

OPS = define.load()
CASES = [
    (op, index, dtype)
    for op in OPS.values()
    # an integer as order: tests/test_elementary.py; straight through: functional/test_quantization
    if op.name not in ("_polygamma", "fake_quantize_elements")
    for index in range(len(oracle.calls(op)))
    for dtype in ("f64", "c128")
    if dtype in oracle.find(op, oracle.calls(op)[index], oracle.tensor_count(op)).differentiable
]
SKIPPED = {
    ("logaddexp", "c128"): "complex logaddexp is not defined",
    ("silu", "c128"): "PyTorch has no derivative",
    ("mse_loss_elements", "c128"): "PyTorch has no derivative",
    ("soft_margin_loss_elements", "f64"): "PyTorch has no derivative in the target",
    ("nan_to_num", "c128"): "PyTorch has no derivative",
}
# Only where no operand is zero: beyond, PyTorch's formula divides by it.
NOT_AT_ZERO = (
    "pow", "xlogy", "logit", "atan2", "hypot", "angle", "div", "addcdiv", "copysign", "remainder",
    "reciprocal", "rsqrt", "polar", "sinc",
)  # fmt: skip
# Kinks, where the second derivative is one of two that PyTorch has: checked in first order only.
KINKS = {
    "elu": (0,), "celu": (0,), "selu": (0,), "prelu_kernel": (0,), "softplus": (1.5,),
    "hardswish": (3, -3), "abs": (0,), "softsign": (0,), "acosh": (1,),
    "i0": (0, -20, 25), "i1": (0, -20, 25), "i0e": (0,), "i1e": (0,), "l1_loss_elements": (0,),
}  # fmt: skip
TOLERANCE = {"f64": 1e-11, "c128": 1e-10}
# PyTorch has 1/6 in float32, and a zeta function that is good to ten digits.
LOOSE = {"hardsigmoid": 1e-7, "lgamma": 1e-8, "digamma": 1e-8, "trigamma": 1e-8}


def chosen(op, tensors):
    keep = torch.ones(tensors[0].shape, dtype=torch.bool)
    if op.name in NOT_AT_ZERO:
        keep &= torch.stack([t != 0 for t in tensors]).all(0)
    if op.name in ("pow", "polar", "xlogy") and not tensors[0].is_complex():
        keep &= (tensors[0] > 0) & (tensors[-1] > 0 if op.name == "xlogy" else keep)
    if op.name == "binary_cross_entropy_elements":
        keep &= (tensors[0] > 0) & (tensors[0] < 1) & (tensors[1] > 0) & (tensors[1] < 1)
    if op.name == "kl_div_elements":
        keep &= tensors[1] > 0
    if op.name in ("lgamma", "digamma", "trigamma"):
        keep &= tensors[0] > 0
    if op.name in ("erfinv", "ndtri", "erfcx"):
        keep &= (tensors[0] > 0) & (tensors[0] < 1)
    if op.name == "xlog1py":
        keep &= tensors[1] > -1
    if op.name == "acosh" and not tensors[0].is_complex():
        keep &= tensors[0] >= 1
    return [t[keep] for t in tensors]


def smooth(op, tensors):
    keep = torch.ones(tensors[0].shape, dtype=torch.bool)
    for kink in KINKS.get(op.name, ()):
        keep &= tensors[0] != kink
    return [t[keep] for t in tensors]


class Comparison:
    """One call of an op, in PyTorch with its graph and by the rows."""

    def __init__(self, op, index, dtype, tensors):
        keywords = oracle.calls(op)[index]
        self.dtype, self.row = dtype, oracle.find(op, keywords, len(tensors))
        self.tolerance = LOOSE.get(op.name, TOLERANCE[dtype])
        kinds = [o.kind for o in self.row.operands]
        pairs = list(zip(tensors, kinds, strict=False))
        self.inputs = [t if k == "B" else t.detach().requires_grad_() for t, k in pairs]
        self.live = [i for i, k in enumerate(kinds[: len(tensors)]) if k != "B"]
        self.y = oracle.expected(op, keywords, self.inputs)
        arguments = oracle.arguments(op, self.row, self.inputs, keywords)
        self.operands = [oracle.numpy_of(a) for a in arguments]
        self.output = oracle.run(self.row, dtype, *self.operands)

    def same(self, got, want):
        for mine, theirs in zip(got, want, strict=True):
            if theirs is None:
                assert mine is None or not np.any(np.nan_to_num(mine))
                continue
            mine = np.zeros(theirs.shape) if mine is None else mine
            theirs = oracle.numpy_of(theirs)
            if self.dtype == "c128":  # at a pole the parts may be infinite or NaN
                finite = np.isfinite(theirs)
                mine, theirs = np.broadcast_to(mine, theirs.shape)[finite], theirs[finite]
            np.testing.assert_allclose(mine, theirs, rtol=self.tolerance, atol=self.tolerance)

    def first(self):
        if not self.y.requires_grad:
            pytest.skip("PyTorch has no derivative")
        torch.manual_seed(0)
        self.grad = torch.randn_like(self.y).requires_grad_()
        leaves = [self.inputs[i] for i in self.live]
        try:
            self.gradients = torch.autograd.grad(
                self.y, leaves, self.grad, create_graph=True, allow_unused=True
            )
        except (RuntimeError, NotImplementedError) as error:
            pytest.skip(f"PyTorch has no derivative: {error}")
        grad = oracle.numpy_of(self.grad)
        got = oracle.vjp(self.row, self.dtype, self.operands, self.output, grad)
        self.same([got[i] for i in self.live], self.gradients)

    def second(self):
        self.first()
        leaves = [self.grad, *(self.inputs[i] for i in self.live)]
        for i, gradient in zip(self.live, self.gradients, strict=True):
            if gradient is None or not gradient.requires_grad:
                continue
            if self.row.derivatives[i].rule != "Op":
                continue
            cotangent = torch.randn_like(gradient)
            want = torch.autograd.grad(
                gradient, leaves, cotangent, allow_unused=True, retain_graph=True
            )
            mine = oracle.second(
                self.row, self.dtype, i, self.operands, self.output, self.grad, cotangent
            )
            self.same([mine[0], *(mine[1 + j] for j in self.live)], want)


@pytest.mark.parametrize(
    ("op", "index", "dtype"), CASES, ids=[f"{o.name}-{i}-{d}" for o, i, d in CASES]
)
def test_derivative(op, index, dtype):
    if (op.name, dtype) in SKIPPED:
        pytest.skip(SKIPPED[op.name, dtype])
    tensors = chosen(op, oracle.samples(dtype, oracle.tensor_count(op), finite=True))
    Comparison(op, index, dtype, tensors).first()
    if op.name != "hardsigmoid":  # PyTorch has no second one
        Comparison(op, index, dtype, smooth(op, tensors)).second()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64, torch.bfloat16])
def test_a_square_is_a_product_and_still_a_power(dtype):
    values = torch.tensor([-2.5, 0.0, 3.0, 1e-3], dtype=dtype)
    x = kagari.from_dlpack(values).requires_grad_()
    for exponent in (2, 2.0):
        y = x**exponent
        assert kagari.equal(y, x * x) and y.grad_fn.name() == "PowBackward0"
        (slope,) = kagari.autograd.grad(y, x, kagari.ones_like(y))
        assert kagari.equal(slope, 2 * x.detach())
    assert (kagari.arange(3) ** 2).dtype == kagari.int64
    assert (kagari.arange(3) ** 2.0).dtype == kagari.float32
    again = kagari.func.vmap(kagari.func.grad(lambda v: (v**2).real if v.is_complex() else v**2))
    assert kagari.equal(again(x.detach()), 2 * x.detach())
