"""Sorting, selection by rank, searching, distinct elements, counting."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import kagari
from tests.ops.beside_torch import layouts
from tests.ops.same_code import agree, gradients_agree

SORTS = [
    "lib.sort(x, dim=1, stable=True)", "lib.sort(x, dim=0, descending=True, stable=True)",
    "lib.sort(x, stable=True)", "lib.argsort(x, dim=1, stable=True)", "lib.msort(x)",
    "x.sort(dim=-2, stable=True)", "lib.topk(x, 2, dim=1)[0]",
    "lib.topk(x, 2, dim=0, largest=False)[0]",
    "lib.topk(x, 0)", "lib.topk(x, 4, 1)[0]", "lib.topk(x, 9)", "lib.topk(x, -1)", "lib.sort(x, 3)",
    "lib.kthvalue(x, 2, dim=1)[0]", "lib.kthvalue(x, 1, 0, True)[0]", "lib.kthvalue(x, 9)",
    "lib.kthvalue(x, 0)", "lib.sort(x[:0], 0)", "lib.sort(x[0, 0, 0])",
    "x.gather(1, lib.topk(x, 2, dim=1)[1])",
]  # fmt: skip


@pytest.mark.parametrize("code", SORTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.float64, torch.uint8,
                                   torch.float16, torch.bfloat16, torch.int8])  # fmt: skip
def test_sort(code: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    x = (torch.randn(3, 4, 5) * 3).to(dtype)
    for laid_out in (x, layouts(x)["transposed"]):
        agree(lambda lib, x: eval(code), laid_out, exact=True)


@pytest.mark.parametrize("n", [1, 2, 399, 400, 5000])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64, torch.int16])
def test_long_rows_are_sorted_stably_with_nan_last(n: int, descending: bool, dtype) -> None:
    torch.manual_seed(n)
    x = torch.randint(-40, 40, (3, n)).to(dtype)
    if dtype.is_floating_point:
        x = torch.where(torch.rand(3, n) < 0.1, float("nan"), x / 2)
        x = torch.where(torch.rand(3, n) < 0.1, -0.0, x)
        x[:, :1] = float("inf")
        x[:, -1:] = float("-inf")
    agree(lambda lib, x: lib.sort(x, descending=descending, stable=True), x, exact=True)


@given(st.lists(st.floats(width=32), min_size=1, max_size=40), st.data())
def test_any_floats(values: list[float], data: st.DataObject) -> None:
    x, k = torch.tensor(values), data.draw(st.integers(1, len(values)))
    agree(lambda lib, x: lib.sort(x, stable=True), x, exact=True)
    agree(lambda lib, x: lib.topk(x, k)[0], x, exact=True)
    agree(lambda lib, x: lib.kthvalue(x, k)[0], x, exact=True)


@pytest.mark.parametrize("code", ["lib.sort(x, 1)[0]", "lib.topk(x, 2, 0)[0]", "lib.msort(x)",
                                  "lib.kthvalue(x, 2, 1)[0]",
                                  "x.sort(descending=True).values"])  # fmt: skip
def test_gradients(code: str) -> None:
    gradients_agree(lambda lib, x: eval(code) ** 3, torch.randn(3, 4, 5, dtype=torch.float64))


SEARCHES = [
    "lib.searchsorted(b, x)", "lib.searchsorted(b, x, right=True)", "lib.searchsorted(b, 0.5)",
    "lib.searchsorted(b, x, side='right')", "lib.searchsorted(b, x, side='up')",
    "lib.searchsorted(b, x, side='left', right=True)", "lib.searchsorted(b, x, out_int32=True)",
    "lib.searchsorted(b.expand(3, -1).contiguous(), x)", "lib.searchsorted(b.expand(2, -1), x)",
    "lib.searchsorted(b.flip(0), x, sorter=lib.argsort(b.flip(0)))", "lib.bucketize(x, b)",
    "lib.bucketize(x, b, right=True)", "lib.bucketize(0.5, b)", "lib.bucketize(x, x)",
    "lib.searchsorted(b, x[:0])", "lib.searchsorted(b[:0], x)",
]  # fmt: skip


@pytest.mark.parametrize("code", SEARCHES)
@pytest.mark.filterwarnings("ignore")
def test_search(code: str) -> None:
    x = torch.tensor([[0.0, 0.5, 7.0], [-9.0, 1.0, float("nan")], [2.0, 2.5, 3.0]])
    agree(lambda lib, x, b: eval(code), x, torch.tensor([0.0, 0.5, 1.0, 1.0, 2.5]))


UNIQUES = [
    "lib.unique(x)", "lib.unique(x, return_inverse=True)", "lib.unique(x, return_counts=True)",
    "lib.unique(x, True, True, True)", "lib.unique(x, dim=0)", "lib.unique(x, True, True, True, 1)",
    "lib.unique_consecutive(x)", "lib.unique_consecutive(x, True, True)",
    "lib.unique_consecutive(x, True, True, dim=0)", "x.unique()", "lib.unique(x[:0])",
    "lib.unique(x, dim=5)", "x.unique_consecutive(dim=1)",
]  # fmt: skip


@pytest.mark.parametrize("code", UNIQUES)
@pytest.mark.parametrize("dtype", [torch.int64, torch.float32, torch.bool])
def test_unique(code: str, dtype: torch.dtype) -> None:
    x = torch.tensor([[1, 1, 0, 2], [1, 1, 0, 2], [0, 5, 5, 5], [1, 1, 0, 2]]).to(dtype)
    agree(lambda lib, x: eval(code), x, exact=True)


@pytest.mark.parametrize("code", [
    "lib.bincount(n)", "lib.bincount(n, minlength=9)", "lib.bincount(n, w)",
    "lib.bincount(n, w.float())",
    "lib.bincount(-n)", "lib.bincount(w)", "lib.bincount(n, w[:1])", "lib.bincount(n[:0])",
    "lib.histc(w, 4)", "lib.histc(w, 4, 0, 1)", "lib.histc(w, 0)", "lib.histc(w, 4, 1, 0)",
    "lib.histc(n)", "lib.histc(w[:1], 3)",
])  # fmt: skip
def test_counts(code: str) -> None:
    n, w = torch.tensor([1, 4, 1, 0]), torch.tensor([0.5, 2.0, -1.0, 0.25], dtype=torch.float64)
    agree(lambda lib, n, w: eval(code), n, w)


@pytest.mark.parametrize("values", [
    torch.tensor([3, -1, 3, 7, -1]), torch.tensor([2**63 - 1, -(2**63), 0, 0]),
    torch.tensor([255, 0, 255], dtype=torch.uint8), torch.tensor([True, False, True]),
    torch.tensor([0.5, float("nan"), -0.0, 0.0, float("nan"), float("-inf")]),
    torch.tensor([], dtype=torch.int64), torch.tensor(5), torch.randint(-50, 50, (30, 40)),
    torch.randint(-(2**40), 2**40, (5000,)), torch.randn(3000).round(decimals=1).half(),
], ids=lambda v: f"{v.dtype}{tuple(v.shape)}".removeprefix("torch."))  # fmt: skip
def test_distinct_values(values):
    found = kagari.unique(kagari.from_numpy(values.numpy()))
    expected = torch.unique(values)
    assert found.dtype == getattr(kagari, str(values.dtype).removeprefix("torch."))
    assert found.shape == expected.shape
    assert torch.equal(torch.from_numpy(found.numpy()).nan_to_num(99), expected.nan_to_num(99))
    alone, _ = kagari.unique(kagari.from_numpy(values.numpy()), return_counts=True)
    assert kagari.equal(alone.nan_to_num(99), found.nan_to_num(99))
