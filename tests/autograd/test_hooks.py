"""Hooks on tensors and nodes, retained gradients, saved-tensor hooks, anomaly mode."""

import warnings

import pytest

import kagari
from tests.autograd.beside import same, same_error


def leaf(t, values=(1.0, 2.0)):
    return t.tensor(list(values), requires_grad=True)


def test_tensor_hooks_run_in_order_and_may_replace():
    def program(t):
        x, seen = leaf(t), []
        y = x * 3
        y.register_hook(lambda g: seen.append(g.clone()))
        y.register_hook(lambda g: g * 2)
        gone = y.register_hook(lambda g: g * 100)
        gone.remove()
        x.register_hook(lambda g: g + 1)
        (y * y).sum().backward()
        return x.grad, seen

    same(program)


def test_retain_grad_sees_what_hooks_left():
    def program(t):
        x = leaf(t)
        y = x * 3
        y.retain_grad()
        y.register_hook(lambda g: g * 2)
        (y * y).sum().backward()
        return x.grad, y.grad, y.retains_grad

    same(program)


def test_post_accumulate_hook():
    def program(t):
        x, seen = leaf(t), []

        def step(p):
            seen.append(p.grad.clone())
            p.grad = None

        x.register_post_accumulate_grad_hook(step)
        (x * x).sum().backward()
        return seen, x.grad is None

    same(program)


def test_node_hooks():
    def program(t):
        x, seen = leaf(t), []
        y = x.exp()
        y.grad_fn.register_hook(lambda i, o: seen.append((i[0].clone(), o[0].clone())))
        y.grad_fn.register_prehook(lambda o: (o[0] * 2,))
        y.sum().backward()
        return x.grad, seen

    same(program)


def test_multi_grad_hook():
    def program(t):
        x, seen = leaf(t), []
        a, b = x * 2, x * 3
        t.autograd.graph.register_multi_grad_hook((a, b), lambda g: seen.append(len(g)))
        (a * b).sum().backward()
        return seen

    same(program)


def test_hook_of_wrong_size_is_an_error():
    def program(t):
        x = leaf(t)
        y = x * 2
        y.register_hook(lambda g: t.ones(5))
        y.sum().backward()

    same_error(program)


def test_error_in_a_hook_keeps_its_class():
    x = leaf(kagari)
    y = x * 2

    def hook(g):
        raise KeyError("mine")

    y.register_hook(hook)
    with pytest.raises(KeyError, match="mine"):
        y.sum().backward()


def test_next_functions_lead_to_the_leaf():
    x = leaf(kagari)
    node = (x * 2).exp().grad_fn
    assert node.name() == "ExpBackward0"
    mul = node.next_functions[0][0]
    assert mul.name() == "MulBackward0"
    assert mul.next_functions[0][0].variable is x
    assert mul == node.next_functions[0][0] and mul != node


def test_saved_tensors_hooks():
    def program(t):
        packed, x = [], leaf(t)

        def pack(tensor):
            packed.append(tensor.shape)
            return tensor * 2

        with t.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept / 2):
            y = x.exp() * x
        y.sum().backward()
        return x.grad, len(packed)

    same(program)


def test_anomaly_mode_shows_the_forward_call():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with kagari.autograd.detect_anomaly():
            x = kagari.tensor([0.0], requires_grad=True)
            y = (x * x).sqrt() * 0
            with pytest.raises(RuntimeError, match="nan"):
                y.sum().backward()
    assert any("test_hooks.py" in str(w.message) for w in caught)
    assert not kagari.autograd.anomaly_mode.is_anomaly_enabled()


def test_gradient_of_a_leaf_that_went_away_is_dropped():
    x = leaf(kagari)
    y = (x * 2).sum()
    del x
    y.backward()
