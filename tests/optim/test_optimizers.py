"""SGD, Adam and AdamW beside PyTorch's: the same path, with every option, layout and dtype."""

import copy

import numpy as np
import pytest
import torch

import kagari
from tests.nn.side_by_side import to_kagari

SHAPES = ((5,), (64, 33), (2, 3, 4), (0, 3), ())
CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.01, "betas": (0.8, 0.9), "eps": 1e-4, "weight_decay": 0.1}),
    ("Adam", {"amsgrad": True, "maximize": True}),
    ("Adam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {"lr": 0.02}),
    ("AdamW", {"amsgrad": True, "weight_decay": 0.3}),
]


def start(dtype="float32"):
    made = torch.Generator().manual_seed(1)
    values = [torch.randn(s, generator=made, dtype=torch.float64) for s in SHAPES]
    theirs = [torch.nn.Parameter(v.to(getattr(torch, dtype))) for v in values]
    ours = [kagari.nn.Parameter(to_kagari(v).to(getattr(kagari, dtype))) for v in values]
    return ours, theirs


def give_gradients(ours, theirs, step):
    made = torch.Generator().manual_seed(100 + step)
    for p, q in zip(ours, theirs, strict=True):
        grad = torch.randn(q.shape, generator=made, dtype=torch.float64)
        q.grad = grad.to(q.dtype)
        p.grad = to_kagari(grad).to(p.dtype)


def follow(ours, theirs, a, b, steps=6, rtol=1e-5, atol=1e-6):
    for step in range(steps):
        give_gradients(ours, theirs, step)
        a.step()
        b.step()
        for p, q in zip(ours, theirs, strict=True):
            mine, other = p.detach().double().numpy(), q.detach().double().numpy()
            np.testing.assert_allclose(mine, other, rtol=rtol, atol=atol)


def both(name, ours, theirs, **options):
    return getattr(kagari.optim, name)(ours, **options), getattr(torch.optim, name)(
        theirs, **options
    )


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("flags", [{}, {"foreach": True}, {"fused": True}, {"foreach": False}])
def test_the_path_is_pytorchs(name, options, flags):
    ours, theirs = start()
    a = getattr(kagari.optim, name)(ours, **options, **flags)
    b = getattr(torch.optim, name)(theirs, **options)
    follow(ours, theirs, a, b)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float64", 1e-12), ("bfloat16", 5e-2), ("float16", 5e-3)]
)
@pytest.mark.parametrize(("name", "options"), CASES)
def test_dtypes(name, options, dtype, tolerance):
    if dtype == "float16" and name != "SGD":
        options = {**options, "eps": 1e-2}  # PyTorch rounds 1e-8 to 0 there, and divides by 0
    ours, theirs = start(dtype)
    follow(ours, theirs, *both(name, ours, theirs, **options), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_layouts(name):
    """Gradients and parameters in other orders of memory than each other."""
    options = {"lr": 0.1, "momentum": 0.9} if name == "SGD" else {}
    data = torch.randn(6, 4)
    theirs = [torch.nn.Parameter(data.clone()), torch.nn.Parameter(data.t().clone())]
    wide = kagari.zeros(6, 8)
    wide[:, ::2] = to_kagari(data)
    ours = [
        kagari.nn.Parameter(wide[:, ::2]),
        kagari.nn.Parameter(to_kagari(data).clone().t()),
    ]
    assert not ours[0].is_contiguous() and not ours[1].is_contiguous()
    a, b = both(name, ours, theirs, **options)
    for step in range(3):
        give_gradients(ours, theirs, step)
        ours[0].grad = ours[0].grad.t().contiguous().t()
        a.step()
        b.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert float(wide[:, 1::2].abs().sum()) == 0


@pytest.mark.parametrize(("name", "options"), CASES)
def test_state_goes_to_pytorch_and_back(name, options):
    ours, theirs = start()
    a, b = both(name, ours, theirs, **options)
    follow(ours, theirs, a, b, 2)
    saved = a.state_dict()
    assert sorted(saved["param_groups"][0]) == sorted(b.state_dict()["param_groups"][0])
    theirs_next = torch.optim.__dict__[name](theirs, **options)
    theirs_next.load_state_dict(
        {
            "state": {
                k: {n: torch.from_numpy(v.numpy()) if v is not None else None for n, v in s.items()}
                for k, s in saved["state"].items()
            },
            "param_groups": saved["param_groups"],
        }
    )
    ours_next = getattr(kagari.optim, name)(ours, lr=77.0)
    ours_next.load_state_dict(to_kagari(b.state_dict()))
    follow(ours, theirs, ours_next, theirs_next, 3)


def test_steps_do_not_change_gradients_or_record():
    ours, theirs = start()
    a = kagari.optim.AdamW(ours, weight_decay=0.5, maximize=True)
    give_gradients(ours, theirs, 0)
    a.step()
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(p.grad.numpy(), q.grad.numpy())
        assert p.grad_fn is None and p.requires_grad


def test_a_step_is_seen_by_saved_tensors():
    p = kagari.nn.Parameter(kagari.ones(3))
    loss = (p * p).sum()
    p.grad = kagari.ones(3)
    kagari.optim.SGD([p], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation|version"):
        loss.backward()


def test_groups():
    ours, theirs = start()
    a = kagari.optim.SGD([{"params": ours[:2], "lr": 1.0}, {"params": ours[2:]}], lr=0.1)
    b = torch.optim.SGD([{"params": theirs[:2], "lr": 1.0}, {"params": theirs[2:]}], lr=0.1)
    follow(ours, theirs, a, b, 2)
    assert repr(a) == repr(b)
    a = kagari.optim.Adam([("first", ours[0])])
    a.add_param_group({"params": [("second", ours[1])], "lr": 5})
    assert a.state_dict()["param_groups"][1]["param_names"] == ["second"]
    with pytest.raises(ValueError, match="more than one parameter group"):
        a.add_param_group({"params": [("third", ours[1])]})
    with pytest.raises(ValueError, match="with/without names"):
        a.add_param_group({"params": ours[2]})


def test_parameters_without_gradients_are_left_alone():
    p, q = kagari.nn.Parameter(kagari.ones(2)), kagari.nn.Parameter(kagari.ones(2))
    p.grad = kagari.ones(2)
    optimizer = kagari.optim.Adam([p, q])
    optimizer.step()
    assert q.tolist() == [1.0, 1.0] and q not in optimizer.state
    optimizer.zero_grad()
    assert p.grad is None
    p.grad = kagari.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    before = p.tolist()
    optimizer.step()
    assert p.tolist() == before


def test_closure_runs_with_gradients():
    p = kagari.nn.Parameter(kagari.ones(2))
    optimizer = kagari.optim.SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with kagari.no_grad():
        assert float(optimizer.step(closure)) == 2.0
    assert p.tolist() == pytest.approx([0.8, 0.8])


def test_lr_as_a_tensor():
    ours, theirs = start()
    a = kagari.optim.Adam(ours, lr=kagari.tensor(0.01))
    b = torch.optim.Adam(theirs, lr=0.01)
    follow(ours, theirs, a, b)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_differentiable_steps(name):
    """The derivative of a step with respect to the gradient's scale, as PyTorch's."""
    results = []
    for library in (kagari, torch):
        scale = library.tensor(2.0, dtype=library.float64).requires_grad_()
        leaf = library.ones(3, dtype=library.float64).requires_grad_()
        p = leaf.clone()
        p.grad = library.arange(1.0, 4.0, dtype=library.float64) * scale
        options = {"weight_decay": 0.1} if name == "SGD" else {"eps": 0.1}
        optimizer = getattr(library.optim, name)([p], lr=0.1, differentiable=True, **options)
        optimizer.step()
        (p * p).sum().backward()
        results.append((p.detach().numpy(), scale.grad.numpy(), leaf.grad.numpy()))
    for mine, other in zip(*results, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-8)


def test_step_hooks():
    ours, theirs = start()
    optimizer, seen = kagari.optim.SGD(ours, lr=0.1), []
    handle = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append("pre"))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("post"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, state: seen.append(state["more"]))
    optimizer.step()
    handle.remove()
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    assert seen == ["pre", "post", "post", 1]


def test_copies_go_their_own_way():
    ours, theirs = start()
    optimizer = kagari.optim.Adam(ours)
    give_gradients(ours, theirs, 0)
    optimizer.step()
    other = copy.deepcopy(optimizer)
    assert other.param_groups[0]["params"][0] is not ours[0]
    optimizer.step()
    assert not bool((other.param_groups[0]["params"][0] == ours[0]).all())
    other.step()


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda p: kagari.optim.SGD(p, lr=-1), ValueError, "learning rate"),
        (lambda p: kagari.optim.SGD(p, momentum=-1), ValueError, "momentum"),
        (lambda p: kagari.optim.SGD(p, nesterov=True), ValueError, "Nesterov"),
        (lambda p: kagari.optim.Adam(p, betas=(1.0, 0.5)), ValueError, "beta parameter at index 0"),
        (lambda p: kagari.optim.Adam(p, eps=-1), ValueError, "epsilon"),
        (lambda p: kagari.optim.AdamW(p, weight_decay=-1), ValueError, "weight_decay"),
        (lambda p: kagari.optim.Adam(p, foreach=True, fused=True), RuntimeError, "together"),
        (lambda p: kagari.optim.Adam([]), ValueError, "empty parameter list"),
        (lambda p: kagari.optim.Adam(p[0]), TypeError, "iterable of Tensors"),
        (lambda p: kagari.optim.Adam([3]), TypeError, "can only optimize Tensors"),
        (lambda p: kagari.optim.Adam([p[0] * 1]), ValueError, "non-leaf"),
        (lambda p: kagari.optim.Adam([{"params": set(p)}]), TypeError, "ordered collections"),
    ],
)
def test_wrong_arguments(make, error, text):
    with pytest.raises(error, match=text):
        make(start()[0])


def test_wrong_states_and_gradients():
    ours, _ = start()
    optimizer = kagari.optim.Adam(ours)
    state = kagari.optim.Adam(ours[:2]).state_dict()
    with pytest.raises(ValueError, match="group 0 has 5 parameters here, 2 there"):
        optimizer.load_state_dict(state)
    state["param_groups"].append(state["param_groups"][0])
    with pytest.raises(ValueError, match="different number of parameter groups"):
        optimizer.load_state_dict(state)
    ours[0].grad = kagari.ones(5)
    optimizer.step()
    optimizer.state[ours[0]]["exp_avg"] = kagari.ones(4)
    before = ours[0].tolist()
    with pytest.raises(RuntimeError, match=r"fused_adam_: exp_avgs\[0\] has to be like"):
        optimizer.step()
    assert ours[0].tolist() == before


def test_large_parameters_are_split_over_threads_without_a_difference():
    results = []
    for threads in (1, 2):
        before = kagari.get_num_threads()
        kagari.set_num_threads(threads)
        try:
            kagari.random.manual_seed(0)
            p = kagari.nn.Parameter(kagari.empty(700_001).uniform_(-1, 1))
            optimizer = kagari.optim.AdamW([p])
            for _ in range(3):
                p.grad = p.detach() * 0.1
                optimizer.step()
            results.append(p.detach().numpy())
        finally:
            kagari.set_num_threads(before)
    np.testing.assert_array_equal(*results)
