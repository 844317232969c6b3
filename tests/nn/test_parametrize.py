"""Parametrizations, weight and spectral normalisation beside PyTorch's."""

import copy
import pickle
import warnings
from typing import Any

import pytest
import torch

import kagari
from tests.nn.side_by_side import assert_same, scalar, to_kagari
from tests.nn.test_modules import x
from tests.ops.pairs import same_error


def both(make: Any, seed: int = 0) -> tuple[Any, Any]:
    """What `make(library)` gives from the same random numbers."""
    kagari.manual_seed(seed)
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(kagari), make(torch)


def symmetric(lib: Any) -> Any:
    class Symmetric(lib.nn.Module):
        def forward(self, x: Any) -> Any:
            return x.triu() + x.triu(1).mT

        def right_inverse(self, x: Any) -> Any:
            return x.triu()

    return Symmetric()


def split(lib: Any) -> Any:
    class Split(lib.nn.Module):
        def forward(self, low: Any, high: Any) -> Any:
            return low + high

        def right_inverse(self, x: Any) -> Any:
            return x * 0.25, x * 0.75

    return Split()


NORMS = {
    "orthogonal": lambda lib: lib.nn.utils.parametrizations.orthogonal(lib.nn.Linear(4, 4)),
    "wide": lambda lib: lib.nn.utils.parametrizations.orthogonal(lib.nn.Linear(5, 3)),
    "cayley": lambda lib: lib.nn.utils.parametrizations.orthogonal(
        lib.nn.Linear(3, 5), orthogonal_map="cayley"
    ),
    "no base": lambda lib: lib.nn.utils.parametrizations.orthogonal(
        lib.nn.Linear(3, 3), orthogonal_map="householder", use_trivialization=False
    ),
    "spectral": lambda lib: lib.nn.utils.parametrizations.spectral_norm(lib.nn.Linear(3, 5)),
    "spectral bias": lambda lib: lib.nn.utils.parametrizations.spectral_norm(
        lib.nn.Linear(3, 5), "bias"
    ),
    "spectral transposed": lambda lib: lib.nn.utils.parametrizations.spectral_norm(
        lib.nn.ConvTranspose1d(3, 5, 2), n_power_iterations=3
    ),
    "weight": lambda lib: lib.nn.utils.parametrizations.weight_norm(lib.nn.Linear(3, 5)),
    "weight of all": lambda lib: lib.nn.utils.parametrizations.weight_norm(
        lib.nn.Conv1d(3, 5, 2), dim=None
    ),
    "older weight": lambda lib: lib.nn.utils.weight_norm(lib.nn.Linear(3, 5)),
    "older spectral": lambda lib: lib.nn.utils.spectral_norm(lib.nn.Linear(3, 5)),
    "older spectral transposed": lambda lib: lib.nn.utils.spectral_norm(
        lib.nn.ConvTranspose1d(3, 5, 2)
    ),
    "symmetric": lambda lib: lib.nn.utils.parametrize.register_parametrization(
        lib.nn.Linear(4, 4), "weight", symmetric(lib)
    ),
    "two in a row": lambda lib: lib.nn.utils.parametrize.register_parametrization(
        lib.nn.utils.parametrize.register_parametrization(
            lib.nn.Linear(4, 4), "weight", symmetric(lib)
        ),
        "weight",
        lib.nn.Tanh(),
    ),
    "split": lambda lib: lib.nn.utils.parametrize.register_parametrization(
        lib.nn.Linear(4, 4), "weight", split(lib)
    ),
}


@pytest.mark.parametrize("name", NORMS)
def test_norms(name: str) -> None:
    """The same states and names, the same results and gradients, in training and evaluation."""
    ours, theirs = both(NORMS[name])
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    for training in (True, True, False):
        ours.train(training), theirs.train(training)
        shape = (2, 3, 4) if "Conv" in repr(theirs) else (2, theirs.in_features)
        given = x(*shape, grad=False).float()
        results = ours(to_kagari(given)), theirs(given)
        assert_same(*results, rtol=1e-4, atol=1e-5)
        scalar(results[0]).backward()
        scalar(results[1]).backward()
        assert_same(
            list(ours.state_dict().values()), list(theirs.state_dict().values()), 1e-4, 1e-5
        )
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            if b.grad is not None:
                assert_same(a.grad, b.grad, rtol=1e-3, atol=1e-4)


def test_states_go_both_ways() -> None:
    ours, theirs = both(NORMS["weight"])
    _, other = both(NORMS["weight"], seed=1)
    ours.load_state_dict(to_kagari(dict(other.state_dict())))
    assert_same(ours.weight, other.weight, rtol=1e-6, atol=1e-6)
    older = {"bias": theirs.bias, "weight_g": x(5, 1).float(), "weight_v": x(5, 3).float()}
    ours.load_state_dict(to_kagari(older))
    theirs.load_state_dict(older)
    assert_same(ours.weight, theirs.weight, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("leave", [True, False])
@pytest.mark.parametrize("name", ["symmetric", "two in a row", "weight", "orthogonal"])
def test_removal(name: str, leave: bool) -> None:
    ours, theirs = both(NORMS[name])
    if name == "weight" and not leave:
        same_error(lambda lib: lib.nn.utils.parametrize.remove_parametrizations(
            NORMS[name](lib), "weight", leave_parametrized=False))  # fmt: skip
        return
    for lib, net in ((kagari, ours), (torch, theirs)):
        parameter = net.parametrizations.weight[0]
        assert lib.nn.utils.parametrize.is_parametrized(net, "weight")
        assert lib.nn.utils.parametrize.type_before_parametrizations(net) is lib.nn.Linear
        assert parameter is not None
        lib.nn.utils.parametrize.remove_parametrizations(net, "weight", leave_parametrized=leave)
        assert type(net) is lib.nn.Linear
        assert not lib.nn.utils.parametrize.is_parametrized(net)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert_same(ours.weight, theirs.weight, rtol=1e-5, atol=1e-5)
    assert isinstance(ours.weight, kagari.nn.Parameter)


@pytest.mark.parametrize("name", ["symmetric", "split", "weight", "orthogonal", "no base"])
def test_assignment(name: str) -> None:
    """Assigning goes through `right_inverse`; the parameter object stays, for optimisers."""
    ours, theirs = both(NORMS[name])
    shape = tuple(theirs.weight.shape)
    value = torch.linalg.qr(x(*shape, grad=False))[0].float()
    if name == "symmetric":
        value = value + value.mT
    before = list(ours.parameters())
    ours.weight, theirs.weight = to_kagari(value), value
    assert all(a is b for a, b in zip(before, ours.parameters(), strict=True))
    assert_same(ours.weight, theirs.weight, rtol=1e-4, atol=1e-5)


def test_copies_are_independent() -> None:
    """PyTorch's copies share a class, so that removing one breaks the other."""
    net, _ = both(NORMS["symmetric"])
    twin = copy.deepcopy(net)
    assert kagari.equal(net.weight, twin.weight)
    kagari.nn.utils.parametrize.remove_parametrizations(net, "weight")
    with kagari.no_grad():
        twin.parametrizations.weight.original.zero_()
    assert not bool(twin.weight.any())
    assert bool(net.weight.any())
    with pytest.raises(RuntimeError, match="state_dict"):
        pickle.dumps(twin)


def test_cached() -> None:
    net, _ = both(NORMS["symmetric"])
    cached = kagari.nn.utils.parametrize.cached
    with cached():
        first = net.weight
        with cached():
            assert net.weight is first
        assert net.weight is first
    assert net.weight is not first


def test_transfer() -> None:
    results = []
    for lib in (kagari, torch):
        kagari.manual_seed(0), torch.manual_seed(0)
        source, target = NORMS["symmetric"](lib), lib.nn.Linear(4, 4)
        lib.nn.utils.parametrize.transfer_parametrizations_and_params(source, target)
        assert target.parametrizations.weight.original is source.parametrizations.weight.original
        results.append(target.weight)
    assert_same(*results, rtol=1e-6, atol=1e-6)


def test_older_norms_are_removed() -> None:
    for name in ("weight_norm", "spectral_norm"):
        ours, theirs = both(NORMS[f"older {name[:-5]}"])
        getattr(kagari.nn.utils, f"remove_{name}")(ours)
        getattr(torch.nn.utils, f"remove_{name}")(theirs)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        assert_same(ours.weight, theirs.weight, rtol=1e-5, atol=1e-6)


def plain(lib: Any, shape: Any = (3, 3)) -> Any:
    return lib.nn.Linear(*shape)


def wrong(lib: Any, forward: Any, back: Any = None) -> Any:
    names = {"forward": lambda self, x: forward(x)}
    if back is not None:
        names["right_inverse"] = lambda self, x: back(x)
    return type("Wrong", (lib.nn.Module,), names)()


def register(lib: Any, *args: Any, **kwargs: Any) -> Any:
    return lib.nn.utils.parametrize.register_parametrization(plain(lib), *args, **kwargs)


ERRORS = {
    "name": lambda t: register(t, "nothing", t.nn.Tanh()),
    "no tensor": lambda t: register(t, "weight", wrong(t, lambda x: 3)),
    "dtype": lambda t: register(t, "weight", wrong(t, lambda x: x.double())),
    "shape": lambda t: register(t, "weight", wrong(t, lambda x: x[0])),
    "inverse": lambda t: register(t, "weight", wrong(t, lambda x: x, lambda x: 3)),
    "inverse dtype": lambda t: register(t, "weight", wrong(t, lambda x: x, lambda x: x.double())),
    "no inverse": lambda t: setattr(register(t, "weight", t.nn.Tanh()), "weight", t.zeros(3, 3)),
    "remove": lambda t: t.nn.utils.parametrize.remove_parametrizations(plain(t), "weight"),
    "no modules": lambda t: t.nn.utils.parametrize.ParametrizationList([], t.zeros(2)),
    "orthogonal name": lambda t: t.nn.utils.parametrizations.orthogonal(plain(t), "nothing"),
    "orthogonal vector": lambda t: t.nn.utils.parametrizations.orthogonal(plain(t), "bias"),
    "orthogonal map": lambda t: t.nn.utils.parametrizations.orthogonal(plain(t), "weight", "qr"),
    "no trivialization": lambda t: setattr(
        t.nn.utils.parametrizations.orthogonal(
            plain(t), "weight", "cayley", use_trivialization=False
        ),
        "weight",
        t.eye(3),
    ),
    "spectral name": lambda t: t.nn.utils.parametrizations.spectral_norm(plain(t), "nothing"),
    "spectral dim": lambda t: t.nn.utils.parametrizations.spectral_norm(plain(t), dim=2),
    "iterations": lambda t: t.nn.utils.parametrizations.spectral_norm(plain(t), "weight", 0),
    "weight_norm twice": lambda t: t.nn.utils.weight_norm(t.nn.utils.weight_norm(plain(t))),
    "spectral_norm twice": lambda t: t.nn.utils.spectral_norm(t.nn.utils.spectral_norm(plain(t))),
    "no weight_norm": lambda t: t.nn.utils.remove_weight_norm(plain(t)),
    "no spectral_norm": lambda t: t.nn.utils.remove_spectral_norm(plain(t)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    same_error(ERRORS[name])
