"""The optimizers of one formula, Adafactor and Muon beside PyTorch's: every option, dtype, layout,
saved state, and steps that are recorded."""

import numpy as np
import pytest
import torch

import kagari
from tests.nn.side_by_side import to_kagari
from tests.optim.test_optimizers import both, follow, give_gradients, start

CASES = [
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.2, "weight_decay": 0.1, "eps": 1e-5,
                 "initial_accumulator_value": 0.3, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": (0.3, 0.6), "weight_decay": 0.1, "maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 2, "weight_decay": 0.1,
              "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1, "momentum_decay": 0.1,
               "maximize": True}),
    ("NAdam", {"weight_decay": 0.3, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1, "maximize": True}),
    ("RAdam", {"weight_decay": 0.3, "decoupled_weight_decay": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"momentum": 0.5, "centered": True, "eps": 1e-2}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (0.05, 0.2), "maximize": True}),
]  # fmt: skip
OTHERS = [
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.1, "beta2_decay": -0.5, "eps": (1e-3, 0.1), "d": 2.0,
                   "weight_decay": 0.1, "maximize": True}),
]  # fmt: skip
NAMES = sorted({name for name, _ in CASES})
STEPS = 9  # RAdam's fifth step is another than its sixth


@pytest.mark.parametrize(("name", "options"), CASES + OTHERS)
@pytest.mark.parametrize("flags", [{}, {"foreach": True}, {"foreach": False}])
def test_the_path_is_pytorchs(name, options, flags):
    ours, theirs = start()
    ours, theirs = ours[:3] + ours[4:], theirs[:3] + theirs[4:]  # PyTorch's norms of nothing raise
    a = getattr(kagari.optim, name)(ours, **options, **flags)
    b = getattr(torch.optim, name)(theirs, **options, foreach=False)
    follow(ours, theirs, a, b, STEPS, rtol=2e-5, atol=2e-6)
    assert repr(a).replace("foreach: None", "foreach: False") == repr(b) or flags


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float64", 1e-11), ("bfloat16", 6e-2), ("float16", 2e-2)]
)
@pytest.mark.parametrize(("name", "options"), CASES)
def test_dtypes(name, options, dtype, tolerance):
    if dtype == "float16" and "eps" not in options and name not in ("ASGD", "Rprop"):
        options = {**options, "eps": 1e-2}  # PyTorch rounds 1e-8 to 0 there
    if dtype != "float64" and (options.get("centered") or name == "Rprop" or name == "Adadelta"):
        return  # PyTorch rounds in between, which a difference or a sign magnifies
    ours, theirs = start(dtype)
    a, b = both(name, ours, theirs, **options)
    steps = STEPS if dtype == "float64" else 3
    follow(ours, theirs, a, b, steps, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_layouts(name, options):
    """Gradients and parameters in other orders of memory than each other."""
    data = torch.randn(6, 4)
    theirs = [torch.nn.Parameter(data.clone()), torch.nn.Parameter(data.t().clone())]
    wide = kagari.zeros(6, 8)
    wide[:, ::2] = to_kagari(data)
    ours = [kagari.nn.Parameter(wide[:, ::2]), kagari.nn.Parameter(to_kagari(data).clone().t())]
    a, b = both(name, ours, theirs, **options)
    for step in range(3):
        give_gradients(ours, theirs, step)
        ours[0].grad = ours[0].grad.t().contiguous().t()
        a.step()
        b.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert float(wide[:, 1::2].abs().sum()) == 0


def to_torch(value):
    if isinstance(value, kagari.Tensor):
        return torch.from_numpy(value.numpy())
    if isinstance(value, dict):
        return {k: to_torch(v) for k, v in value.items()}
    if isinstance(value, list):
        return [to_torch(v) for v in value]
    return value


@pytest.mark.parametrize(("name", "options"), [*CASES, OTHERS[1]])
def test_state_goes_to_pytorch_and_back(name, options):
    ours, theirs = start()
    ours, theirs = ours[:3], theirs[:3]
    a, b = both(name, ours, theirs, **options)
    follow(ours, theirs, a, b, 2)
    saved, its = a.state_dict(), b.state_dict()
    assert list(saved["param_groups"][0]) == list(its["param_groups"][0])
    for mine, other in zip(saved["state"].values(), its["state"].values(), strict=True):
        assert list(mine) == list(other)
        for key in mine:
            np.testing.assert_allclose(
                mine[key].detach().numpy(), other[key].detach().numpy(), rtol=1e-4, atol=1e-6
            )
            assert str(mine[key].dtype).split(".")[-1] == str(other[key].dtype).split(".")[-1]
    theirs_next = getattr(torch.optim, name)(theirs, **options)
    theirs_next.load_state_dict(to_torch(saved))
    ours_next = getattr(kagari.optim, name)(ours, lr=77.0)
    ours_next.load_state_dict(to_kagari(its))
    follow(ours, theirs, ours_next, theirs_next, 3, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_states_from_before_steps_were_tensors(name):
    ours, theirs = start("float64")
    a, b = both(name, ours, theirs)
    follow(ours, theirs, a, b, 2)
    saved = a.state_dict()
    for state in saved["state"].values():
        for key in ("step", "eta", "mu", "mu_product"):
            if key in state:
                state[key] = state[key].item()
    for flag in ("foreach", "maximize", "differentiable"):
        del saved["param_groups"][0][flag]
    a.load_state_dict(saved)
    follow(ours, theirs, a, b, 2, rtol=1e-6)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_complex_parameters(name, options):
    values = torch.randn(5, 2, dtype=torch.complex128, generator=torch.Generator().manual_seed(3))
    theirs = [torch.nn.Parameter(values.clone())]
    ours = [kagari.nn.Parameter(to_kagari(values).clone())]
    a, b = both(name, ours, theirs, **options)
    follow_complex(ours, theirs, a, b)


def follow_complex(ours, theirs, a, b):
    for step in range(4):
        grad = torch.randn(
            5, 2, dtype=torch.complex128, generator=torch.Generator().manual_seed(step)
        )
        theirs[0].grad, ours[0].grad = grad, to_kagari(grad).clone()
        a.step()
        b.step()
        np.testing.assert_allclose(
            ours[0].detach().numpy(), theirs[0].detach().numpy(), rtol=1e-9, atol=1e-12
        )


def two_recorded_steps(library, name, options, scale=2.0):
    """The parameters, a loss, and its derivatives in the gradients' scale and in the start."""
    scale = library.tensor(scale, dtype=library.float64).requires_grad_()
    leaf = library.ones(3, dtype=library.float64).requires_grad_()
    p = leaf.clone()
    optimizer = getattr(library.optim, name)([p], differentiable=True, **options)
    for step in range(2):
        p.grad = (library.arange(1.0, 4.0, dtype=library.float64) - step / 3) * scale
        optimizer.step()
    loss = (p * p).sum()
    loss.backward()
    moved = scale.grad if scale.grad is not None else library.zeros(())  # Rprop sees signs alone
    return p.detach().numpy(), loss.item(), leaf.grad.numpy(), moved.numpy()


@pytest.mark.parametrize(("name", "options"), CASES)
def test_differentiable_steps(name, options):
    mine = two_recorded_steps(kagari, name, options)
    try:
        expected = two_recorded_steps(torch, name, options)
    except RuntimeError:  # PyTorch overwrites what its gradients need
        above, below = (
            two_recorded_steps(kagari, name, options, 2.0 + d)[1] for d in (1e-5, -1e-5)
        )
        np.testing.assert_allclose(mine[3], (above - below) / 2e-5, rtol=1e-6, atol=1e-9)
    else:
        for one, other in zip(mine, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", [*NAMES, "Adafactor"])
def test_lr_as_a_tensor(name):
    ours, theirs = start("float64")
    ours, theirs = ours[:3], theirs[:3]
    a = getattr(kagari.optim, name)(ours, lr=kagari.tensor(0.25))
    b = getattr(torch.optim, name)(theirs, lr=0.25)
    follow(ours, theirs, a, b, rtol=1e-8)
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        getattr(kagari.optim, name)(ours, lr=kagari.ones(2))


@pytest.mark.parametrize("name", NAMES)
def test_parameters_may_be_at_different_steps(name):
    ours, theirs = start("float64")
    a, b = both(name, ours, theirs)
    for step in range(4):
        give_gradients(ours, theirs, step)
        for i in range(len(ours)):
            if i < step:
                ours[i].grad = theirs[i].grad = None
        a.step()
        b.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_large_parameters_are_split_over_threads_without_a_difference(name):
    results = []
    for threads in (1, 2):
        before = kagari.get_num_threads()
        kagari.set_num_threads(threads)
        try:
            kagari.random.manual_seed(0)
            p = kagari.nn.Parameter(kagari.empty(300_001).uniform_(-1, 1))
            optimizer = getattr(kagari.optim, name)([p])
            for _ in range(2):
                p.grad = p.detach() * 0.1
                optimizer.step()
            results.append(p.detach().numpy())
        finally:
            kagari.set_num_threads(before)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("name", NAMES)
def test_steps_are_seen_and_leave_gradients(name):
    p = kagari.nn.Parameter(kagari.ones(3))
    loss = (p * p).sum()
    p.grad = kagari.ones(3)
    getattr(kagari.optim, name)([p]).step()
    assert p.grad.tolist() == [1.0, 1.0, 1.0] and p.grad_fn is None
    with pytest.raises(RuntimeError, match="modified by an inplace operation|version"):
        loss.backward()


@pytest.mark.parametrize("name", NAMES)
def test_not_a_number_stays(name):
    ours, theirs = start("float64")
    a, b = both(name, ours[:1], theirs[:1])
    for step in range(2):
        give_gradients(ours[:1], theirs[:1], step)
        ours[0].grad[1] = theirs[0].grad[1] = float("nan")
        ours[0].grad[2] = theirs[0].grad[2] = 0.0
        a.step()
        b.step()
    np.testing.assert_allclose(ours[0].detach().numpy(), theirs[0].detach().numpy(), rtol=1e-9)


@pytest.mark.parametrize("options", [
    {}, {"lr": 0.1, "weight_decay": 0.3, "momentum": 0.5, "nesterov": False},
    {"adjust_lr_fn": "match_rms_adamw", "ns_steps": 3, "eps": 1e-3},
])  # fmt: skip
def test_muon(options):
    ours, theirs = start()
    ours, theirs = ours[1:2] + [kagari.nn.Parameter(kagari.ones(3, 40))], theirs[1:2]
    theirs = [*theirs, torch.nn.Parameter(torch.ones(3, 40))]
    a, b = both("Muon", ours, theirs, **options)
    follow(ours, theirs, a, b, rtol=1e-2, atol=2e-3)  # bfloat16
    saved, its = a.state_dict(), b.state_dict()
    assert list(saved["param_groups"][0]) == list(its["param_groups"][0])
    assert [list(s) for s in saved["state"].values()] == [list(s) for s in its["state"].values()]


def test_muon_makes_matrices_orthogonal():
    kagari.manual_seed(0)
    from kagari.optim.muon import COEFFICIENTS, orthogonal

    for shape in ((8, 30), (30, 8)):
        sizes = kagari.linalg.svdvals(
            orthogonal(kagari.randn(*shape), COEFFICIENTS, 5, 1e-7).float()
        )
        assert 0.6 < float(sizes.min()) and float(sizes.max()) < 1.3


WRONG = [
    ("Adadelta", {"lr": -1}), ("Adadelta", {"rho": 1.1}), ("Adadelta", {"eps": -1}),
    ("Adadelta", {"weight_decay": -1}),
    ("Adagrad", {"lr_decay": -1}), ("Adagrad", {"initial_accumulator_value": -1}),
    ("Adagrad", {"eps": -1}), ("Adagrad", {"fused": True, "foreach": True}),
    ("Adagrad", {"fused": True, "differentiable": True}),
    ("Adamax", {"betas": (0.0, 1.0)}), ("Adamax", {"eps": -1}),
    ("ASGD", {"lr": -1}), ("ASGD", {"weight_decay": -1}),
    ("NAdam", {"momentum_decay": -1}), ("NAdam", {"betas": (1.0, 0.0)}),
    ("RAdam", {"weight_decay": -1}), ("RAdam", {"betas": (1.0, 0.0)}),
    ("RMSprop", {"momentum": -1}), ("RMSprop", {"alpha": -1}), ("RMSprop", {"eps": -1}),
    ("Rprop", {"etas": (1.0, 0.5)}), ("Rprop", {"lr": -1}),
    ("Adafactor", {"lr": -1}), ("Adafactor", {"beta2_decay": 0.8}),
    ("Adafactor", {"eps": (-1, 1e-3)}), ("Adafactor", {"eps": (None, -1)}),
    ("Adafactor", {"d": 0.0}), ("Adafactor", {"weight_decay": -1}),
    ("Muon", {"lr": -1}), ("Muon", {"weight_decay": -1}), ("Muon", {"momentum": -1}),
    ("Muon", {"adjust_lr_fn": "arbitrary"}), ("Muon", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), WRONG)
def test_wrong_arguments(name, options):
    ours, theirs = start()
    with pytest.raises((ValueError, RuntimeError)) as raised:
        getattr(torch.optim, name)(theirs, **options)
    with pytest.raises(raised.type) as mine:
        getattr(kagari.optim, name)(ours, **options)
    assert str(mine.value).lower()[:40] == str(raised.value).lower()[:40]


def test_wrong_states():
    ours, _ = start()
    optimizer = kagari.optim.Adadelta(ours)
    ours[0].grad = kagari.ones(5)
    optimizer.step()
    optimizer.state[ours[0]]["acc_delta"] = kagari.ones(4)
    before = ours[0].tolist()
    with pytest.raises(RuntimeError, match=r"fused_update_: states\[1\] has to be like"):
        optimizer.step()
    assert ours[0].tolist() == before


def test_the_fused_op_refuses_what_it_cannot_do():
    from kagari import _ops as ops

    p, g = kagari.ones(3), kagari.ones(3)
    with pytest.raises(RuntimeError, match="expected 1 grads"):
        ops.fused_update_("adagrad", [p], [], [g], [1.0, 0.0, 0.1, 0.0])
    with pytest.raises(RuntimeError, match="as many states for each"):
        ops.fused_update_("adagrad", [p, p], [g, g], [g], [1.0, 0.0, 0.1, 0.0])
    with pytest.raises(KeyError, match="update_nothing"):
        ops.fused_update_("nothing", [p], [g], [g], [1.0])
    with pytest.raises(RuntimeError, match="too many"):
        ops.fused_update_("adagrad", [p], [g], [g], [1.0] * 40)
    with pytest.raises(RuntimeError, match="floating-point"):
        ops.fused_update_("adagrad", [p.long()], [g.long()], [g.long()], [1.0])
