"""Recurrent functions against PyTorch: values, two derivatives, packed data, transforms, errors."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch

import kagari
from kagari.functional import recurrent
from tests.ops.pairs import close, compare, ours, same_error

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def numbers(*shape: int, seed: int, grad: bool = True, dtype: Any = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    made = torch.randn(shape, generator=generator, dtype=torch.float64) * 0.5
    return made.to(dtype).requires_grad_(grad)


def weights(
    op: str, layers: int, directions: int, features: int, units: int, bias: bool,
    projected: int = 0, **how: Any,
) -> list[torch.Tensor]:  # fmt: skip
    made, seed = [], itertools.count(10)
    for layer in range(layers):
        for _ in range(directions):
            size = features if layer == 0 else (projected or units) * directions
            shapes: list[Any] = [(GATES[op] * units, size), (GATES[op] * units, projected or units)]
            shapes += [(GATES[op] * units,)] * (2 * bias)
            shapes += [(projected, units)] * (projected > 0)
            made += [numbers(*shape, seed=next(seed), **how) for shape in shapes]
    return made


def states(op: str, count: int, batch: int, units: int, projected: int = 0, **how: Any) -> Any:
    h = numbers(count, batch, projected or units, seed=2, **how)
    return (h, numbers(count, batch, units, seed=3, **how)) if op == "lstm" else h


def call(op: str, *how: Any) -> Callable[..., Any]:
    return lambda lib, x, hx, params: getattr(lib, op)(x, hx, params, *how)


@pytest.mark.parametrize("op", GATES)
@pytest.mark.parametrize("bias", [True, False])
def test_layers_and_directions(op: str, bias: bool) -> None:
    for layers, directions, batch_first in [(1, 1, False), (2, 2, True)]:
        x = numbers(3, 4, 2, seed=1)
        batch = 3 if batch_first else 4
        how = (bias, layers, 0.0, False, directions == 2, batch_first)
        hx = states(op, layers * directions, batch, 3)
        params = weights(op, layers, directions, 2, 3, bias)
        compare(call(op, *how), x, hx, params, scale=10)


@pytest.mark.parametrize("op", GATES)
def test_float32_of_a_useful_size(op: str) -> None:
    """Products large enough to be prepared once for all steps."""
    how: dict[str, Any] = {"dtype": torch.float32}
    x, hx = numbers(6, 32, 40, seed=1, **how), states(op, 1, 32, 96, **how)
    params = [w.detach().mul(0.3).requires_grad_() for w in weights(op, 1, 1, 40, 96, True, **how)]
    compare(call(op, True, 1, 0.0, False, False, False), x, hx, params, scale=50, order=1)


@pytest.mark.parametrize("op", GATES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_types(op: str, dtype: torch.dtype) -> None:
    how: dict[str, Any] = {"dtype": dtype}
    params, hx = weights(op, 1, 2, 2, 3, True, **how), states(op, 2, 2, 3, **how)
    given = numbers(3, 2, 2, seed=1, **how)
    compare(call(op, True, 1, 0.0, False, True, False), given, hx, params, scale=4, order=0)


def test_projections() -> None:
    params, hx = weights("lstm", 2, 2, 2, 4, True, 3), states("lstm", 4, 2, 4, 3)
    compare(call("lstm", True, 2, 0.0, False, True, False), numbers(3, 2, 2, seed=1), hx, params,
            scale=10)  # fmt: skip


@pytest.mark.parametrize("op", GATES)
@pytest.mark.parametrize("sizes", [[3, 3, 2, 1], [3], [3, 1, 1]], ids=str)
def test_packed(op: str, sizes: list[int]) -> None:
    params, hx = weights(op, 2, 2, 2, 3, True), states(op, 4, 3, 3)
    data = numbers(sum(sizes), 2, seed=1)

    def packed(lib: Any, data: Any, hx: Any, params: Any) -> Any:
        counts = lib.tensor(sizes)
        return getattr(lib, op)(data, counts, hx, params, True, 2, 0.0, False, True)

    compare(packed, data, hx, params, scale=10)


@pytest.mark.parametrize("op", ["lstm", "gru"])
def test_dropout_between_layers(op: str) -> None:
    params, hx = weights(op, 3, 1, 2, 3, True, grad=False), states(op, 3, 2, 3, grad=False)
    x = numbers(5, 2, 2, seed=1, grad=False)
    for train in (True, False):
        torch.manual_seed(4)
        kagari.manual_seed(4)
        run = call(op, True, 3, 0.5, train, False, False)
        close(run(kagari, *ours((x, hx, params))), run(torch, x, hx, params), scale=10)


CELLS = {"lstm_cell": 4, "gru_cell": 3, "rnn_tanh_cell": 1, "rnn_relu_cell": 1}


@pytest.mark.parametrize("op", CELLS)
def test_cells(op: str) -> None:
    x, h, width = numbers(4, 2, seed=1), numbers(4, 3, seed=2), CELLS[op] * 3
    hx = (h, numbers(4, 3, seed=3)) if op == "lstm_cell" else h
    shapes = [(width, 2), (width, 3), (width,), (width,)]
    params = [numbers(*shape, seed=5 + i) for i, shape in enumerate(shapes)]
    compare(lambda lib, *a: getattr(lib, op)(*a), x, hx, *params, scale=10)
    compare(lambda lib, *a: getattr(lib, op)(*a), x, hx, *params[:2], scale=10)


@pytest.mark.parametrize("op", GATES)
def test_transforms_see_every_step(op: str) -> None:
    """vmap over samples gives what the batch gives; forward mode what two differences give."""
    x, hx, params = ours((numbers(3, 4, 2, seed=1, grad=False), states(op, 1, 4, 3, grad=False),
                          weights(op, 1, 1, 2, 3, True, grad=False)))  # fmt: skip
    how = (True, 1, 0.0, False, False, False)

    def run(x: Any, hx: Any) -> Any:
        return getattr(kagari, op)(x, hx, params, *how)[0]

    single = kagari.vmap(lambda x, hx: run(x.unsqueeze(1), _map(hx, 1)), (1, 1), 1)
    assert kagari.allclose(single(x, hx).squeeze(2), run(x, hx))
    tangent, eps = kagari.ones_like(x), 1e-6
    _, found = kagari.func.jvp(lambda x: run(x, hx), (x,), (tangent,))
    expected = (run(x + eps * tangent, hx) - run(x - eps * tangent, hx)) / (2 * eps)
    assert kagari.allclose(found, expected, atol=1e-7)


def _map(hx: Any, dim: int) -> Any:
    return tuple(t.unsqueeze(dim) for t in hx) if isinstance(hx, tuple) else hx.unsqueeze(dim)


def test_weights_that_depend_on_each_other() -> None:
    """Second derivatives do not take the ways between the inputs twice."""

    def run(lib: Any, x: Any, w: Any) -> Any:
        return lib.gru(x, x[:1] * 2, [w, w.sin(), w[:, 0], w[:, 1]], True, 1, 0.0, False, False,
                       False)  # fmt: skip

    compare(run, numbers(3, 2, 2, seed=1), numbers(6, 2, seed=2), scale=10)


def test_no_samples_and_meta() -> None:
    w = weights("gru", 1, 1, 2, 3, False, grad=False)
    x, h = torch.zeros(2, 0, 2, dtype=torch.float64), torch.zeros(1, 0, 3, dtype=torch.float64)
    run = call("gru", False, 1, 0.0, False, False, False)
    close(run(kagari, *ours((x, h, w))), run(torch, x, h, w))
    meta = [t.to("meta") for t in ours([x, h, *w])]
    assert run(kagari, meta[0].new_empty(2, 4, 2), meta[1].new_empty(1, 4, 3), meta[2:])[0].is_meta


ERRORS = {
    "state": lambda lib, x, w: lib.gru(x, x, w, False, 2, 0.0, False, False, False),
    "two states": lambda lib, x, w: lib.lstm(x, (x,), w, False, 1, 0.0, False, False, False),
    "count": lambda lib, x, w: lib.gru(x, x[:1], w[:1], False, 1, 0.0, False, False, False),
    "arguments": lambda lib, x, w: lib.gru(x, x[:1]),
    "keyword": lambda lib, x, w: lib.gru(x, x[:1], w, False, 1, 0.0, False, False, first=True),
    "cell features": lambda lib, x, w: lib.gru_cell(x[0, :, :1], x[0], *w),
    "cell samples": lambda lib, x, w: lib.gru_cell(x[0], x[0, :1], *w),
    "cell units": lambda lib, x, w: lib.gru_cell(x[0], x[0, :, :1], *w),
    "cell states": lambda lib, x, w: lib.lstm_cell(x[0], (x[0],), *w),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    x, w = torch.zeros(3, 2, 2), [torch.zeros(6, 2), torch.zeros(6, 2)]
    same_error(ERRORS[name], x, w)


WRONG = {
    "weight": lambda x, h, w: recurrent.gru(x, h, [w[1], w[1]], False, 1, 0.0, False, False, False),
    "rising sizes": lambda x, h, w: recurrent.gru(
        x[0], kagari.tensor([1, 2]), h[:, :1], w, False, 1, 0.0, False, False
    ),
    "sum of sizes": lambda x, h, w: recurrent.gru(
        x[0], kagari.tensor([1, 1]), h[:, :1], w, False, 1, 0.0, False, False
    ),
    "dtype": lambda x, h, w: recurrent.gru(x, h.double(), w, False, 1, 0.0, False, False, False),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused(name: str) -> None:
    x, h = kagari.zeros(2, 3, 4), kagari.zeros(1, 3, 2)
    with pytest.raises(RuntimeError):
        WRONG[name](x, h, [kagari.zeros(6, 4), kagari.zeros(6, 2)])
