"""Every pointwise op against PyTorch, dtype by dtype: which are legal, and what they
give. Derivatives are left to test_definitions_derivatives.py.
"""

import numpy as np
import pytest
import torch

from kagari.kernels import define, dtypes
from tests.kernels import torch_oracle as oracle

OPS = define.load()
# The rare ones are beside PyTorch in tests/test_elementary.py, where PyTorch's are accurate.
CASES = [
    (op, i) for op in OPS.values() for i in range(len(oracle.calls(op))) if op.built is not None
]
IDS = [f"{op.name}-{i}" for op, i in CASES]
# (op, dtype): why PyTorch is not followed. None stands for every dtype.
DIFFERENT = {
    ("complex", "f16"): "no complex numbers of two halves",
    ("logaddexp", "c64"): "complex logaddexp is not defined",
    ("logaddexp", "c128"): "complex logaddexp is not defined",
    ("nextafter", "f16"): "halves are computed in float32, which has other neighbours",
    ("nextafter", "bf16"): "halves are computed in float32, which has other neighbours",
    ("ldexp", "f16"): "PyTorch overflows in 2^other where the product does not",
}
DIFFERENT |= {
    (name, "bool"): "true and false are numbers here" for name in ("softsign", "tanhshrink")
}
DIFFERENT |= {("clamp", "bool"): "a bound that is an integer makes it int64"}
WIDE_ONLY = ("trigamma", "erfcx", "ndtri", "log_ndtr", *(n for n in OPS if n.endswith("_elements")))
DIVIDES = ("div", "floor_divide", "remainder", "fmod")


def usable(op, dtype, tensors):
    """Without the arguments at which PyTorch raises, or differs from C and from itself."""
    keep = torch.ones(tensors[0].shape, dtype=torch.bool)
    if op.name in ("i0", "i1"):
        keep &= ~torch.isinf(tensors[0])  # NaN there
    if op.name == "soft_margin_loss_elements":
        keep &= (tensors[0] * tensors[1]) > -80  # PyTorch overflows
    if op.name == "trigamma" and tensors[0].is_floating_point():
        keep &= (tensors[0] != tensors[0].floor()) | (tensors[0] > 0)  # poles are not infinite
    if op.name == "binary_cross_entropy_elements":
        keep &= (tensors[0] >= 0) & (tensors[0] <= 1) & (tensors[1] >= 0) & (tensors[1] <= 1)
    if op.name in DIVIDES and dtypes.is_integral(dtype):
        smallest = tensors[0] == torch.iinfo(tensors[0].dtype).min
        keep &= (tensors[1] != 0) & ~(smallest & (tensors[1] == -1))  # the latter kills PyTorch
    elif op.name in ("gcd", "lcm") and dtypes.is_integral(dtype):
        smallest = torch.iinfo(tensors[0].dtype).min
        keep &= (tensors[0] != smallest) & (tensors[1] != smallest)  # kills PyTorch as well
        keep |= tensors[0].min() == 0  # not if there is no sign
        if op.name == "lcm":
            product = tensors[0].double() * tensors[1].double()
            keep &= product.abs() <= torch.iinfo(tensors[0].dtype).max
    elif op.name in DIVIDES and dtype == "bool":
        keep &= tensors[1]
    if op.name == "softsign" and dtypes.is_integral(dtype):
        keep &= (tensors[0] < 100) & (tensors[0] > -100)  # it adds 1 before it converts
    if op.name == "gelu":
        keep &= ~torch.isinf(tensors[0])  # NaN in float32 only
    if op.name == "pow" and dtypes.is_complex(dtype):
        keep &= tensors[0] != 0
    if op.name == "addcdiv" and dtypes.is_complex(dtype):
        keep &= tensors[2] != 0
    return [t[keep] for t in tensors]


@pytest.mark.parametrize(("op", "index"), CASES, ids=IDS)
@pytest.mark.parametrize("dtype", oracle.TORCH)
def test_value(op, index, dtype):
    keywords, count = oracle.calls(op)[index], oracle.tensor_count(op)
    row = oracle.find(op, keywords, count)
    if op.name in WIDE_ONLY and dtype not in ("f32", "f64"):
        pytest.skip("a composite in PyTorch, or not there for this dtype")
    if (op.name, dtype) in DIFFERENT:
        pytest.skip(DIFFERENT[op.name, dtype])
    tensors = usable(op, dtype, oracle.samples(dtype, count))
    legal = oracle.computing(row, dtype) in row.dtypes
    try:
        want = oracle.expected(op, keywords, tensors)
    except (RuntimeError, NotImplementedError, TypeError):
        want = None
    if want is None or not legal:
        assert (want is None) == (not legal), f"legal here: {legal}, in PyTorch: {want is not None}"
        return
    used = oracle.arguments(op, row, tensors, keywords)
    got = oracle.run(row, oracle.computing(row, dtype), *used)
    tolerance = {"f16": 2e-3, "bf16": 2e-2, "f32": 3e-6, "c64": 1e-5, "f64": 1e-13, "c128": 1e-12}
    tolerance |= {"f64": 1e-8} if op.name == "trigamma" else {}
    rtol = tolerance.get(oracle.computing(row, dtype), 0)
    np.testing.assert_allclose(got, oracle.numpy_of(want), rtol=rtol, atol=rtol)
