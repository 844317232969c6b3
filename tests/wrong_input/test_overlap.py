"""In-place writes to memory that overlaps itself or an operand: errors, or as if copied first."""

import pytest

import kagari


def expanded():
    return kagari.ones(1).expand(4)


WRITES = {
    "add_": lambda t: t.add_(1),
    "mul_": lambda t: t.mul_(2),
    "exp_": lambda t: t.exp_(),
    "fill_": lambda t: t.fill_(3),
    "zero_": lambda t: t.zero_(),
    "copy_": lambda t: t.copy_(kagari.arange(4.0)),
    "out": lambda t: kagari.add(kagari.ones(4), 1, out=t),
    "clamp_": lambda t: t.clamp_(0, 1),
    "normal_": lambda t: t.normal_(),
    "masked_fill_": lambda t: t.masked_fill_(kagari.tensor([True, False, True, False]), 3.0),
    "index_fill_": lambda t: t.index_fill_(0, kagari.tensor([1]), 3.0),
    "scatter_": lambda t: t.scatter_(0, kagari.tensor([1]), 3.0),
    "index_add_": lambda t: t.index_add_(0, kagari.tensor([1]), kagari.ones(1)),
    "lerp_": lambda t: t.lerp_(kagari.zeros(4), 0.5),
}


@pytest.mark.parametrize("name", WRITES)
def test_expanded_tensors_cannot_be_written(name):
    t = expanded()
    with pytest.raises(RuntimeError, match=r"(?i)single memory location|overlap|more than one"):
        WRITES[name](t)
    assert t.tolist() == [1, 1, 1, 1]


def test_shifted_operands():
    with pytest.raises(RuntimeError, match=r"(?i)overlap|single memory"):
        t = kagari.arange(6.0)
        t[1:].add_(t[:-1])
    with pytest.raises(RuntimeError, match=r"(?i)overlap|single memory"):
        t = kagari.arange(6.0)
        kagari.exp(t[:-1], out=t[1:])


def test_the_same_window_is_fine():
    t = kagari.arange(4.0)
    t.add_(t)
    assert t.tolist() == [0, 2, 4, 6]
    kagari.mul(t, 2, out=t)
    assert t.tolist() == [0, 4, 8, 12]


def test_windows_that_do_not_meet_are_fine():
    t = kagari.arange(6.0)
    t[:3].add_(t[3:])
    assert t.tolist() == [3, 5, 7, 3, 4, 5]


def test_transposed_self_is_an_error():
    t = kagari.arange(4.0).reshape(2, 2)
    with pytest.raises(RuntimeError):
        t.add_(t.t())
    assert t.tolist() == [[0, 1], [2, 3]]


def test_copying_a_part_onto_itself_is_as_if_copied_first_or_an_error():
    t = kagari.arange(6.0)
    try:
        t[1:].copy_(t[:-1])
    except RuntimeError:
        assert t.tolist() == [0, 1, 2, 3, 4, 5]
    else:
        assert t.tolist() == [0, 0, 1, 2, 3, 4]


def test_leaves_and_views_of_leaves():
    leaf = kagari.ones(3, requires_grad=True)
    for write in (lambda: leaf.add_(1), lambda: leaf[0].add_(1), lambda: leaf.zero_()):
        with pytest.raises(RuntimeError, match="leaf"):
            write()
    assert leaf.tolist() == [1, 1, 1]


def test_integers_cannot_take_fractions():
    t = kagari.arange(3)
    for write in (lambda: t.add_(1.5), lambda: t.div_(2), lambda: t.mul_(1j)):
        with pytest.raises(RuntimeError, match="cast"):
            write()
    assert t.tolist() == [0, 1, 2]


def test_results_cannot_grow_the_target():
    t = kagari.ones(1, 3)
    with pytest.raises(RuntimeError):
        t.add_(kagari.ones(2, 3))
    assert t.tolist() == [[1, 1, 1]]
