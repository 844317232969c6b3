"""rearrange and debug_unwrap beside PyTorch."""

import pytest
import torch

import kagari
from tests.autograd.beside import same

PATTERNS = [
    ("a b c -> (a b) c", {}), ("a ... -> ... a", {}), ("a b (c d) -> a b c d", {"c": 2}),
    ("a b c -> a b c 1", {}), ("a b c -> a () b c", {}), ("a ... -> (a ...)", {}),
    ("... c -> c ...", {}), ("a b c -> (c a b)", {}), ("a b c->a b (c)", {}),
    ("a (b1 b2) c -> (b2 a) (c b1)", {"b1": 3}), ("(a) (b) ... -> b (a ...)", {}),
]  # fmt: skip
WRONG = [
    ("a b c -> a c", {}), ("a b -> b a", {}), ("a b c -> a b c d", {}), ("a b c 1-> a b c", {}),
    ("a a c -> a c", {}), ("a b c", {}), ("a b c -> -> a", {}), ("a b c -> a b c", {"z": 2}),
    ("(a b c -> a b c", {}), ("a b c -> ((a b) c)", {}), ("a b c -> a 2 b c", {}),
    ("(a ...) -> a ...", {}), ("a b c! -> a b c", {}), ("a ... b ... -> a b", {}),
    ("a _b c -> a _b c", {}), ("a b_ c -> a b_ c", {}), ("1b c d -> c d 1b", {}), (" -> ", {}),
    ("a b c -> ...", {}), ("a b) c -> a b c", {}), ("a b . -> a b .", {}),
]  # fmt: skip


@pytest.mark.parametrize("pattern, lengths", PATTERNS)
def test_rearrange(pattern, lengths):
    same(lambda t: t.func.rearrange(t.arange(24.0).reshape(2, 3, 4), pattern, **lengths))


@pytest.mark.parametrize("pattern, lengths", WRONG)
def test_patterns_that_do_not_fit(pattern, lengths):
    for t in (kagari, torch):
        with pytest.raises(ValueError):
            t.func.rearrange(t.zeros(2, 3, 4), pattern, **lengths)


@pytest.mark.parametrize("pattern, lengths", [
    ("a b (c d) -> a b c d", {"c": 3}), ("a b (c d) -> a b c d", {}),
    ("a b (c d) -> a b c d", {"c": 2, "d": 3}), ("a b (c d) -> a b c d", {"c": 0}),
    ("a b c -> a b c", {"c": -4}),
])  # fmt: skip
def test_parts_that_do_not_fit(pattern, lengths):
    with pytest.raises(ValueError, match="size 4|several|negative"):
        kagari.func.rearrange(kagari.zeros(2, 3, 4), pattern, **lengths)


def test_several_tensors_and_lengths():
    same(lambda t: t.func.rearrange([t.arange(6.0), t.ones(6)], "n (a b) -> b n a", a=2))
    with pytest.raises(TypeError, match="must be integers"):
        kagari.func.rearrange(kagari.zeros(4), "(a b) -> a b", a="2")
    assert kagari.func.rearrange(kagari.tensor(3.0), " -> 1").shape == (1,)


def test_rearrange_is_a_view_with_a_gradient():
    x = kagari.arange(6.0, requires_grad=True)
    y = kagari.func.rearrange(x, "(a b) -> b a", a=2)
    assert y._base is x
    (y * y).sum().backward()
    assert x.grad.tolist() == (2 * x).tolist()


def test_debug_unwrap():
    def program(t):
        seen = []

        def look(x):
            seen.append([list(t.func.debug_unwrap(x, recurse=r).shape) for r in (True, False)])
            return x

        x = t.zeros(2, 3, 4)
        t.func.vmap(t.func.vmap(look))(x)
        assert t.func.debug_unwrap(x) is x
        return seen

    same(program)
