"""no_grad, enable_grad, set_grad_enabled and inference_mode."""

import pytest

import kagari
from tests.autograd.beside import same, same_error


def test_blocks_and_nesting():
    def program(t):
        x, seen = t.ones(2, requires_grad=True), []
        with t.no_grad():
            seen.append((x * 2).requires_grad)
            with t.enable_grad():
                seen.append((x * 2).requires_grad)
            seen.append(t.is_grad_enabled())
        with t.set_grad_enabled(False):
            seen.append(t.is_grad_enabled())
        seen.append(t.is_grad_enabled())
        return seen

    same(program)


def test_decorators():
    def program(t):
        @t.no_grad()
        def f(x):
            return (x * 2).requires_grad

        @t.no_grad
        def g(x):
            return (x * 2).requires_grad

        @t.no_grad()
        def generate(x):
            for _ in range(2):
                yield (x * 2).requires_grad

        x = t.ones(2, requires_grad=True)
        out = [f(x), g(x)]
        for value in generate(x):
            out += [value, t.is_grad_enabled()]
        return out

    same(program)


def test_mode_is_restored_after_an_error():
    with pytest.raises(KeyError), kagari.no_grad():
        raise KeyError
    assert kagari.is_grad_enabled()


def test_inference_tensors():
    def program(t):
        x = t.ones(2, requires_grad=True)
        with t.inference_mode():
            y = x * 2
            seen = [y.requires_grad, y.is_inference(), t.is_inference_mode_enabled()]
        return *seen, t.ones(1).is_inference()

    same(program)


@pytest.mark.parametrize(
    "program",
    [
        lambda t: made(t).add_(1),
        lambda t: made(t).requires_grad_(),
        lambda t: t.ones(2, requires_grad=True) * made(t),
    ],
)
def test_inference_tensors_stay_out_of_differentiation(program):
    same_error(program)


def made(t):
    with t.inference_mode():
        return t.ones(2)


def test_views_made_under_no_grad_cannot_be_written_to():
    def program(t):
        x = t.ones(2, 2, requires_grad=True) * 1
        with t.no_grad():
            v = x[0]
        v.mul_(2)

    same_error(program)


@pytest.mark.parametrize("name", ["set_multithreading_enabled", "enforce_grad_layout_policy"])
def test_switches_of_the_engine(name):
    def program(t):
        switch = getattr(t.autograd, name)

        @switch(False)
        def run():
            x = t.ones(2, 3, requires_grad=True)
            (x.t() @ t.ones(2, 1)).sum().backward()
            return x.grad

        with switch(True):
            first = run()
        switch(True)
        return first, run()

    same(program)


@pytest.mark.parametrize("layout", ["row-major", "transposed"])
def test_a_gradient_has_the_layout_of_its_leaf(layout):
    strides = []
    for policy in (True, False):
        with kagari.autograd.enforce_grad_layout_policy(policy):
            x = kagari.ones(2, 3) if layout == "row-major" else kagari.ones(3, 2).t()
            x.requires_grad_()
            (x.t() @ kagari.ones(2, 1)).sum().backward()
            strides.append(x.grad.stride())
    assert strides[0] == x.stride() and strides[1] in ((1, 2), (3, 1))
    assert kagari.autograd.enforce_grad_layout_policy().mode


def test_variable_is_no_more():
    same_error(lambda t: t.autograd.variable([1.0]))
