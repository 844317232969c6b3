"""jvp, linearize, jacfwd, hessian beside torch.func, alone and in every nesting."""

import pytest

import kagari
from tests.autograd.beside import same, same_error


def f64(t, values):
    return t.tensor(values, dtype=t.float64)


def scalar(t, x):
    return (x.sin() * x).prod() + (x**3).sum().exp() * x.norm()


def vector(t, x):
    return t.outer(x, x.cos()).cumsum(0).softmax(1) @ x


NESTINGS = {
    "jvp": lambda t, x, v: t.func.jvp(lambda x: vector(t, x), (x,), (v,)),
    "jvp of jvp": lambda t, x, v: t.func.jvp(
        lambda y: t.func.jvp(lambda x: scalar(t, x * y), (y,), (v,))[1], (x,), (v,)
    ),
    "jvp of grad": lambda t, x, v: t.func.jvp(t.func.grad(lambda x: scalar(t, x)), (x,), (v,)),
    "grad of jvp": lambda t, x, v: t.func.grad(
        lambda x: t.func.jvp(lambda x: scalar(t, x), (x,), (v,))[1]
    )(x),
    "jvp of jvp of grad": lambda t, x, v: t.func.jvp(
        lambda x: t.func.jvp(t.func.grad(lambda x: scalar(t, x)), (x,), (v,))[1], (x,), (v,)
    ),
    "grad of jvp of grad": lambda t, x, v: t.func.grad(
        lambda x: t.func.jvp(t.func.grad(lambda x: vector(t, x).prod()), (x,), (v,))[1].sum()
    )(x),
    "jacfwd": lambda t, x, v: t.func.jacfwd(lambda x: vector(t, x))(x),
    "jacfwd of jacfwd": lambda t, x, v: t.func.jacfwd(t.func.jacfwd(lambda x: vector(t, x)))(x),
    "jacfwd of grad": lambda t, x, v: t.func.jacfwd(t.func.grad(lambda x: scalar(t, x)))(x),
    "vmap of jvp": lambda t, x, v: t.func.vmap(
        lambda x, v: t.func.jvp(lambda x: vector(t, x), (x,), (v,))[1]
    )(t.stack([x, v]), t.stack([v, x])),
    "jvp of vmap": lambda t, x, v: t.func.jvp(
        t.func.vmap(lambda x: vector(t, x)), (t.stack([x, v]),), (t.stack([v, x]),)
    ),
    "vmap of jacfwd of grad": lambda t, x, v: t.func.vmap(
        t.func.jacfwd(t.func.grad(lambda x: scalar(t, x)))
    )(t.stack([x, v])),
    "vmap over directions of jvp of grad": lambda t, x, v: t.func.vmap(
        lambda v: t.func.jvp(t.func.grad(lambda x: scalar(t, x)), (x,), (v,))[1]
    )(t.stack([x, v])),
    "jacfwd of vmap of grad": lambda t, x, v: t.func.jacfwd(
        t.func.vmap(t.func.grad(lambda x: scalar(t, x)))
    )(t.stack([x, v])),
}


@pytest.mark.parametrize("name", NESTINGS)
def test_nestings(name):
    def program(t):
        return NESTINGS[name](t, f64(t, [0.3, 0.7, 0.4]), f64(t, [1.0, -2.0, 0.5]))

    same(program)


def test_structures_and_aux():
    def program(t):
        def f(x, y):
            return {"a": x["k"] * y, "b": (y.sum(),)}, x["k"] * 2

        primals = ({"k": f64(t, [1.0, 2.0])}, f64(t, [3.0, 4.0]))
        return t.func.jvp(f, primals, primals, has_aux=True), t.func.jacfwd(
            f, (1, 0), has_aux=True
        )(*primals)

    same(program)


def test_linearize_again_and_again():
    def program(t):
        value, along = t.func.linearize(lambda x: vector(t, x), f64(t, [0.3, 0.7]))
        return value, along(f64(t, [1.0, 0.0])), along(f64(t, [2.0, -1.0]))

    same(program)


def test_random_columns():
    def program(t):
        t.manual_seed(3)
        f = lambda x: x * t.rand(2, dtype=t.float64)  # noqa: E731
        return t.func.jacfwd(f, randomness="same")(f64(t, [1.0, 2.0]))

    same(program)


def test_chunks_of_columns():
    x = f64(kagari, [0.3, 0.7, 0.4])
    whole = kagari.func.jacfwd(lambda x: vector(kagari, x))
    parts = kagari.func.jacfwd(lambda x: vector(kagari, x), chunk_size=2)
    assert kagari.allclose(whole(x), parts(x))


def test_tangents_do_not_outlive_the_transform():
    kept = []
    kagari.func.jvp(lambda x: kept.append(x.exp()) or x, (kagari.ones(2),), (kagari.ones(2),))
    assert not kagari._C._intercepted() and repr(kept[0]) == repr(kagari.ones(2).exp())


def test_history_reaches_what_is_outside():
    def program(t):
        w, x = t.tensor(3.0, requires_grad=True), t.tensor(2.0)
        value, derivative = t.func.jvp(lambda x: (x * w) ** 2, (x,), (t.ones(()),))
        derivative.backward()
        return value, derivative, w.grad

    same(program)


ERRORS = {
    "no tuple": lambda t, x: t.func.jvp(lambda x: x, x, x),
    "other structure": lambda t, x: t.func.jvp(lambda x: x, (x,), x),
    "other shape": lambda t, x: t.func.jvp(lambda x: x, (x,), (t.ones(4),)),
    "nothing": lambda t, x: t.func.jvp(lambda x: x, (), ()),
    "a number": lambda t, x: t.func.jvp(lambda x: 1.0, (x,), (x,)),
    "no aux": lambda t, x: t.func.jvp(lambda x: x, (x,), (x,), has_aux=True),
    "integers": lambda t, x: t.func.jvp(lambda x: x, (x.long(),), (x.long(),)),
    "primal number": lambda t, x: t.func.jvp(lambda x: x, (1.0,), (x,)),
    "tangent number": lambda t, x: t.func.jvp(lambda x: x, (x,), (1.0,)),
    "linearize shape": lambda t, x: t.func.linearize(lambda x: x * 2, x)[1](t.ones(4)),
    "linearize dtype": lambda t, x: t.func.linearize(lambda x: x * 2, x)[1](x.double()),
    "linearize count": lambda t, x: t.func.linearize(lambda x: x * 2, x)[1](x, x),
    "argnums": lambda t, x: t.func.jacfwd(lambda x: x, 1)(x),
    "jacfwd of a number": lambda t, x: t.func.jacfwd(lambda x: 1)(x),
    "jacfwd without aux": lambda t, x: t.func.jacfwd(lambda x: x, has_aux=True)(x),
    "complex": lambda t, x: t.func.jacfwd(lambda x: x)(x.to(t.complex64)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    same_error(lambda t: ERRORS[name](t, t.tensor([1.0, 2.0, 3.0])))
    assert not kagari._C._intercepted()
