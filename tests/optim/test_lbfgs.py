"""LBFGS beside PyTorch: the same path on functions that need its line search, and when it ends."""

import copy

import numpy as np
import pytest
import torch

import kagari
from tests.nn.side_by_side import to_kagari

OPTIONS = [
    {},
    {"lr": 0.3, "max_iter": 7},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "lr": 0.01, "history_size": 3, "max_iter": 30},
    {"line_search_fn": "strong_wolfe", "lr": 50.0, "max_iter": 4},
    {"line_search_fn": "strong_wolfe", "max_eval": 5},
    {"history_size": 2, "tolerance_grad": 1e-2},
    {"tolerance_change": 1e-2, "line_search_fn": "strong_wolfe"},
]


def rosenbrock(parts):
    x, y = parts
    return (100 * (y - x * x) ** 2 + (1 - x) ** 2).sum()


def bowl(parts):
    x, y = parts
    return (x * x).sum() * 3 + ((y - 1) ** 4).sum() + (x * y).sum()


def steep(parts):
    x, y = parts
    return (x * 5).exp().sum() + (-x).exp().sum() + (y * y).sum()


def run(library, function, options, steps=4):
    start = torch.linspace(-1.2, 1.0, 6, dtype=torch.float64).reshape(2, 3)
    values = [start, start.flip(0) * 0.7]
    if library is kagari:
        values = to_kagari(values)
    params = [library.nn.Parameter(v.clone()) for v in values]
    optimizer = library.optim.LBFGS(params, **options)
    calls, seen = [0], []

    def closure():
        calls[0] += 1
        optimizer.zero_grad()
        loss = function(params)
        loss.backward()
        return loss

    for _ in range(steps):
        loss = optimizer.step(closure).detach()
        seen.append((float(loss), calls[0], *(p.detach().numpy().copy() for p in params)))
    return seen, optimizer


@pytest.mark.parametrize("function", [rosenbrock, bowl, steep])
@pytest.mark.parametrize("options", OPTIONS)
def test_the_path_is_pytorchs(function, options):
    if function is rosenbrock and "line_search_fn" not in options:
        return  # it flies away
    mine, ours = run(kagari, function, options)
    expected, theirs = run(torch, function, options)
    for one, other in zip(mine, expected, strict=True):
        assert one[1] == other[1], "other numbers of evaluations"
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    a, b = (list(o.state_dict()["state"][0]) for o in (ours, theirs))
    assert sorted(a) == sorted(b)
    assert list(ours.state_dict()["param_groups"][0]) == list(theirs.param_groups[0])[1:] + [
        "params"
    ]


def test_it_finds_a_minimum():
    seen, optimizer = run(kagari, rosenbrock, {"line_search_fn": "strong_wolfe"}, 10)
    for found in seen[-1][2:]:
        np.testing.assert_allclose(found, 1.0, rtol=1e-4)
    assert optimizer.state_dict()["state"][0]["func_evals"] == seen[-1][1]


@pytest.mark.parametrize("line_search", [None, "strong_wolfe"])
def test_resuming(line_search):
    p = kagari.nn.Parameter(kagari.tensor([2.0, -1.0], dtype=kagari.float64))
    q = kagari.nn.Parameter(p.detach().clone())
    one, other = (
        kagari.optim.LBFGS([x], lr=0.5, max_iter=3, line_search_fn=line_search) for x in (p, q)
    )

    def minimise(x, optimizer):
        def closure():
            optimizer.zero_grad()
            loss = ((x - 3) ** 4).sum() + (x * x).sum()
            loss.backward()
            return loss

        optimizer.step(closure)

    minimise(p, one)
    minimise(q, other)
    again = kagari.optim.LBFGS([q], lr=9.0)
    again.load_state_dict(copy.deepcopy(other.state_dict()))
    minimise(p, one)
    minimise(q, again)
    assert kagari.equal(p, q)


def test_complex_parameters_and_missing_gradients():
    found = []
    for library in (kagari, torch):
        p = library.nn.Parameter(library.ones(2, dtype=library.complex128))
        unused = library.nn.Parameter(library.ones(2, dtype=library.complex128))
        optimizer = library.optim.LBFGS([p, unused], lr=0.5)

        def closure(p=p, optimizer=optimizer):
            optimizer.zero_grad()
            loss = ((p - 1j).abs() ** 2).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        found.append(p.detach().numpy())
        assert unused.detach().numpy().tolist() == [1, 1]
    np.testing.assert_allclose(*found, rtol=1e-9)


def test_wrong_arguments():
    p = kagari.nn.Parameter(kagari.ones(2))
    with pytest.raises(ValueError, match="per-parameter options"):
        kagari.optim.LBFGS([{"params": [p]}, {"params": [kagari.nn.Parameter(kagari.ones(1))]}])
    with pytest.raises(ValueError, match="Invalid learning rate"):
        kagari.optim.LBFGS([p], lr=-1)

    def closure():
        p.grad = kagari.ones(2)
        return p.sum()

    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        kagari.optim.LBFGS([p], line_search_fn="weak").step(closure)
    with pytest.raises(TypeError):
        kagari.optim.LBFGS([p]).step()
