"""Grouped products, parallel modules of one device, and factory_kwargs beside PyTorch's."""

from typing import Any

import pytest
import torch

import kagari
from tests.ops.pairs import close, compare, ours, same_error


def make(*shape: int, grad: bool = True) -> torch.Tensor:
    generator = torch.Generator().manual_seed(len(shape))
    return torch.randn(shape, generator=generator).requires_grad_(grad)


ENDS = torch.tensor([4, 4, 12], dtype=torch.int32)
SHAPES = {
    "stacks": ((3, 4, 8), (3, 8, 12), None),
    "rows": ((12, 8), (3, 8, 12), ENDS),
    "columns": ((3, 4, 8), (8, 12), ENDS),
    "contraction": ((8, 12), (12, 16), ENDS),
}


@pytest.mark.parametrize("name", SHAPES)
def test_products(name: str) -> None:
    a, b, ends = SHAPES[name]
    order = 1 if name in ("stacks", "rows") else 0
    compare(lambda lib, a, b, ends: lib.nn.functional.grouped_mm(a, b, offs=ends),
            make(*a), make(*b), ends, order=order, scale=10)  # fmt: skip


def test_what_lies_behind_the_last_group_is_zero() -> None:
    a, b = kagari.ones(5, 2), kagari.ones(2, 2, 3)
    found = kagari.nn.functional.grouped_mm(a, b, offs=kagari.tensor([1, 3], dtype=kagari.int32))
    assert found.tolist() == [[2.0] * 3] * 3 + [[0.0] * 3] * 2


def call(lib: Any, a: Any, b: Any, **options: Any) -> Any:
    return lib.nn.functional.grouped_mm(lib.ones(*a), lib.ones(*b), **options)


ERRORS = {
    "no offsets": lambda lib: call(lib, (8, 8), (2, 8, 8)),
    "offsets of stacks": lambda lib: call(
        lib, (2, 8, 8), (2, 8, 8), offs=lib.tensor([3, 8], dtype=lib.int32)
    ),
    "int64": lambda lib: call(lib, (8, 8), (2, 8, 8), offs=lib.tensor([3, 8])),
    "count": lambda lib: call(lib, (8, 8), (2, 8, 8), offs=lib.tensor([8], dtype=lib.int32)),
    "contraction": lambda lib: call(lib, (2, 8, 8), (2, 4, 8)),
    "ranks": lambda lib: call(lib, (8,), (8, 8)),
    "out_dtype": lambda lib: call(lib, (2, 8, 8), (2, 8, 8), out_dtype=lib.bfloat16),
    "factory": lambda lib: lib.nn.factory_kwargs({"foo": 1}),
    "twice": lambda lib: lib.nn.factory_kwargs({"device": 1, "factory_kwargs": {"device": 1}}),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    same_error(ERRORS[name])


@pytest.mark.parametrize("ends", [[3, 2], [3, 9], [-1, 8]], ids=str)
def test_offsets_out_of_order(ends: list[int]) -> None:
    with pytest.raises(RuntimeError, match="must not decrease"):
        call(kagari, (8, 8), (2, 8, 8), offs=kagari.tensor(ends, dtype=kagari.int32))


def test_factory_kwargs() -> None:
    given = {"device": "cpu", "factory_kwargs": {"memory_format": 1}}
    assert kagari.nn.factory_kwargs(given) == torch.nn.factory_kwargs(given)
    assert kagari.nn.factory_kwargs(None) == {}


def test_data_parallel() -> None:
    net = torch.nn.Linear(2, 3)
    theirs = torch.nn.DataParallel(net)
    mine = kagari.nn.DataParallel(kagari.nn.Linear(2, 3))
    assert repr(mine) == repr(theirs)
    mine.load_state_dict({n: ours(t.detach()) for n, t in theirs.state_dict().items()})
    x = make(4, 2, grad=False)
    close(mine(ours(x)), theirs(x))
    close(kagari.nn.parallel.data_parallel(mine.module, ours(x)), theirs(x))
