"""Hooks of modules: when they are called, in which order, with what, and what they may replace."""

import pytest
import torch

import kagari
from kagari import nn
from kagari.nn.modules import hooks as module_hooks
from tests.nn.side_by_side import to_kagari


class Scale(nn.Module):
    def forward(self, x, factor=2.0):
        if factor == 0:
            raise ValueError("factor is 0")
        return x * factor


def test_forward_pre_hooks_replace_arguments():
    module, x = Scale(), kagari.ones(2)
    handle = module.register_forward_pre_hook(lambda m, args: args[0] + 1)
    module.register_forward_pre_hook(lambda m, args: (args[0] * 10,), prepend=True)
    assert module(x).tolist() == [22.0, 22.0]
    handle.remove()
    handle.remove()
    assert module(x).tolist() == [20.0, 20.0]
    module.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"factor": 3.0}), with_kwargs=True
    )
    assert module(x).tolist() == [30.0, 30.0]
    module.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="tuple of"):
        module(x)


def test_forward_hooks_replace_results():
    module, x, seen = Scale(), kagari.ones(2), []
    module.register_forward_hook(lambda m, args, out: seen.append((m, args, out)))
    module.register_forward_hook(lambda m, args, out: out + 1)
    module.register_forward_hook(
        lambda m, args, kwargs, out: out * kwargs["factor"], with_kwargs=True, prepend=True
    )
    assert module(x, factor=3.0).tolist() == [10.0, 10.0]
    assert seen[0][0] is module and seen[0][1][0] is x and seen[0][2].tolist() == [9.0, 9.0]


def test_always_called_hooks_run_after_an_exception():
    module, seen = Scale(), []
    module.register_forward_hook(lambda m, args, out: seen.append("plain"))
    module.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    with pytest.raises(ValueError, match="factor"):
        module(kagari.ones(1), 0)
    assert seen == [None]

    def broken(m, args, out):
        raise RuntimeError("in the hook")

    module.register_forward_hook(broken, always_call=True)
    with pytest.raises(ValueError), pytest.warns(UserWarning, match="in the hook"):  # noqa: PT011
        module(kagari.ones(1), 0)


def test_handles_remove_on_leaving_a_block():
    module = Scale()
    with module.register_forward_hook(lambda m, args, out: out * 0):
        assert float(module(kagari.ones(()))) == 0
    assert float(module(kagari.ones(()))) == 2
    assert not module._forward_hooks


def backward_record(library, module, x):
    seen = []
    module.register_full_backward_hook(lambda m, gi, go: seen.append(("full", gi, go)))
    module.register_full_backward_pre_hook(lambda m, go: seen.append(("pre", go)))
    out = module(x)
    (out * library.arange(6.0).reshape(2, 3)).sum().backward()
    return seen


def test_full_backward_hooks_see_what_pytorch_shows():
    theirs = torch.nn.Linear(4, 3)
    ours = nn.Linear(4, 3)
    ours.load_state_dict(to_kagari(dict(theirs.state_dict())))
    given = torch.randn(2, 4, requires_grad=True)
    a = backward_record(kagari, ours, to_kagari(given))
    b = backward_record(torch, theirs, given)
    assert [entry[0] for entry in a] == [entry[0] for entry in b] == ["pre", "full"]
    for mine, other in zip(a, b, strict=True):
        for grads, expected in zip(mine[1:], other[1:], strict=True):
            for g, e in zip(grads, expected, strict=True):
                assert abs(g.numpy() - e.numpy()).max() < 1e-6


def test_full_backward_hooks_replace_gradients():
    module, x = Scale(), kagari.ones(2).requires_grad_()
    module.register_full_backward_hook(lambda m, gi, go: (gi[0] * 100,))
    module.register_full_backward_pre_hook(lambda m, go: (go[0] + 1,))
    module(x).sum().backward()
    assert x.grad.tolist() == [400.0, 400.0]


def test_backward_hooks_without_inputs_that_require_grad():
    module, seen = nn.Linear(2, 2), []
    module.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    module(kagari.ones(1, 2)).sum().backward()
    assert seen[0][0] == (None,) and seen[0][1][0].tolist() == [[1.0, 1.0]]


def test_wrong_backward_hooks():
    module = nn.Linear(2, 2)
    module.register_full_backward_hook(lambda m, gi, go: (None, None, None))
    with pytest.raises(RuntimeError, match="invalid number of grad_input"):
        module(kagari.ones(1, 2).requires_grad_()).sum().backward()
    with pytest.raises(RuntimeError, match="Cannot use both"):
        module.register_backward_hook(lambda m, gi, go: None)


def test_global_hooks_run_for_every_module():
    seen, x = [], kagari.ones(2)
    net = nn.Sequential(Scale(), Scale())
    handles = [
        module_hooks.register_module_forward_pre_hook(lambda m, args: seen.append("pre")),
        module_hooks.register_module_forward_hook(lambda m, args, out: seen.append("post")),
    ]
    net(x)
    for handle in handles:
        handle.remove()
    net(x)
    assert seen == ["pre", "pre", "post", "pre", "post", "post"]
    assert not module_hooks.any_global


def test_registration_hooks():
    seen = []
    handles = [
        module_hooks.register_module_parameter_registration_hook(
            lambda m, name, value: seen.append(name)
        ),
        module_hooks.register_module_module_registration_hook(
            lambda m, name, value: seen.append(name)
        ),
        module_hooks.register_module_buffer_registration_hook(
            lambda m, name, value: seen.append(name)
        ),
    ]
    try:
        nn.Sequential(nn.Linear(1, 1)).register_buffer("b", None)
    finally:
        for handle in handles:
            handle.remove()
    assert seen == ["weight", "bias", "0", "b"]
