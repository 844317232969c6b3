"""Hooks for what is kept for backward, and writes to it, beside PyTorch."""

import pytest

import kagari
from tests.autograd.beside import same, same_error


def test_what_is_kept_may_be_written_to():
    def program(t):
        with t.autograd.graph.allow_mutation_on_saved_tensors():
            a = t.arange(1.0, 5.0, requires_grad=True)
            b = a.clone()
            out = (b**2).sum() + b.exp().sum()
            b.sin_()
            out = out + (b**3).sum()
            b[0] = 7.0
            b.add_(1)
            out.backward()
            return a.grad, b

    same(program)


def test_what_is_kept_may_be_a_view():
    with kagari.autograd.graph.allow_mutation_on_saved_tensors():
        a = kagari.arange(1.0, 5.0, requires_grad=True)
        b = a.clone()
        out = (b[1:] * b[:-1]).sum()
        b.sin_()
        out.backward()
    assert a.grad.tolist() == [2.0, 4.0, 6.0, 3.0]


MISUSES = {
    "nested": lambda t, allow: allow(lambda: allow(lambda: None)),
    "backward outside": lambda t, allow: allow(lambda: recorded(t)).backward(),
    "backward outside, unwritten": lambda t, allow: allow(lambda: recorded(t, False)).backward(),
    "recorded outside": lambda t, allow: (lambda out: allow(lambda: out.backward()))(recorded(t)),
    "disabled": lambda t, allow: disabled(t, lambda: allow(lambda: None)),
}


def recorded(t, written=True):
    b = t.ones(2, requires_grad=True).clone()
    out = (b**2).sum()
    if written:
        b.sin_()
    return out


def disabled(t, function):
    with t.autograd.graph.disable_saved_tensors_hooks("not here"):
        return function()


@pytest.mark.parametrize("name", MISUSES)
def test_misuses(name):
    def program(t):
        def allow(function):
            with t.autograd.graph.allow_mutation_on_saved_tensors():
                return function()

        MISUSES[name](t, allow)

    same_error(program)


def test_a_write_that_is_not_seen_is_an_error():
    with kagari.autograd.graph.allow_mutation_on_saved_tensors():
        b = kagari.ones(2, requires_grad=True).clone()
        out = (b**2).sum()
        kagari.autograd.graph.increment_version(b)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            out.backward()
        out.detach()


def test_the_block_leaves_nothing():
    before = kagari._C._intercepted()
    with pytest.raises(ZeroDivisionError), kagari.autograd.graph.allow_mutation_on_saved_tensors():
        1 / 0  # noqa: B018
    assert kagari._C._intercepted() is before
    with kagari.autograd.graph.allow_mutation_on_saved_tensors():
        pass


def test_hooks_disabled():
    def inside(t):
        with t.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x):
            disabled(t, lambda: None)

    assert "not here" in same_error(inside)
    hooks = kagari.autograd.graph.save_on_cpu
    assert same_error(lambda t: disabled(t, lambda: t.autograd.graph.save_on_cpu().__enter__()))
    with hooks():
        pass


@pytest.mark.parametrize("what", ["one", "several", "inference"])
def test_versions(what):
    def program(t):
        x = t.ones(2)
        if what == "inference":
            with t.inference_mode():
                x = t.ones(2)
            return t.autograd.graph.increment_version(x)
        t.autograd.graph.increment_version(x if what == "one" else [x, x])
        return x._version

    same(program)


@pytest.mark.parametrize("wrong", [3, [3]])
def test_versions_of_what_is_no_tensor(wrong):
    same_error(lambda t: t.autograd.graph.increment_version(wrong))


def test_edges_say_who_owns_them():
    edge = kagari.autograd.graph.get_gradient_edge(kagari.ones(2, requires_grad=True) * 2)
    assert edge.ownership_token is None and edge.node.name() == "MulBackward0"
