"""segment_reduce beside PyTorch."""

import pytest
import torch

import kagari
from tests.ops.beside_torch import compare, sample

KINDS = ("sum", "mean", "max", "min", "prod")


@pytest.mark.parametrize("reduce", KINDS)
def test_values_and_gradients(reduce):
    data, lengths = sample(torch.float64, 6, 2), torch.tensor([1, 0, 3, 2])
    for initial in (None, 2.0):
        compare("segment_reduce", data, reduce, lengths=lengths, initial=initial)
        compare(
            "segment_reduce", data, reduce, offsets=torch.tensor([0, 1, 1, 4, 6]), initial=initial
        )
    several = torch.tensor([[1, 2], [3, 0]])
    compare("segment_reduce", sample(torch.float32, 2, 3, 2), reduce, lengths=several, axis=1)
    data = sample(torch.float64, 6, 2).requires_grad_()
    lengths = kagari.tensor([1, 2, 3]), torch.tensor([1, 2, 3])
    got = kagari.tensor(data.detach().numpy()).requires_grad_()
    for library, x, n in ((kagari, got, lengths[0]), (torch, data, lengths[1])):
        (library.segment_reduce(x, reduce, lengths=n) ** 2).sum().backward()
    assert kagari.allclose(got.grad, kagari.tensor(data.grad.numpy()))


@pytest.mark.parametrize(
    "options",
    [
        {}, {"lengths": kagari.tensor([1, 1])}, {"lengths": kagari.tensor([-1, 4])},
        {"lengths": kagari.tensor([4]), "unsafe": True}, {"indices": kagari.tensor([0, 0, 1])},
        {"lengths": kagari.tensor([3.0])}, {"lengths": kagari.tensor([3]), "axis": 1},
        {"lengths": kagari.tensor([[3]]), "axis": 1},
    ],
)  # fmt: skip
def test_errors(options):
    with pytest.raises(RuntimeError):
        kagari.segment_reduce(kagari.ones(3, 2), "sum", **options)


def test_kinds():
    with pytest.raises(RuntimeError):
        kagari.segment_reduce(kagari.ones(3), "median", lengths=kagari.tensor([3]))
