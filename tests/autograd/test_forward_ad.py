"""Dual tensors beside PyTorch: levels, views and writes, custom Functions, errors."""

import pytest

import kagari
from kagari.autograd import forward_ad
from tests.autograd.beside import same, same_error


def along(t, function, *values):
    """Values and tangents of a function, each argument going along its own sine."""
    fw = t.autograd.forward_ad
    with fw.dual_level():
        found = function(*(fw.make_dual(v, v.sin()) for v in values))
        parts = found if isinstance(found, tuple) else (found,)
        return [tuple(fw.unpack_dual(p)) for p in parts]


def values(t, *shape):
    return t.linspace(0.2, 1.7, 12, dtype=t.float64)[: t.ones(shape).numel()].reshape(shape)


def written(t, x):
    y = t.zeros(4, dtype=t.float64)
    y[1:3] = x
    y[0] = x[1] * 2
    y[1:].mul_(3)
    return y, y[2]


PROGRAMS = {
    "pointwise": lambda t, x: (x * 2 + x.sin() / x, x**3, x.atan2(x * x)),
    "broadcast": lambda t, x: x.unsqueeze(1) * x + 1,
    "views": lambda t, x: (x.view(1, 2).t(), x[1:], x.expand(3, 2), x.as_strided((2,), (0,))),
    "matrices": lambda t, x: (t.outer(x, x) @ x, x.dot(x), t.nn.functional.linear(x, x.outer(x))),
    "reductions": lambda t, x: (x.sum(), x.prod(), x.var(), x.norm(), x.amax(), x.logsumexp(0)),
    "choices": lambda t, x: (t.where(x > 0.3, x, x * x), x.sort()[0], x.max(0)[0], x.clamp(0.3)),
    "integers": lambda t, x: (x.argmax(), x > 0.3, x.long()),
    "detached": lambda t, x: (x.detach() * x, x.data),
    "in place": lambda t, x: x.clone().mul_(x).add_(x),
    "windows": written,
    "zeroed": lambda t, x: (x.clone().zero_(), x.clone().fill_(2) * x),
    "copied": lambda t, x: t.ones(2, dtype=t.float64).copy_(x)[1:],
    "indexed": lambda t, x: t.ones(3, dtype=t.float64).index_put((t.tensor([0, 2]),), x),
    "masked": lambda t, x: x.masked_fill(t.tensor([True, False]), 5.0),
    "padded": lambda t, x: t.nn.functional.pad(x, (1, 2)),
    "layers": lambda t, x: t.nn.functional.layer_norm(x, (2,)) + x.softmax(0),
    "complex": lambda t, x: (t.complex(x, x * x).abs(), t.fft.fft(x).angle()),
    "constants": lambda t, x: (t.zeros_like(x), x.floor()),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_tangents(name):
    same(lambda t: along(t, lambda x: PROGRAMS[name](t, x), values(t, 2)))


def test_a_view_made_before_a_write_follows_it():
    def program(t):
        fw = t.autograd.forward_ad
        with fw.dual_level():
            base = t.zeros(3, dtype=t.float64)
            part = base[1:]
            base[1:2] = fw.make_dual(values(t, 1), values(t, 1).cos())
            return fw.unpack_dual(part * 2)

    same(program)


def test_the_tangent_given_is_never_written_to():
    tangent = kagari.ones(2)
    with forward_ad.dual_level():
        x = forward_ad.make_dual(kagari.zeros(2), tangent)
        x[0].mul_(5)
        assert forward_ad.unpack_dual(x).tangent.tolist() == [5, 1]
    assert tangent.tolist() == [1, 1]


def test_levels_end():
    with forward_ad.dual_level():
        x = forward_ad.make_dual(kagari.ones(2), kagari.ones(2))
        y = (x * x).prod()
        assert forward_ad.unpack_dual(y).tangent is not None
    assert forward_ad.unpack_dual(y).tangent is None
    assert not kagari._C._intercepted() and repr(y) == "tensor(1.)"


def test_printing_shows_the_tangent():
    same(lambda t: along(t, lambda x: repr(x) and x, values(t, 2)))
    with forward_ad.dual_level():
        x = forward_ad.make_dual(kagari.ones(2), kagari.zeros(2))
        assert repr(x) == "tensor([1., 1.], tangent=tensor([0., 0.]))"


def test_nested_levels_keep_apart():
    with forward_ad.dual_level():
        x = forward_ad.make_dual(kagari.tensor(2.0), kagari.tensor(1.0))
        with forward_ad.dual_level():
            y = forward_ad.make_dual(kagari.tensor(3.0), kagari.tensor(1.0))
            inner = forward_ad.unpack_dual(x * y * y)
        assert inner.tangent.item() == 12
        assert forward_ad.unpack_dual(inner.tangent).tangent.item() == 6


def test_switched_off():
    with forward_ad.dual_level():
        x = forward_ad.make_dual(kagari.ones(2), kagari.ones(2))
        with forward_ad._set_fwd_grad_enabled(False):
            assert forward_ad.unpack_dual(x * 2).tangent is None
        assert forward_ad.unpack_dual(x * 2).tangent is not None


def test_custom_functions():
    def program(t):
        class Power(t.autograd.Function):
            @staticmethod
            def forward(ctx, x, n):
                ctx.save_for_forward(x)
                ctx.n = n
                return x**n

            @staticmethod
            def jvp(ctx, x_t, n_t):
                (x,) = ctx.saved_tensors
                return 10 * ctx.n * x ** (ctx.n - 1) * x_t  # ten times what it should be

        return along(t, lambda x: Power.apply(x, 3), values(t, 2))

    same(program)


class _NoJvp:
    """A Function without jvp, of either library."""

    @staticmethod
    def of(t):
        class Plain(t.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2

            @staticmethod
            def backward(ctx, grad):
                return grad * 2

        return Plain


def _two(t, result):
    class Two(_NoJvp.of(t)):
        @staticmethod
        def jvp(ctx, x_t):
            return result(t)

    return along(t, Two.apply, values(t, 2))


ERRORS = {
    "no level": lambda t: t.autograd.forward_ad.make_dual(t.ones(2), t.ones(2)),
    "integers": lambda t: along(
        t, lambda x: t.autograd.forward_ad.make_dual(x.long(), x), values(t, 2)
    ),
    "other shape": lambda t: along(
        t, lambda x: t.autograd.forward_ad.make_dual(x.data, x[:1]), values(t, 2)
    ),
    "no jvp": lambda t: along(t, _NoJvp.of(t).apply, values(t, 2)),
    "two tangents": lambda t: _two(t, lambda t: (t.ones(2), t.ones(2))),
    "tangent of another shape": lambda t: _two(t, lambda t: t.ones(5)),
    "out=": lambda t: along(t, lambda x: t.add(x, x, out=t.ones(2, dtype=t.float64)), values(t, 2)),
    "already dual": lambda t: along(
        t, lambda x: t.autograd.forward_ad.make_dual(x, x), values(t, 2)
    ),
    "no such exit": lambda t: t.autograd.forward_ad.exit_dual_level(),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    same_error(ERRORS[name])
    assert not kagari._C._intercepted()


def test_a_rule_that_reads_memory_would_lose_a_tangent():
    x = kagari.ones(3)
    read = kagari.from_numpy(x.numpy()).tolist
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, kagari.ones(3))
        part = dual[1:]
        assert kagari._C._as_rule(read) == dual.tolist() == [1.0] * 3
        for reading in (dual.tolist, part.tolist):
            with pytest.raises(NotImplementedError, match="reads the memory of a tensor"):
                kagari._C._as_rule(reading)
        twice = kagari._C._as_rule(lambda: dual * 2)
        assert forward_ad.unpack_dual(twice).tangent.tolist() == [2.0] * 3
    assert kagari._C._as_rule(dual.tolist) == [1.0] * 3


def test_no_derivative_is_an_error_and_not_a_zero():
    matrix = kagari.eye(2)
    factorise = kagari._C.places["ops"]["_linalg_geqrf"]
    with pytest.raises(NotImplementedError, match="_linalg_geqrf .* no derivative"):
        kagari.func.jvp(lambda a: factorise(a)[0], (matrix,), (matrix,))
    _, zeros = kagari.func.jvp(lambda a: a.detach() + a.argmax(), (matrix,), (matrix,))
    assert not zeros.any()


def of_another_memory(name, t):
    def write(x):
        x = x * 2
        match name:
            case "resize_":
                x.resize_(2, 2)
            case "resize_as_":
                x.resize_as_(t.ones(2, 2))
            case "set_":
                x.set_(t.ones(4))
            case "data":
                x.data = t.ones(4)
            case "a view":
                x[1:].resize_(1, 1)
        return x

    return t.func.jvp(write, (t.ones(4),), (t.ones(4),))


@pytest.mark.parametrize("name", ["resize_", "resize_as_", "set_", "data", "a view"])
def test_a_tangent_does_not_follow_to_another_memory(name):
    same_error(lambda t: of_another_memory(name, t))
