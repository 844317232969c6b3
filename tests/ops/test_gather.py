"""gather, the scatters, embedding and one_hot, padding."""

import pytest
import torch

import kagari
from tests.ops.beside_torch import layouts
from tests.ops.same_code import agree, gradients_agree

GATHERS = [
    "lib.gather(x, 1, i)", "lib.gather(x, 0, j)", "lib.gather(x, -1, i % 4)",
    "lib.gather(x, 1, i[:2])",
    "lib.gather(x, 0, j + 9)", "lib.gather(x, 1, -i - 1)", "lib.gather(x, 1, i.float())",
    "lib.gather(x, 1, i[0])", "lib.gather(x, 3, i)", "lib.gather(x, 0, i)",
    "lib.gather(x, 1, i[:0])",
    "x.gather(1, i.int())", "x[0, 0, 0].gather(0, j[0, 0, 0] * 0)",
]  # fmt: skip
SCATTERS = [
    "x.scatter(1, p, s[:, :2])", "x.scatter(1, p, 2)", "x.scatter(1, p, value=2.5)",
    "x.scatter(1, p, s, reduce='add')", "x.scatter(1, p, 2, reduce='multiply')",
    "x.scatter(1, p, s, reduce='max')", "x.scatter(1, p + 4, 1)", "x.scatter(1, p, s[:, :1])",
    "x.scatter_add(1, i, s[:, :2])", "x.scatter_add(0, j, s)", "lib.scatter_add(x, 2, p, s)",
    "x.scatter_add(1, i, s.double())", "x.scatter_add_(1, i, s)", "x.scatter_(1, p, s)",
    "x.scatter_(1, p, value=1)", "x.scatter_reduce(1, i, s, 'sum')",
    "x.scatter_reduce(1, i, s, 'prod')", "x.scatter_reduce(1, i, s, 'mean')",
    "x.scatter_reduce(1, i, s, 'amax')", "x.scatter_reduce(1, i, s, 'amin')",
    "x.scatter_reduce(1, i, s, 'sum', include_self=False)",
    "x.scatter_reduce(1, i, s, 'prod', include_self=False)",
    "x.scatter_reduce(1, i, s, 'mean', include_self=False)",
    "x.scatter_reduce(1, i, s, 'amax', include_self=False)",
    "x.scatter_reduce(1, i, s, 'amin', include_self=False)",
    "x.scatter_reduce(1, i, s, 'median')", "x.scatter_reduce_(1, i, s, 'mean')",
]  # fmt: skip


def operands(dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    x, s = (torch.randn(3, 4, 5) * 3).to(dtype), (torch.randn(3, 4, 5) * 3).to(dtype)
    i, j = torch.randint(0, 4, (3, 2, 5)), torch.randint(0, 3, (2, 4, 5))
    p = torch.stack([torch.randperm(4)[:2] for _ in range(15)]).reshape(3, 5, 2).mT
    return x, s, i, j, p


@pytest.mark.parametrize("code", GATHERS + SCATTERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.float64])
def test_values(code: str, dtype: torch.dtype) -> None:
    x, *others = operands(dtype)
    for laid_out in (x, layouts(x)["transposed"], layouts(x)["strided"]):
        agree(lambda lib, x, s, i, j, p: eval(code), laid_out, *others)


@pytest.mark.parametrize("code", [
    "lib.gather(x, 1, i)", "lib.gather(x, 0, j)", "x.scatter(1, p, s[:, :2])",
    "x.scatter(1, p, 2)", "x.scatter_add(1, i, s[:, :2])",
    "x.scatter_reduce(1, i, s[:, :2], 'sum')",
    "x.scatter_reduce(1, i, s[:, :2], 'mean')", "x.scatter_reduce(1, i, s[:, :2], 'prod')",
    "x.scatter_reduce(1, i, s[:, :2], 'amax')", "x.scatter_reduce(1, i, s[:, :2], 'amin')",
    "x.scatter_reduce(1, i, s[:, :2], 'prod', include_self=False)",
    "x.scatter_reduce(1, i, s[:, :2], 'mean', include_self=False)",
    "x.clone().scatter_(1, p, s[:, :2])", "x.clone().scatter_add_(1, i, s[:, :2])",
])  # fmt: skip
def test_gradients(code: str) -> None:
    gradients_agree(lambda lib, x, s, i, j, p: eval(code) ** 2, *operands(torch.float64))


def test_a_source_larger_than_the_index_gets_a_gradient_of_its_size() -> None:
    x, s = kagari.zeros(3), kagari.ones(4, requires_grad=True)
    x.scatter_add(0, kagari.tensor([0, 0]), s).sum().backward()
    assert s.grad.tolist() == [1, 1, 0, 0]


def test_in_place_scatter_reduce_keeps_what_its_gradient_needs() -> None:
    x, s, i, *_ = operands(torch.float64)
    code = "(x * 1).scatter_reduce_(1, i, s[:, :2], 'prod')"
    gradients_agree(lambda lib, x, s, i: eval(code), x, s, i)


def test_nothing_is_written_before_a_bad_index_is_found() -> None:
    x = kagari.zeros(4)
    with pytest.raises(RuntimeError, match="index 9 is out of bounds for dimension 0 with size 4"):
        x.scatter_(0, kagari.tensor([0, 9]), 1.0)
    assert x.tolist() == [0, 0, 0, 0]


def test_large_gather_and_scatter_on_threads() -> None:
    torch.manual_seed(0)
    x, i = torch.randn(300, 700), torch.randint(0, 300, (900, 700))
    agree(lambda lib, x, i: lib.gather(x, 0, i), x, i, exact=True)
    agree(lambda lib, x, i: x.scatter_add(0, i[:300], x), x, i)
    agree(lambda lib, x, i: lib.gather(x.mT, 1, i.mT), x, i, exact=True)
    agree(lambda lib, x, i: lib.gather(x, 1, i[:300, :1]), x, i, exact=True)


# ---- embedding, one_hot ----


@pytest.mark.parametrize("options", [{}, {"padding_idx": 1}, {"scale_grad_by_freq": True},
                                     {"padding_idx": 3, "scale_grad_by_freq": True}])  # fmt: skip
def test_embedding(options: dict) -> None:
    weight, at = torch.randn(5, 3, dtype=torch.float64), torch.tensor([[0, 1, 1], [3, 3, 3]])

    def look_up(lib, weight, at):
        return lib.nn.functional.embedding(at, weight, **options)

    agree(look_up, weight, at)
    agree(look_up, weight, at + 3)
    agree(look_up, weight[0], at)
    agree(look_up, weight, at.float())
    # PyTorch's second derivative does not scale by frequency
    order = 1 if "scale_grad_by_freq" in options else 2
    gradients_agree(lambda lib, w, at: look_up(lib, w, at) ** 2, weight, at, order=order)


@pytest.mark.parametrize("code", ["f(x)", "f(x, 7)", "f(x, 2)", "f(-x)", "f(x[:0])", "f(x[:0], 3)",
                                  "f(x.int())"])  # fmt: skip
def test_one_hot(code: str) -> None:
    def run(lib, x):
        return eval(code, {"f": lib.nn.functional.one_hot, "x": x})

    agree(run, torch.tensor([[0, 2], [3, 1]]))


# ---- pad ----

PADS = [
    "p(x, (1, 2))", "p(x, (1, 2, 3, 0))", "p(x, (-1, 2))", "p(x, (-1, -1, 0, -2))",
    "p(x, (1, 1), value=7)",
    "p(x, (1, 1, 1, 1, 1, 1), value=-1)", "p(x, (1,))", "p(x, (-9, 0))", "p(x, (0, 0))", "p(x, ())",
    "p(x, (1, 2), 'reflect')", "p(x, (2, 1, 1, 2), 'reflect')", "p(x, (9, 1), 'reflect')",
    "p(x, (3, 3), 'replicate')", "p(x, (2, 1, 1, 2), 'replicate')", "p(x, (2, 3), 'circular')",
    "p(x, (2, 1, 1, 2), 'circular')", "p(x, (9, 0), 'circular')", "p(x, (1, 1), 'mirror')",
    "p(x[None], (1, 1, 1, 1, 1, 1), 'reflect')", "p(x[None], (1, 1, 1, 1, 1, 1), 'replicate')",
    "p(x, (1,) * 8)",
]  # fmt: skip


@pytest.mark.parametrize("code", PADS)
def test_pad(code: str) -> None:
    def run(lib, x):
        return eval(code, {"p": lib.nn.functional.pad, "x": x})

    x = torch.randn(2, 4, 5, dtype=torch.float64)
    agree(run, x)
    agree(run, x.mT.contiguous().mT)


@pytest.mark.parametrize("code", [PADS[0], PADS[3], PADS[10], PADS[13], PADS[15], PADS[19]])
def test_gradients_of_pad(code: str) -> None:
    def run(lib, x):
        return eval(code, {"p": lib.nn.functional.pad, "x": x}) ** 2

    gradients_agree(run, torch.randn(2, 4, 5, dtype=torch.float64))
