"""linear_cross_entropy in chunks: the loss and derivatives of the whole, and of PyTorch."""

import pytest
import torch

import kagari

from ..ops.pairs import close, compare, ours, same_error
from ..ops.test_matmul import make

Options = kagari.nn.LinearCrossEntropyOptions


def loss(lib, x, w, target, *more, size=None, **kwargs):  # type: ignore[no-untyped-def]
    names = ("linear_bias", "weight")[: len(more)]
    options = None if size is None else lib.nn.LinearCrossEntropyOptions(batch_chunk_size=size)
    return lib.nn.functional.linear_cross_entropy(
        x, w, target, **dict(zip(names, more, strict=True)), options=options, **kwargs
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("size", [1, 4, 5, 100])
def test_chunks(reduction: str, size: int) -> None:
    x, w, target = make(10, 3), make(7, 3), torch.arange(10) % 7
    target[3] = -100
    bias, weight = make(7), make(7, grad=False).abs()
    options = {"reduction": reduction}

    def chunked(lib, *args):  # type: ignore[no-untyped-def]
        """PyTorch's whole loss, so that second derivatives are compared too."""
        return loss(lib, *args, size=size if lib is kagari else None, **options)

    compare(chunked, x, w, target, scale=10)
    compare(chunked, x, w, target, bias, weight, scale=10)
    compare(loss, x, w, target, size=size, order=1, scale=10, **options)
    target[3] = 2
    compare(loss, x, w, target, size=size, order=1, scale=10, ignore_index=2, **options)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32], ids=str)
def test_dtypes(dtype: torch.dtype) -> None:
    x, w, target = make(10, 3, dtype=dtype), make(7, 3, dtype=dtype), torch.arange(10) % 7
    compare(loss, x, w, target, size=4, order=1, scale=10)


@pytest.mark.filterwarnings("ignore")
def test_what_is_not_split_is_whole() -> None:
    x, w, target = make(6, 3), make(5, 3), torch.arange(6) % 5
    compare(loss, x, w, target, size=2, label_smoothing=0.2, scale=10)
    compare(loss, x, w, make(6, 5, grad=False).softmax(1), size=2, scale=10)
    compare(loss, make(3), w, torch.tensor(1), size=2, order=1)
    with pytest.warns(UserWarning, match="ignored"):
        loss(kagari, *ours((x, w, target)), size=2, label_smoothing=0.2)


def test_options() -> None:
    assert Options().rows(100, 8, 1000) == 2
    assert Options(chunking_method="aspect_ratio:4").rows(100, 8, 1000) == 4
    assert Options(chunking_method=None).rows(100, 8, 1000) == 100
    assert Options(batch_chunk_size=7) == Options(batch_chunk_size=7)
    x, w, target = ours((make(50, 3, grad=False), make(70, 3, grad=False), torch.arange(50)))
    whole = loss(kagari, x, w, target)
    for options in (Options(), Options(acc_dtype=kagari.float32)):
        split = kagari.nn.functional.linear_cross_entropy(x, w, target, options=options)
        close(split, torch.tensor(whole.item(), dtype=torch.float64), 1e6)


@pytest.mark.parametrize("wrong", [
    {"batch_chunk_size": 0}, {"batch_chunk_size": -1}, {"batch_chunk_size": 2.5},
    {"chunking_method": "bad"}, {"chunking_method": "aspect_ratio:x"}, {"acc_policy": "x"},
    {"acc_dtype": "x"},
], ids=str)  # fmt: skip
def test_wrong_options(wrong: dict) -> None:
    same_error(lambda lib: lib.nn.LinearCrossEntropyOptions(**wrong))


def test_wrong_input() -> None:
    x, w = torch.zeros(6, 3), torch.zeros(5, 3)
    same_error(lambda lib, x, w: loss(lib, x, w, lib.arange(4), size=2), x, w)
    same_error(lambda lib, x, w: loss(lib, x, w[:, :2], lib.arange(6) % 5, size=2), x, w)
    with pytest.raises(IndexError, match="out of bounds"):  # as cross_entropy
        loss(kagari, ours(x), ours(w), kagari.arange(6), size=2)
    same_error(lambda lib, x, w: loss(lib, x, w, lib.arange(6) % 5, size=2, reduction="x"), x, w)
