"""Backward and grad: accumulation, roots, retained graphs, higher orders, dtypes."""

import pytest

import kagari
from tests.autograd.beside import same, same_error


def leaf(t, values, **options):
    return t.tensor(values, requires_grad=True, **options)


def test_accumulates_over_calls_and_paths():
    def program(t):
        x = leaf(t, [1.0, 2.0, 3.0])
        for _ in range(3):
            ((x * x).sum() + (x * 2).sum()).backward()
        return x.grad

    same(program)


def test_diamond_visits_each_node_once():
    def program(t):
        x, calls = leaf(t, 2.0), []
        y = x * 3
        y.register_hook(lambda g: calls.append(g.item()))
        (y * y + y.exp()).backward()
        return x.grad, calls

    same(program)


def test_broadcast_gradients_are_summed():
    def program(t):
        a, b, c = leaf(t, [[1.0], [2.0]]), leaf(t, [1.0, 2.0, 3.0]), leaf(t, 2.0)
        (a * b + c).pow(2).sum().backward()
        return a.grad, b.grad, c.grad

    same(program)


def test_gradients_have_the_dtype_of_their_tensor():
    def program(t):
        a = leaf(t, [1.5, 2.0], dtype=t.float16)
        b = leaf(t, [1.0, 2.0], dtype=t.float64)
        (a * b).sum().backward()
        return a.grad, b.grad, str(a.grad.dtype), str(b.grad.dtype)

    same(program)


def test_real_input_of_complex_result():
    def program(t):
        x = leaf(t, [1.0, 2.0])
        z = x * t.tensor([1 + 2j, 3 - 1j])
        t.view_as_real(z * z.conj()).sum().backward()
        return x.grad, str(x.grad.dtype)

    same(program)


def test_complex_gradients():
    def program(t):
        z = leaf(t, [1 + 2j, -0.5 + 0.3j])
        w = (z.exp() * z).abs().sum()
        w.backward()
        return z.grad

    same(program)


@pytest.mark.parametrize("order", [2, 3, 4, 5, 6])
def test_any_order(order):
    def program(t):
        x = leaf(t, [0.3, -0.7], dtype=t.float64)
        y = (x.sin() * x.exp() + x**3).sum()
        for _ in range(order):
            (y,) = t.autograd.grad(y.sum(), x, create_graph=True)
        return y

    same(program)


def test_six_gradients_of_a_norm():
    def program(t):
        x = leaf(t, [0.3, -0.7, 1.1], dtype=t.float64)
        y = (x * x).sum().sqrt()
        for _ in range(6):
            (y,) = t.autograd.grad(y.sum(), x, create_graph=True)
        return y

    same(program, 1e-5)


def test_create_graph_through_backward():
    def program(t):
        x = leaf(t, [1.0, 2.0])
        (x**3).sum().backward(create_graph=True)
        g = x.grad
        x.grad = None
        g.sum().backward()
        return x.grad

    same(program)


def test_second_backward_needs_retain_graph():
    def program(t):
        x = leaf(t, 2.0)
        y = x.exp()
        y.backward()
        y.backward()

    assert "retain_graph" in same_error(program)


def test_retain_graph():
    def program(t):
        x = leaf(t, 2.0)
        y = x.exp()
        y.backward(retain_graph=True)
        y.backward()
        return x.grad

    same(program)


def test_inputs_limit_what_is_accumulated():
    def program(t):
        a, b = leaf(t, 2.0), leaf(t, 3.0)
        c = a * b
        d = c * a
        d.backward(inputs=[a])
        first = a.grad, b.grad is None
        (g,) = t.autograd.grad(a * b * a, [b])
        return first, g, b.grad is None

    same(program)


def test_gradient_of_an_inner_tensor():
    def program(t):
        x = leaf(t, [1.0, 2.0])
        y = x * 2
        z = (y * y).sum()
        return t.autograd.grad(z, [y, x])

    same(program)


def test_unused_input():
    def program(t):
        a, b = leaf(t, 2.0), leaf(t, 3.0)
        t.autograd.grad(a * 2, [a, b])

    assert "allow_unused" in same_error(program)

    def allowed(t):
        a, b = leaf(t, 2.0), leaf(t, 3.0)
        g = t.autograd.grad(a * 2, [a, b], allow_unused=True)
        h = t.autograd.grad(a * 2, [a, b], materialize_grads=True)
        return g[0], g[1] is None, h

    same(allowed)


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.ones(2, requires_grad=True).backward(),
        lambda t: t.ones(2).sum().backward(),
        lambda t: (t.ones(2, requires_grad=True) * 2).backward(t.ones(3)),
        lambda t: t.ones(2, dtype=t.int64, requires_grad=True),
        lambda t: (t.ones(2, requires_grad=True) * 2).requires_grad_(False),
        lambda t: setattr(t.ones(2), "grad", t.ones(3)),
        lambda t: setattr(t.ones(2), "grad", 3),
        lambda t: t.autograd.grad(t.ones(2).sum(), t.ones(2)),
        lambda t: t.ones(2).retain_grad(),
        lambda t: t.ones(2).register_hook(print),
    ],
)
def test_wrong_use(program):
    same_error(program)


def test_long_chain_is_differentiated_and_freed_without_recursion():
    before = kagari._C._live_tensors()
    x = kagari.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y * 1.0 if _ % 2 else y + 0.0
    y.backward()
    assert x.grad.item() == 1.0
    z = x
    for _ in range(100_000):
        z = z.exp()
    del z, y, x
    assert kagari._C._live_tensors() <= before


def test_integer_results_have_no_history():
    x = kagari.ones(3, requires_grad=True)
    assert not (x > 0).requires_grad
    assert not x.argmax().requires_grad
    assert not x.to(kagari.int64).requires_grad
