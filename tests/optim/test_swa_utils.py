"""Averaged models, their schedule and batch statistics beside PyTorch."""

import numpy as np
import pytest
import torch
from torch.optim import swa_utils as theirs_swa

import kagari
from kagari.optim import swa_utils
from tests.nn.side_by_side import to_kagari


def models():
    torch.manual_seed(0)
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).double()
    ours = kagari.nn.Sequential(kagari.nn.Linear(3, 4), kagari.nn.BatchNorm1d(4)).double()
    ours.load_state_dict(to_kagari(dict(theirs.state_dict())))
    return ours, theirs


KINDS = {
    "mean": lambda s: {},
    "buffers": lambda s: {"use_buffers": True},
    "ema": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.7)},
    "ema of buffers": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.7), "use_buffers": True},
    "swa": lambda s: {"multi_avg_fn": s.get_swa_multi_avg_fn()},
    "one by one": lambda s: {"avg_fn": s.get_ema_avg_fn(0.7)},
    "mean one by one": lambda s: {"avg_fn": s.get_swa_avg_fn()},
    "own": lambda s: {"avg_fn": lambda average, new, n: average * 0.5 + new * n},
}


@pytest.mark.parametrize("kind", KINDS)
def test_averages(kind):
    ours, theirs = models()
    mine = swa_utils.AveragedModel(ours, **KINDS[kind](swa_utils))
    other = theirs_swa.AveragedModel(theirs, **KINDS[kind](theirs_swa))
    for step in range(4):
        x = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(step))
        theirs(x)
        ours(to_kagari(x).clone())
        with torch.no_grad():
            for p in theirs.parameters():
                p.mul_(0.9).add_(step)
        with kagari.no_grad():
            for p in ours.parameters():
                p.mul_(0.9).add_(step)
        mine.update_parameters(ours)
        other.update_parameters(theirs)
    a, b = mine.state_dict(), other.state_dict()
    assert list(a) == list(b)
    for key in a:
        # PyTorch has the share of a mean in float32
        np.testing.assert_allclose(a[key].numpy(), b[key].numpy(), rtol=1e-7, err_msg=key)
    x = torch.ones(2, 3, dtype=torch.float64)
    mine.eval(), other.eval()
    np.testing.assert_allclose(
        mine(to_kagari(x)).detach().numpy(), other(x).detach().numpy(), rtol=1e-6
    )


def test_batch_statistics():
    ours, theirs = models()
    batches = [torch.randn(5, 3, dtype=torch.float64) for _ in range(4)]
    ours.eval()
    theirs_swa.update_bn([(b, 0) for b in batches], theirs)
    swa_utils.update_bn([(to_kagari(b), 0) for b in batches], ours)
    assert not ours.training and ours[1].momentum == 0.1
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        np.testing.assert_allclose(
            getattr(ours[1], name).numpy(), getattr(theirs[1], name).numpy(), rtol=1e-10
        )
    swa_utils.update_bn([], kagari.nn.Linear(2, 2))  # nothing to do


@pytest.mark.parametrize("options", [
    {"swa_lr": 0.05}, {"swa_lr": [0.05, 0.2], "anneal_epochs": 3},
    {"swa_lr": 0.4, "anneal_strategy": "linear", "anneal_epochs": 5},
    {"swa_lr": 0.4, "anneal_epochs": 0},
])  # fmt: skip
def test_schedule(options):
    paths = []
    for library in (kagari, torch):
        groups = [
            {"params": [library.nn.Parameter(library.ones(1))], "lr": lr} for lr in (0.1, 1.0)
        ]
        optimizer = library.optim.SGD(groups, lr=0.5)
        falling = library.optim.lr_scheduler.ExponentialLR(optimizer, 0.8)
        scheduler = library.optim.swa_utils.SWALR(optimizer, **options)
        seen = []
        for epoch in range(14):
            optimizer.step()
            (falling if epoch < 4 else scheduler).step()
            seen += [float(group["lr"]) for group in optimizer.param_groups]
        paths.append(seen)
    np.testing.assert_allclose(*paths, rtol=1e-10)


def test_wrong_arguments():
    ours, _ = models()
    optimizer = kagari.optim.SGD(ours.parameters(), lr=0.1)
    for make in (swa_utils.get_ema_avg_fn, swa_utils.get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match="Invalid decay value 1.5"):
            make(1.5)
    with pytest.raises(AssertionError, match="Only one of"):
        swa_utils.AveragedModel(
            ours, avg_fn=swa_utils.get_swa_avg_fn(), multi_avg_fn=swa_utils.get_swa_multi_avg_fn()
        )
    for options, text in (
        ({"swa_lr": [1.0, 2.0]}, "same length"),
        ({"swa_lr": 1.0, "anneal_strategy": "step"}, "anneal_strategy"),
        ({"swa_lr": 1.0, "anneal_epochs": -1}, "anneal_epochs"),
        ({"swa_lr": 1.0, "anneal_epochs": 1.5}, "anneal_epochs"),
    ):
        with pytest.raises(ValueError, match=text):
            swa_utils.SWALR(optimizer, **options)


def test_other_parameters_for_a_while():
    p, q = kagari.nn.Parameter(kagari.ones(2)), kagari.nn.Parameter(kagari.zeros(2))
    optimizer = kagari.optim.Adam([p], lr=0.1)
    p.grad = kagari.ones(2)
    optimizer.step()
    before, state = p.tolist(), optimizer.state_dict()
    other = {
        "state": {0: {k: v.clone() for k, v in state["state"][0].items()}},
        "param_groups": [{**state["param_groups"][0], "lr": 1.0}],
    }
    q.grad = kagari.ones(2)
    with kagari.optim.swap_in_optimizer_params_and_state(optimizer, {"q": q}, other):
        optimizer.step()
    assert p.tolist() == before and q.tolist() == pytest.approx([-1.0, -1.0], rel=1e-4)
    assert optimizer.param_groups[0]["params"] == [p] and optimizer.param_groups[0]["lr"] == 0.1
    assert float(optimizer.state[p]["step"]) == 1 and float(other["state"][0]["step"]) == 2
    with (
        pytest.raises(ValueError, match=r"expected groups of \[1\] parameters, got 2"),
        kagari.optim.swap_in_optimizer_params_and_state(optimizer, {"p": p, "q": q}, other),
    ):
        pass
