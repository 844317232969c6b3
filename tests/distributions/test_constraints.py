"""Constraints against PyTorch: names, representation, properties, checks and errors."""

import pytest
import torch

import kagari
from tests.ops.pairs import ours, same_error

C, T = kagari.distributions.constraints, torch.distributions.constraints
INF, NAN = float("inf"), float("nan")

NUMBERS = torch.tensor([-INF, -2.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.5, INF, NAN])
MATRICES = torch.stack([
    torch.eye(3), torch.ones(3, 3), -torch.eye(3), torch.eye(3) + torch.ones(3, 3),
    torch.tensor([[1.0, 0, 0], [0.6, 0.8, 0], [0, 0.6, 0.8]]),
    torch.tensor([[1.0, 2, 0], [0.6, 0.8, 0], [0, 0.6, 0.8]]),
])  # fmt: skip
VECTORS = torch.tensor([[0.2, 0.3, 0.5], [0, 0, 1], [1, 1, 0], [-0.5, 0.5, 1], [3, 0, 1]])
MADE = [
    ("greater_than", (0.5,), NUMBERS), ("greater_than_eq", (0.5,), NUMBERS),
    ("less_than", (0.5,), NUMBERS), ("interval", (-0.5, 2), NUMBERS),
    ("half_open_interval", (-0.5, 2), NUMBERS), ("integer_interval", (-2, 2), NUMBERS),
    ("multinomial", (2,), VECTORS),
]  # fmt: skip
PLAIN = [
    (n, v)
    for names, v in (
        ("boolean nonnegative_integer positive_integer real positive nonnegative "
         "unit_interval", NUMBERS),
        ("one_hot simplex real_vector", VECTORS),
        ("lower_triangular lower_cholesky corr_cholesky square symmetric positive_semidefinite "
         "positive_definite", MATRICES),
    )
    for n in names.split()
]  # fmt: skip


def compare(mine, theirs, value):
    assert repr(mine) == repr(theirs)
    assert mine.is_discrete == theirs.is_discrete and mine.event_dim == theirs.event_dim
    got, expected = mine.check(ours(value)), theirs.check(value)
    assert got.dtype == kagari.bool and got.tolist() == expected.tolist()


def test_names():
    assert set(T.__all__) <= {*dir(C)}


@pytest.mark.parametrize(("name", "value"), PLAIN)
def test_plain(name, value):
    compare(getattr(C, name), getattr(T, name), value)


@pytest.mark.parametrize(("name", "args", "value"), MADE)
def test_with_bounds(name, args, value):
    compare(getattr(C, name)(*args), getattr(T, name)(*args), value)


@pytest.mark.parametrize("dims", [0, 1])
def test_independent(dims):
    compare(C.independent(C.positive, dims), T.independent(T.positive, dims), VECTORS)
    same_error(
        lambda t, v: t.distributions.constraints.independent(
            t.distributions.constraints.real, 2
        ).check(v),
        torch.ones(3),
    )


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_cat_and_stack(dim):
    value = torch.tensor([[1.0, -1.0], [0.5, 2.0]])
    for name in ("cat", "stack"):
        mine = getattr(C, name)([C.positive, C.unit_interval], dim)
        theirs = getattr(T, name)([T.positive, T.unit_interval], dim)
        assert mine.event_dim == theirs.event_dim and mine.is_discrete == theirs.is_discrete
        assert mine.check(ours(value)).tolist() == theirs.check(value).tolist()


def test_dependent():
    def program(t):
        c = t.distributions.constraints

        class Holder:
            @c.dependent_property(is_discrete=False, event_dim=1)
            def support(self):
                return c.positive

        static = Holder.support
        return (
            c.is_dependent(static), static.event_dim, static.is_discrete, repr(Holder().support),
            c.is_dependent(c.dependent), c.is_dependent(c.real),
        )  # fmt: skip

    assert program(kagari) == program(torch)
    for use in (lambda c: c.dependent.check(1), lambda c: c.dependent.event_dim):
        same_error(lambda t, use=use: use(t.distributions.constraints))
