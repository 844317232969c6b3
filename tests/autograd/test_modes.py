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
