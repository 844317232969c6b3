"""Custom functions."""

import gc

import pytest

import kagari
from tests.autograd.beside import same, same_error


def cube(t):
    class Cube(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 3 * x * x

    return Cube


def test_first_and_second_derivative():
    def program(t):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        y = cube(t).apply(x).sum()
        (g,) = t.autograd.grad(y, x, create_graph=True)
        (h,) = t.autograd.grad(g.sum(), x)
        return y, g, h, type(y.grad_fn).__name__ if t is None else ""

    same(program)


def test_saved_output_and_no_leak():
    def program(t):
        class Exp(t.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                y = x.exp()
                ctx.save_for_backward(y)
                return y

            @staticmethod
            def backward(ctx, grad):
                (y,) = ctx.saved_tensors
                return grad * y

        x = t.tensor([0.5, 1.0], requires_grad=True)
        (g,) = t.autograd.grad(Exp.apply(x).sum(), x, create_graph=True)
        (h,) = t.autograd.grad(g.sum(), x)
        return g, h

    before = kagari._C._live_tensors()
    same(program)
    assert kagari._C._live_tensors() <= before + 2


def test_several_inputs_and_outputs():
    def program(t):
        class Mixed(t.autograd.Function):
            @staticmethod
            def forward(ctx, a, scale, b):
                ctx.scale = scale
                seen.append(ctx.needs_input_grad)
                return a * scale, b + 1

            @staticmethod
            def backward(ctx, ga, gb):
                return ga * ctx.scale, None, gb

        seen = []
        a = t.tensor([1.0, 2.0], requires_grad=True)
        b = t.tensor([3.0])
        x, y = Mixed.apply(a, 4.0, b)
        x.sum().backward()
        return a.grad, seen, y

    same(program)


def test_setup_context():
    def program(t):
        class Scale(t.autograd.Function):
            @staticmethod
            def forward(x, by):
                return x * by

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.by = inputs[1]

            @staticmethod
            def backward(ctx, grad):
                return grad * ctx.by, None

        x = t.ones(3, requires_grad=True)
        Scale.apply(x, 2.5).sum().backward()
        return x.grad

    same(program)


def test_mark_dirty_and_non_differentiable():
    def program(t):
        class Inc(t.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                x.add_(1)
                ctx.mark_dirty(x)
                i = x.argmax()
                ctx.mark_non_differentiable(i)
                return x, i

            @staticmethod
            def backward(ctx, grad, unused):
                return grad * 5

        x = t.tensor([1.0, 3.0], requires_grad=True)
        y = x * 2
        z, i = Inc.apply(y)
        (z * z).sum().backward()
        return x.grad, i.requires_grad, z is y

    same(program)


def test_undefined_gradients():
    def program(t):
        class Two(t.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads(False)
                return x * 1, x * 2

            @staticmethod
            def backward(ctx, a, b):
                seen.append((a is None, b is None))
                return b

        seen = []
        x = t.ones(2, requires_grad=True)
        Two.apply(x)[1].sum().backward()
        return x.grad, seen

    same(program)


def wrong_count(t):
    class Bad(t.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, grad):
            return grad

    x = t.ones(2, requires_grad=True)
    Bad.apply(x, x).sum().backward()


def twice(t):
    class Once(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        @t.autograd.function.once_differentiable
        def backward(ctx, grad):
            return grad * 2

    x = t.ones(2, requires_grad=True)
    (g,) = t.autograd.grad((Once.apply(x) ** 2).sum(), x, create_graph=True)
    g.sum().backward()


@pytest.mark.parametrize("program", [wrong_count, twice])
def test_wrong_use(program):
    same_error(program)


def test_a_saved_output_does_not_keep_the_graph_alive():
    class Exp(kagari.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            out = x.exp()
            ctx.save_for_backward(out)
            ctx.save_for_forward(out)
            return out

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.saved_tensors[0]

    x = kagari.ones(3, requires_grad=True)
    gc.collect()
    before = kagari._C._live_tensors()
    Exp.apply(x)
    kagari.autograd.grad(Exp.apply(x).sum(), x, create_graph=True)
    assert kagari._C._live_tensors() == before
