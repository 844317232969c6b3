"""Pruning beside PyTorch's: masks, states, containers, errors."""

from typing import Any

import pytest
import torch
import torch.nn.utils.prune  # PyTorch loads it only when it is imported

import kagari
from tests.nn.side_by_side import assert_same
from tests.ops.pairs import same_error


def layers(lib: Any) -> Any:
    return lib.nn.Linear(4, 6), lib.nn.Linear(6, 2)


STEPS = {
    "identity": lambda p, net, lib: p.identity(net, "weight"),
    "random": lambda p, net, lib: p.random_unstructured(net, "weight", 0.3),
    "l1": lambda p, net, lib: p.l1_unstructured(net, "weight", 5),
    "l1 by scores": lambda p, net, lib: p.l1_unstructured(
        net, "weight", 5, importance_scores=lib.arange(24.0).view(6, 4)
    ),
    "random rows": lambda p, net, lib: p.random_structured(net, "weight", 2, 0),
    "ln": lambda p, net, lib: p.ln_structured(net, "weight", 0.4, 2, -1),
    "ln by scores": lambda p, net, lib: p.ln_structured(
        net, "weight", 2, 1, 0, importance_scores=lib.arange(24.0).view(6, 4)
    ),
    "mask": lambda p, net, lib: p.custom_from_mask(net, "weight", lib.eye(6)[:, :4]),
    "nothing": lambda p, net, lib: p.random_structured(net, "weight", 0, 0),
}


@pytest.mark.parametrize(
    "steps", [[s] for s in STEPS] + [["l1", "ln"], ["ln", "random", "mask"], ["random rows", "l1"]],
    ids=" ".join,
)  # fmt: skip
def test_methods(steps: list[str]) -> None:
    """One after the other; then a forward with gradients, a round trip, and removal."""
    found = []
    for lib in (kagari, torch):
        lib.manual_seed(0)
        net, prune = lib.nn.Linear(4, 6), lib.nn.utils.prune
        for step in steps:
            STEPS[step](prune, net, lib)
        out = net(lib.arange(8.0).view(2, 4))
        (out * out).sum().backward()
        assert prune.is_pruned(net)
        results = [net.weight_mask, net.weight, net.weight_orig.grad, out]
        names = list(net.state_dict())
        prune.remove(net, "weight")
        assert not prune.is_pruned(net)
        found.append([*results, net.weight, names, list(net.state_dict())])
    assert_same(*found, rtol=1e-4, atol=1e-5)


def test_pruning_keeps_the_parameter() -> None:
    net = kagari.nn.Linear(4, 6)
    weight = net.weight
    kagari.nn.utils.prune.l1_unstructured(net, "weight", 5)
    assert net.weight_orig is weight
    kagari.nn.utils.prune.remove(net, "weight")
    assert net.weight is weight


@pytest.mark.parametrize("method", ["L1Unstructured", "RandomUnstructured"])
def test_global(method: str) -> None:
    found = []
    for lib in (kagari, torch):
        lib.manual_seed(0)
        prune, (a, b) = lib.nn.utils.prune, layers(lib)
        parameters = [(a, "weight"), (b, "weight"), (b, "bias")]
        scores = (
            {(a, "weight"): lib.arange(24.0).view(6, 4) / 40}
            if method == "L1Unstructured"
            else None
        )
        prune.global_unstructured(
            parameters, getattr(prune, method), importance_scores=scores, amount=0.4
        )
        found.append([a.weight_mask, b.weight_mask, b.bias_mask])
    assert_same(*found)


def test_objects() -> None:
    for lib in (kagari, torch):
        prune = lib.nn.utils.prune
        method = prune.L1Unstructured(amount=2)
        assert method.prune(lib.tensor([3.0, 1.0, 2.0, 4.0])).tolist() == [3.0, 0.0, 0.0, 4.0]
        first, second = prune.L1Unstructured(1), prune.RandomUnstructured(1)
        first._tensor_name = second._tensor_name = "weight"
        container = prune.PruningContainer(first)
        container.add_pruning_method(second)
        assert len(container) == 2
        assert container[0] is first
        assert list(container) == [first, second]


def lone(lib: Any) -> Any:
    return lib.nn.utils.prune, lib.nn.Linear(4, 6)


def failing(call: Any) -> Any:
    return lambda lib: call(*lone(lib), lib)


ERRORS = {
    "amount": failing(lambda p, net, t: p.l1_unstructured(net, "weight", 1.5)),
    "negative": failing(lambda p, net, t: p.l1_unstructured(net, "weight", -1)),
    "text": failing(lambda p, net, t: p.l1_unstructured(net, "weight", "1")),
    "too many": failing(lambda p, net, t: p.l1_unstructured(net, "weight", 25)),
    "vector": failing(lambda p, net, t: p.random_structured(net, "bias", 1, 0)),
    "dim": failing(lambda p, net, t: p.random_structured(net, "weight", 1, 2)),
    "scores": failing(
        lambda p, net, t: p.l1_unstructured(net, "weight", 1, importance_scores=t.ones(2))
    ),
    "mask": failing(lambda p, net, t: p.custom_from_mask(net, "weight", t.ones(2))),
    "not pruned": failing(lambda p, net, t: p.remove(net, "weight")),
    "structured": failing(
        lambda p, net, t: p.global_unstructured([(net, "weight")], p.LnStructured, amount=1, n=1)
    ),
    "no list": failing(lambda p, net, t: p.global_unstructured(3, p.L1Unstructured, amount=1)),
    "no method": failing(lambda p, net, t: p.PruningContainer().add_pruning_method(3)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    same_error(ERRORS[name])


@pytest.mark.parametrize("name", ["too many", "vector", "mask"])
def test_errors_leave_the_module_as_it_was(name: str) -> None:
    net = kagari.nn.Linear(4, 6)
    calls = {
        "too many": lambda p: p.l1_unstructured(net, "weight", 25),
        "vector": lambda p: p.random_structured(net, "bias", 1, 0),
        "mask": lambda p: p.custom_from_mask(net, "weight", kagari.ones(2)),
    }
    with pytest.raises((ValueError, AssertionError)):
        calls[name](kagari.nn.utils.prune)
    assert list(net.state_dict()) == ["weight", "bias"]
    assert not net._forward_pre_hooks
