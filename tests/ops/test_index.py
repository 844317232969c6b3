"""tensor[index], tensor[index] = value, and the ops that choose or write whole rows."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import kagari
from tests.ops.same_code import agree, gradients_agree

I = torch.tensor([0, 1, 1])  # noqa: E741
MASK = torch.tensor([[True, False, True], [False, True, True]])

READS = [
    "x[0]", "x[-1]", "x[1:]", "x[:, 1]", "x[..., 0]", "x[None]", "x[:, None, 1]", "x[0, 1, 2]",
    "x[::2]", "x[:, ::2, 1:3]", "x[()]", "x[..., None]", "x[0, ...]", "x[10:]", "x[-1:]", "x[0:0]",
    "x[True]", "x[False]", "x[:, True]", "x[1, True, i]", "x[...]", "x[5:1]", "x[-9:9]",
    "x[i]", "x[:, i]", "x[..., i]", "x[i, i]", "x[i, :, i]", "x[:, i, i]", "x[i, None]",
    "x[None, i]", "x[i, ..., 0]", "x[i.reshape(3, 1), i]", "x[:, i.reshape(3, 1)]", "x[i - 2]",
    "x[i.int()]", "x[i[0]]", "x[i[0], i]", "x[m]", "x[m, 1]", "x[0, m[0]]", "x[x > 3]",
    "x[m, i[0]]",
    "x[[0, 1]]", "x[[0, 1], [1, 2]]", "x[[[0, 1], [1, 2]]]", "x[[True, False]]", "x[[]]",
    "x[(0, 1),]", "x[range(2)]", "x[np.array([1, 0])]", "x[np.int64(1)]", "x[lib.tensor(True)]",
    "x[5]", "x[-3]", "x[0, 5]", "x[0, 0, 0, 0]", "x[1.5]", "x[::-1]", "x[i + 5]", "x[i, i[:2]]",
    "x[i.float()]", "x[object()]", "x[m[:1]]", "x[0][0][0][0]", "x[lib.tensor(0.5)]",
]  # fmt: skip


@pytest.mark.parametrize("code", READS)
@pytest.mark.parametrize("layout", ["contiguous", "transposed"])
def test_reads(code: str, layout: str) -> None:
    x = torch.arange(24.0).reshape(2, 3, 4)
    if layout == "transposed":
        x = x.permute(2, 0, 1).contiguous().permute(1, 2, 0)

    def read(lib, x, i, m):
        return eval(code, {"x": x, "i": i, "m": m, "lib": lib, "np": np})

    agree(read, x, I, MASK, exact=True)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float16,
                                   torch.bfloat16, torch.complex64, torch.complex128])  # fmt: skip
@pytest.mark.parametrize("code", ["x[i]", "x[:, i]", "x[m]", "x[i, i]", "x[0, 1:]"])
def test_reads_of_every_size_of_element(code: str, dtype: torch.dtype) -> None:
    x = torch.arange(24).reshape(2, 3, 4).to(dtype)
    agree(lambda lib, x, i, m: eval(code), x, I, MASK)


WRITES = [
    "x[0] = 1", "x[:, 1] = v", "x[i] = 2", "x[i] = x[0] * 2", "x[m] = 7", "x[m] = v",
    "x[..., 0] = x[..., 1]", "x[0, 1, 2] = 9", "x[:, i] = 3.5", "x[i, i] = v", "x[0] = v[0]",
    "x[1:] = x[:-1].clone()", "x[m] = x[m] * 2", "x[None] = 1", "x[5] = 1", "x[0, 0] = v.double()",
    "x[i] = v.double()", "x[:] = 0", "x[...] = v", "x[x > 5] = 0", "x[x > 5] = x[x > 5] + 1",
    "x[True] = 3", "x[False] = 3", "x[0] = v[None, None]", "x[i] = v[None, None, None]",
    "x[[0, 1], [1, 2]] = 5", "x[0, 0] = [1, 2, 3, 4]", "x[0, 0] = np.ones(4)", "x[0] = i",
    "x[i] = v[:2]", "x[0] = v[:3]", "x[0] = 'a'", "x[:, :, 1:3] = 1j", "x[..., i] = 1",
    "x[i.reshape(3, 1), i] = v[0]", "x.index_put_((i,), v, accumulate=True)",
    "x.index_put_((i, i), v[:1], accumulate=True)", "x.index_put_((m,), v)",
]  # fmt: skip


@pytest.mark.parametrize("code", WRITES)
@pytest.mark.parametrize("layout", ["contiguous", "transposed"])
def test_writes(code: str, layout: str) -> None:
    x = torch.arange(24.0).reshape(2, 3, 4)
    if layout == "transposed":
        x = x.permute(2, 0, 1).contiguous().permute(1, 2, 0)

    def write(lib, x, i, m, v):
        exec(code, {"x": x, "i": i, "m": m, "v": v, "np": np})
        return x

    agree(write, x, I, MASK, torch.tensor([1.0, 2.0, 3.0, 4.0]), exact=True)


@given(st.data())
def test_any_index_of_any_shape(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    x = torch.arange(float(np.prod(shape))).reshape(shape)
    parts: list[object] = []
    for size in shape[: data.draw(st.integers(0, len(shape)))]:
        parts.append(
            data.draw(
                st.one_of(
                    st.integers(-size, size - 1),
                    st.slices(size).filter(lambda s: (s.step or 1) > 0),
                    st.lists(st.integers(-size, size - 1), min_size=2, max_size=2),
                )
            )
        )
    agree(lambda lib, x: x[tuple(parts)], x, exact=True)

    def write(lib, x):
        x[tuple(parts)] = -1
        return x

    agree(write, x, exact=True)


def test_integer_reads_are_views() -> None:
    x = kagari.zeros(2, 3)
    x[0][1] = 5
    assert x.tolist() == [[0, 5, 0], [0, 0, 0]]


@pytest.mark.parametrize("code", [
    "x[0]", "x[:, 1:]", "x[i]", "x[:, i]", "x[i, i]", "x[m]", "x[..., i]", "x[None, i, None]",
])  # fmt: skip
def test_gradients_of_reads(code: str) -> None:
    x = torch.randn(2, 3, 4, dtype=torch.float64)
    gradients_agree(lambda lib, x, i, m: eval(code) ** 2, x, I, MASK)


@pytest.mark.parametrize("code", [
    "y[0] = v", "y[i] = v", "y[m] = v", "y[:, i] = v", "y[m] = 2", "y[i, i] = v", "y[..., 0] = 3",
    "y.index_put_((i,), v, accumulate=True)", "y.index_add_(0, i, w)",
    "y.index_copy_(0, i[:2], w[:2])",
    "y.index_fill_(0, i, 2)", "y.masked_fill_(m[..., None], v[0])",
])  # fmt: skip
def test_gradients_of_writes(code: str) -> None:
    x, v = torch.randn(2, 3, 4, dtype=torch.float64), torch.randn(4, dtype=torch.float64)
    w = torch.randn(3, 3, 4, dtype=torch.float64)

    def write(lib, x, v, w, i, m):
        y = x * 2
        exec(code, {"y": y, "v": v, "w": w, "i": i, "m": m})
        return y**2

    gradients_agree(write, x, v, w, I, MASK)


ROWS = [
    "lib.index_select(x, 1, k)", "lib.index_select(x, 0, k)", "lib.index_select(x, -1, k[:0])",
    "lib.index_select(x, 1, k + 5)", "lib.index_select(x, 1, -k)", "lib.index_select(x, 3, k)",
    "lib.index_select(x, 1, k[0])", "lib.index_select(x, 1, k.float())", "x.index_add(1, k, s)",
    "x.index_add(1, k, s, alpha=2)", "x.index_add(0, k, s)", "x.index_copy(1, k[:3], s[:, :3])",
    "x.index_fill(1, k, 3)", "x.index_fill(1, -k - 1, 3)", "x.index_fill(1, k + 4, 3)",
    "x.index_add(1, k, s.double())", "x.index_put((k[:3] * 0,), s[0])", "x.take(k * 5)",
    "x.take(-k - 1)", "x.take(k * 500)", "x.put(k, s.reshape(-1)[:4])", "x.put(k, s)",
    "x.put(k * 0, s.reshape(-1)[:4], accumulate=True)", "x.masked_select(x > 0)",
    "x.masked_select(x[0] > 0)", "x.masked_select(x)", "x.masked_fill(x > 0, 1)",
    "x.masked_fill(x[:1] > 0, lib.tensor(2))", "x.masked_fill(x > 0, s)", "x.masked_fill(x, 1)",
    "x.masked_scatter(x > 0, s)", "x.masked_scatter(x > -99, s[:1])", "lib.nonzero(x)",
    "lib.nonzero(x, as_tuple=True)", "lib.argwhere(x > 0)", "lib.where(x > 0)",
    "lib.where(x > 0, x, s)", "lib.take_along_dim(x, k.reshape(1, 4, 1), 1)",
    "lib.take_along_dim(x.contiguous(), k)", "lib.select_scatter(x, s[0], 0, 1)",
    "lib.index_reduce(x, 1, k, s, 'amax')",
    "lib.slice_scatter(x, s[:, :2], 1, 1, 3)", "lib.diagonal_scatter(x[0], s[0, 0, :4])",
    "lib.index_reduce(x, 1, k, s, 'mean', include_self=False)", "x.index_reduce_(1, k, s, 'prod')",
]  # fmt: skip


@pytest.mark.parametrize("code", ROWS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
def test_rows(code: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    x, s = (torch.randn(3, 4, 5) * 3).to(dtype), (torch.randn(3, 4, 5) * 3).to(dtype)
    agree(lambda lib, x, s, k: eval(code), x, s, torch.tensor([2, 0, 1, 1]))
    agree(lambda lib, x, s, k: eval(code), x.mT.contiguous().mT, s, torch.tensor([2, 0, 1, 1]))


@pytest.mark.parametrize("code", [
    "lib.index_select(x, 1, k)", "x.index_add(1, k, s, alpha=2)",
    "x.index_copy(1, k[:3], s[:, :3])",
    "x.index_fill(1, k, 3)", "x.take(k * 5)", "x.put(k, s.reshape(-1)[:4])",
    "x.put(k * 0, s.reshape(-1)[:4], accumulate=True)", "x.masked_select(x > 0)",
    "x.masked_fill(x > 0, s[0, 0, 0])", "x.masked_scatter(x > 0, s)", "lib.where(x > 0, x, s)",
    "lib.take_along_dim(x, k.reshape(1, 4, 1), 1)", "lib.select_scatter(x, s[0], 0, 1)",
])  # fmt: skip
def test_gradients_of_rows(code: str) -> None:
    torch.manual_seed(0)
    x, s = (torch.randn(3, 4, 5, dtype=torch.float64) for _ in range(2))
    gradients_agree(lambda lib, x, s, k: eval(code) ** 2, x, s, torch.tensor([2, 0, 1, 1]))


def test_meta_tensors_have_the_shapes() -> None:
    x = kagari.empty(3, 4, 5, device="meta")
    k = kagari.zeros(2, dtype=kagari.int64)
    assert x[0].shape == (4, 5) and x[k].shape == (2, 4, 5) and x[:, k, 1:].shape == (3, 2, 4)
    assert kagari.index_select(x, 1, k).shape == (3, 2, 5)
    with pytest.raises(NotImplementedError, match="meta"):
        kagari.nonzero(x)


def test_equal_indices_add_up_in_order_on_any_number_of_threads() -> None:
    torch.manual_seed(0)
    values, places = torch.randn(20000, 300), torch.randint(0, 7, (20000,))
    ours = kagari.from_numpy(values.numpy()), kagari.from_numpy(places.numpy())
    results = []
    threads = kagari.get_num_threads()
    for count in (1, 2):
        kagari.set_num_threads(count)
        results.append(kagari.zeros(7, 300).index_add(0, ours[1], ours[0]))
    kagari.set_num_threads(threads)
    assert (results[0] == results[1]).all()
