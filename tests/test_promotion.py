"""Type promotion against PyTorch: every pair of dtypes, 0-d tensors and Python numbers."""

import itertools

import pytest
import torch

import kagari

NAMES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16",
    "bfloat16", "float32", "float64", "complex32", "complex64", "complex128",
)  # fmt: skip
NUMBERS = (True, 3, 2.5, 1 + 2j)
WIDE_UNSIGNED = ("uint16", "uint32", "uint64")  # PyTorch promotes them with themselves and floats


def named(library, make):
    """The name of the dtype make(library), or the class of its error."""
    try:
        return str(make(library))
    except RuntimeError:
        return "RuntimeError"


@pytest.mark.parametrize("name", NAMES)
def test_pairs(name):
    for other in NAMES:
        if other != name and (other in WIDE_UNSIGNED or name in WIDE_UNSIGNED):
            continue
        for shapes in itertools.product([(2,), ()], repeat=2):

            def both(t, other=other, shapes=shapes):
                a = t.ones(shapes[0], dtype=getattr(t, name))
                return t.result_type(a, t.ones(shapes[1], dtype=getattr(t, other)))

            assert named(kagari, both) == named(torch, both), (other, shapes)


@pytest.mark.parametrize("name", WIDE_UNSIGNED)
def test_wide_unsigned(name):
    for other in ("bool", "uint8", "int64", *(w for w in WIDE_UNSIGNED if w != name), "float32"):

        def both(t, other=other):
            return t.promote_types(getattr(t, name), getattr(t, other))

        assert named(kagari, both) == named(torch, both), other


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("shape", [(2,), ()])
def test_numbers(name, number, shape):
    def both(t):
        return (t.ones(shape, dtype=getattr(t, name)) * number).dtype

    assert named(kagari, both) == named(torch, both)


@pytest.mark.parametrize("default", ["float64", "float16"])
def test_default_dtype(default):
    def program(t):
        before = t.get_default_dtype()
        t.set_default_dtype(getattr(t, default))
        try:
            made = t.tensor([1.5]), t.ones(2), t.ones(2, dtype=t.int64) / 2, t.arange(2) * 1.5
            return [str(x.dtype) for x in made]
        finally:
            t.set_default_dtype(before)

    assert program(kagari) == program(torch)


def test_result_type_and_can_cast():
    for a, b in itertools.product(NAMES, repeat=2):
        ours, theirs = ([getattr(t, n) for n in (a, b)] for t in (kagari, torch))
        assert kagari.can_cast(*ours) == torch.can_cast(*theirs), (a, b)
