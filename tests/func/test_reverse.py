"""grad, grad_and_value and vjp beside torch.func: nesting, structures, history, errors."""

import pytest

import kagari
from tests.autograd.beside import same, same_error


def f64(t, values):
    return t.tensor(values, dtype=t.float64)


def test_six_derivatives_in_one_expression():
    def program(t):
        grad = t.func.grad
        norm = lambda x: (x * x + 1).sqrt()  # noqa: E731
        return grad(grad(grad(grad(grad(grad(norm))))))(f64(t, 0.7))

    same(program)


def test_six_derivatives_of_norm():
    def program(t):
        grad = t.func.grad
        return grad(grad(grad(grad(grad(grad(t.norm))))))(f64(t, 0.7))

    same(program)


def test_no_perturbation_confusion():
    def program(t):
        grad = t.func.grad
        return grad(lambda x: x * grad(lambda y: x + y * x)(x))(f64(t, 2.0))

    same(program)


@pytest.mark.parametrize("argnums", [0, 1, -1, (0, 1), (1, 0), (2,)])
def test_argnums(argnums):
    def program(t):
        def f(x, y, z):
            return (x * y["a"]).sum() * y["b"][0] + z.sin()

        y = {"a": f64(t, [1.0, 2.0]), "b": (f64(t, 3.0),)}
        return t.func.grad(f, argnums)(f64(t, [4.0, 5.0]), y, f64(t, 6.0))

    same(program)


def test_aux_and_value():
    def program(t):
        def f(x):
            return (x**3).sum(), {"twice": x * 2}

        x = f64(t, [1.0, 2.0])
        return t.func.grad(f, has_aux=True)(x), t.func.grad_and_value(f, has_aux=True)(x)

    same(program)


def test_history_only_for_what_is_outside():
    def program(t):
        x, w = t.tensor(2.0), t.tensor(3.0, requires_grad=True)
        alone, value = t.func.grad_and_value(lambda x: x**3)(x)
        with_w = t.func.grad(lambda x: (x * w) ** 2)(x)
        with t.no_grad():
            quiet = t.func.grad(lambda x: (x * w) ** 2)(x)
        inner = t.func.grad(lambda w: (x * w) ** 3)(w)
        (with_w + inner).backward()
        flags = [v.requires_grad for v in (alone, value, with_w, quiet, inner)]
        return alone, value, with_w, quiet, inner, flags, w.grad, x.requires_grad

    same(program)


def test_no_grad_inside_counts():
    def program(t):
        def f(x):
            with t.no_grad():
                constant = x**2
            return x * constant

        return t.func.grad(f)(f64(t, 3.0)), t.func.grad(t.func.grad(f))(f64(t, 3.0))

    same(program)


def test_independent_inputs_have_zero_gradients():
    def program(t):
        x, y = f64(t, [1.0, 2.0]), f64(t, [[3.0]])
        _, pull = t.func.vjp(lambda x, y: t.ones(()), x, y)
        return t.func.grad(lambda x, y: x.sum(), (0, 1))(x, y), pull(t.ones(()))

    same(program)


def test_vjp_of_structures():
    def program(t):
        def f(x, y):
            return {"a": x["k"] * y, "b": [y.sum()]}, y.long()

        x, y = {"k": f64(t, [1.0, 2.0])}, f64(t, [3.0, 4.0])
        out, pull, aux = t.func.vjp(f, x, y, has_aux=True)
        cotangents = {"a": f64(t, [1.0, -1.0]), "b": [f64(t, 2.0)]}
        return out, aux, pull(cotangents), pull(cotangents)

    same(program)


def test_vjp_is_differentiable_by_its_cotangent():
    def program(t):
        x = f64(t, [0.3, 0.4])

        def second(v):
            return (t.func.vjp(t.sin, x)[1](v)[0] ** 2).sum()

        return t.func.grad(second)(f64(t, [1.0, 2.0]))

    same(program)


def test_complex_inputs():
    def program(t):
        z = t.tensor([1 + 2j, 3 - 1j], dtype=t.complex128)
        return t.func.grad(lambda z: (z * z.conj()).real.sum())(z), t.func.vjp(t.sin, z)[1](z)

    same(program)


def test_random_nestings_agree_with_pytorch():
    def program(t):
        grad = t.func.grad

        def f(x, y):
            return (x * y).sin() * x.exp() + y**3

        x, y = f64(t, 0.3), f64(t, 0.8)
        mixed = grad(grad(grad(f, 1), 0), 1)(x, y)
        closed = grad(lambda a: grad(lambda b: f(a, b) * grad(f)(a, b))(y))(x)
        return mixed, closed

    same(program)


ERRORS = {
    "not a scalar": lambda t, x: t.func.grad(lambda x: x)(x),
    "not a tensor": lambda t, x: t.func.grad(lambda x: 1.0)(x),
    "a tuple": lambda t, x: t.func.grad(lambda x: (x.sum(),))(x),
    "no aux": lambda t, x: t.func.grad(lambda x: x.sum(), has_aux=True)(x),
    "argnum out of range": lambda t, x: t.func.grad(lambda x: x.sum(), 1)(x),
    "negative argnum out of range": lambda t, x: t.func.grad(lambda x: x.sum(), -2)(x),
    "a list of argnums": lambda t, x: t.func.grad(lambda x: x.sum(), [0])(x),
    "no argnums": lambda t, x: t.func.grad(lambda x: x.sum(), ())(x),
    "integers": lambda t, x: t.func.grad(lambda x: x.sum())(x.long()),
    "a number": lambda t, x: t.func.grad(lambda x: x.sum())(2.0),
    "a complex value": lambda t, x: t.func.grad(lambda x: x.sum())(x.to(t.complex64)),
    "written input": lambda t, x: t.func.grad(lambda x: x.mul_(2).sum())(x.clone()),
    "vjp of a number": lambda t, x: t.func.vjp(lambda x: 1.0, x),
    "vjp of nothing": lambda t, x: t.func.vjp(lambda x: (), x),
    "vjp without aux": lambda t, x: t.func.vjp(lambda x: x, x, has_aux=True),
    "other structure": lambda t, x: t.func.vjp(lambda x: (x, x), x)[1](x),
    "other shape": lambda t, x: t.func.vjp(lambda x: x, x)[1](t.ones(4)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    same_error(lambda t: ERRORS[name](t, t.tensor([1.0, 2.0, 3.0])))


def test_a_written_input_is_an_error_at_every_level():
    inner = kagari.func.grad(lambda x: x.mul_(2).sum())
    with pytest.raises(RuntimeError, match="in-place"):
        kagari.func.grad(lambda x: inner(x * 1).sum())(kagari.ones(3))
