"""Reductions, softmax and scans on shapes, permutations and slices that hypothesis makes."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.ops.beside_torch import compare, sample


@st.composite
def views(draw) -> torch.Tensor:
    """A permuted, sliced and perhaps expanded tensor of up to four dimensions."""
    sizes = draw(st.lists(st.sampled_from([1, 2, 3, 5, 17, 40]), min_size=1, max_size=4))
    x = sample(torch.float64, *sizes, seed=draw(st.integers(0, 5)))
    x = x.permute(draw(st.permutations(range(x.dim()))))
    for d in range(x.dim()):
        if draw(st.booleans()):
            step = draw(st.integers(1, 3))
            x = x.movedim(d, 0)[draw(st.integers(0, 1)) :: step].movedim(0, d)
    if draw(st.booleans()):
        d = draw(st.integers(0, x.dim() - 1))
        if x.shape[d]:
            x = x.narrow(d, 0, 1).expand(*[4 if i == d else n for i, n in enumerate(x.shape)])
    return x


@st.composite
def cases(draw) -> tuple[torch.Tensor, list[int], bool]:
    x = draw(views())
    dims = draw(st.lists(st.integers(0, x.dim() - 1), unique=True, min_size=1))
    return x, dims, draw(st.booleans())


@given(cases())
def test_reductions(case):
    x, dims, keepdim = case
    for name in ("sum", "mean", "var", "logsumexp", "count_nonzero"):
        options = {} if name == "count_nonzero" else {"keepdim": keepdim}
        compare(
            name, x, dim=dims, scale=10, note=f"{name} {x.shape} {x.stride()} {dims}", **options
        )
    if x.numel():
        for name in ("amax", "amin"):
            compare(name, x, dims, keepdim, note=f"{name} {x.shape} {x.stride()} {dims}")
        for name in ("argmax", "max"):
            compare(name, x, dims[0], keepdim, note=f"{name} {x.shape} {x.stride()} {dims}")


@given(views())
def test_rows(x):
    for d in range(x.dim()):
        for name in ("softmax", "log_softmax", "cumsum", "cummax", "logcumsumexp"):
            compare(name, x, d, scale=20, note=f"{name} {x.shape} {x.stride()} {d}")


@given(views(), st.integers(1, 3))
def test_normalisation(x, count):
    shape = tuple(x.shape[-min(count, x.dim()) :])
    weight = sample(torch.float64, *shape)
    compare("layer_norm", x, shape, weight, weight, scale=100)
    compare("rms_norm", x, shape, weight, 1e-6, scale=100)
    if x.dim() >= 2 and x.numel():
        options = (None, None, None, None, True, 0.1, 1e-5, False)
        compare("batch_norm", x, *options, scale=1000)
        compare("group_norm", x, 1, scale=1000)
