"""Creation functions against PyTorch: values, dtypes, strides, options, errors."""

import inspect
import pickle

import numpy as np
import pytest
import torch

import kagari


def shown(x):
    return str(x.dtype), tuple(x.shape), x.stride(), x.tolist(), x.requires_grad


LAYOUTS = ["sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "jagged"]


@pytest.mark.parametrize("name", LAYOUTS)
def test_other_layouts_are_refused(name):
    layout = getattr(kagari, name)
    assert repr(layout) == f"torch.{name}" and isinstance(layout, kagari.layout)
    makers = [
        lambda **o: kagari.zeros(2, **o), lambda **o: kagari.rand(2, **o),
        lambda **o: kagari.arange(2, **o), lambda **o: kagari.eye(2, **o),
        lambda **o: kagari.full((2,), 1.0, **o), lambda **o: kagari.ones(2).new_full((1,), 2, **o),
        lambda **o: kagari.empty_like(kagari.ones(2), **o), lambda **o: kagari.randperm(2, **o),
        lambda **o: kagari.linspace(0, 1, 2, **o), lambda **o: kagari.logspace(0, 1, 2, **o),
    ]  # fmt: skip
    for make in makers:
        make(layout=kagari.strided)
        with pytest.raises(
            NotImplementedError, match=f"layout: expected torch.strided, got.*{name}"
        ):
            make(layout=layout)
        with pytest.raises(TypeError, match="layout"):
            make(layout=3)


PROGRAMS = {
    "zeros": lambda t: t.zeros(2, 3),
    "zeros of a list": lambda t: t.zeros([2, 3], dtype=t.int16),
    "zeros of nothing": lambda t: t.zeros(()),
    "ones": lambda t: t.ones((0, 4), dtype=t.complex64),
    "full int": lambda t: t.full((2,), 7),
    "full bool": lambda t: t.full((2,), True),
    "full float": lambda t: t.full([2, 1], 0.5, requires_grad=True),
    "full complex": lambda t: t.full((2,), 1j),
    "zeros_like": lambda t: t.zeros_like(t.ones(3, 4).t()),
    "ones_like dtype": lambda t: t.ones_like(t.ones(3, 4), dtype=t.int8),
    "zeros_like of nothing": lambda t: t.zeros_like(t.ones(1).as_strided((0, 5, 0), (7, 2, 9))),
    "zeros_like of a row": lambda t: t.zeros_like(t.ones(9).as_strided((1, 5), (7, 1))),
    "full_like": lambda t: t.full_like(t.ones(2, dtype=t.int32), 3),
    "new_zeros": lambda t: t.ones(2, dtype=t.float64).new_zeros(3),
    "new_full": lambda t: t.ones(2, dtype=t.int16).new_full((2,), 9),
    "arange": lambda t: t.arange(5),
    "arange step": lambda t: t.arange(1, 10, 3),
    "arange down": lambda t: t.arange(5, 0, -2),
    "arange float": lambda t: t.arange(0, 1, 0.25),
    "arange dtype": lambda t: t.arange(3, dtype=t.float16),
    "arange empty": lambda t: t.arange(3, 3),
    "range": lambda t: t.range(1, 4),
    "linspace": lambda t: t.linspace(0, 1, 5),
    "linspace one": lambda t: t.linspace(3, 10, 1),
    "linspace none": lambda t: t.linspace(3, 10, 0),
    "linspace int": lambda t: t.linspace(0, 10, 5, dtype=t.int64),
    "linspace between fractions": lambda t: t.linspace(4.3, 50.9, 50, dtype=t.int32),
    "linspace down to a fraction": lambda t: t.linspace(9, -7.9, 13, dtype=t.int8),
    "linspace of halves": lambda t: t.linspace(0.1, 1, 5, dtype=t.float16),
    "logspace": lambda t: t.logspace(0, 3, 4),
    "eye": lambda t: t.eye(3),
    "eye wide": lambda t: t.eye(2, 4, dtype=t.int32),
    "fill_": lambda t: t.zeros(3, dtype=t.int64).fill_(4),
    "fill_ tensor": lambda t: t.zeros(3).fill_(t.tensor(2.5)),
    "zero_": lambda t: t.ones(3)[1:].zero_(),
    "scalar_tensor": lambda t: t.scalar_tensor(3),
    "empty_strided": lambda t: t.empty_strided((2, 3), (1, 2)).fill_(1),
    "empty_permuted": lambda t: t.empty_permuted((2, 3, 4), (1, 2, 0)).fill_(1),
    "out": lambda t: t.zeros(4, out=t.ones(0)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_pytorch(name):
    assert shown(PROGRAMS[name](kagari)) == shown(PROGRAMS[name](torch))


@pytest.mark.parametrize("steps", [2, 3, 7, 100])
def test_linspace_ends_exactly(steps):
    made = kagari.linspace(0.1, 0.7, steps, dtype=kagari.float64)
    assert made[0].item() == 0.1 and made[-1].item() == 0.7


@pytest.mark.parametrize(
    "program",
    [
        lambda t: t.zeros(-1),
        lambda t: t.zeros(2, -3),
        lambda t: t.zeros("two"),
        lambda t: t.zeros(2.5),
        lambda t: t.zeros(2**62, 2**62),
        lambda t: t.zeros(2**62),
        lambda t: t.arange(0, 10, 0),
        lambda t: t.arange(0, 10, -1),
        lambda t: t.arange(0, float("inf")),
        lambda t: t.linspace(0, 1, -1),
        lambda t: t.eye(-1),
        lambda t: t.full((2,), 1000, dtype=t.int8),
        lambda t: t.full((2,), 1j, dtype=t.float32),
        lambda t: t.ones(2, dtype=t.int32, requires_grad=True),
        lambda t: t.empty_strided((2, 3), (1,)),
        lambda t: t.zeros(2, dtype=t.float64, out=t.ones(0)),
        lambda t: t.zeros(2, unknown=3),
    ],
)
def test_errors(program):
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        program(torch)
    with pytest.raises(theirs.type):
        program(kagari)


def test_a_failed_out_changes_nothing():
    out = kagari.ones(3)
    with pytest.raises(RuntimeError):
        kagari.zeros(2, dtype=kagari.float64, out=out)
    assert out.tolist() == [1, 1, 1]


USUAL = {
    "empty": ["(4)", "((2, 3), dtype=kagari.int64)", "([0, 2])"],
    "zeros": ["(2, 3)", "(kagari.Size([2]))", "((), requires_grad=True)", "(3, device='meta')"],
    "ones": ["(2, dtype=kagari.complex64, layout=None)"],
    "full": ["((2,), 3)", "((2,), True)", "((), 2.5, dtype=kagari.int32)", "([2], -1)"],
    "zeros_like": ["(kagari.rand(3, 2).t())", "(kagari.rand(2), dtype=kagari.bool)"],
    "ones_like": ["(kagari.rand(2), device='meta', requires_grad=True)"],
    "full_like": ["(kagari.rand(2), 3)"],
    "empty_like": ["(kagari.rand(3, 2).t(), memory_format=None)"],
    "rand": ["(5)", "((2, 3), dtype=kagari.float64, requires_grad=True, generator=None)"],
    "randn": ["(17)", "(2, 0)"],
    "rand_like": ["(kagari.zeros(3, 2).t())"],
    "randn_like": ["(kagari.zeros(17), dtype=kagari.float64)"],
    "randint": ["(7, (3,))", "(-2, 5, (2, 2), dtype=kagari.int8)"],
    "arange": ["(5)", "(1, 6, 2)", "(0.0, 1, 0.25)", "(3, dtype=kagari.float32)"],
    "linspace": ["(0, 1, 5)", "(1.5, -2, 4, dtype=kagari.float64)"],
}


@pytest.mark.parametrize("call", [name + call for name in USUAL for call in USUAL[name]])
def test_the_usual_calls_give_what_the_functions_behind_give(call):
    name = call.split("(")[0]
    made = []
    for function in (getattr(kagari, name), getattr(kagari, name).__wrapped__):
        kagari.manual_seed(3)
        made.append(eval("function" + call[len(name) :], {"function": function, "kagari": kagari}))
    ours, behind = made
    for attribute in ("dtype", "shape", "device", "requires_grad", "is_leaf"):
        assert getattr(ours, attribute) == getattr(behind, attribute)
    assert ours.stride() == behind.stride()
    if not name.startswith("empty") and not ours.is_meta:
        assert kagari.equal(ours, behind)


def test_what_is_unusual_goes_to_the_function_behind():
    numpy_size = np.int64(2)
    assert kagari.zeros(numpy_size, 3).shape == kagari.zeros(size=(2, 3)).shape == (2, 3)
    assert kagari.full([2], kagari.tensor(2)).tolist() == [2, 2]
    assert kagari.empty(2, dtype=float).dtype == kagari.float64
    target = kagari.ones(3)
    assert kagari.zeros(2, 2, out=target) is target and target.shape == (2, 2)
    with pytest.raises(RuntimeError, match="floating point"):
        kagari.zeros(2, dtype=kagari.int64, requires_grad=True)
    for bad in ("zeros(1.5)", "zeros('2')", "empty(2, dtype=3)", "ones_like([1])", "randint(3)"):
        with pytest.raises((TypeError, AttributeError)):
            eval("kagari." + bad)
    for bad in ("zeros(-1)", "full((2,), 300, dtype=kagari.int8)", "zeros(2**62, 2**62)"):
        with pytest.raises(RuntimeError):
            eval("kagari." + bad)
    with pytest.raises((RuntimeError, TypeError)):
        kagari.zeros(2**70)


def test_fronts_look_like_functions():
    assert list(inspect.signature(kagari.full).parameters)[:2] == ["size", "fill_value"]
    assert kagari.zeros.__name__ == "zeros" and "kagari.zeros(2)" in kagari.zeros.__doc__
    for function in (kagari.empty, kagari.rand):
        assert pickle.loads(pickle.dumps(function)) is function
    with kagari.device("meta"):
        assert kagari.zeros(2).is_meta and kagari.rand(2).is_meta
    x = kagari.rand(2, dtype=kagari.float64)
    for made in (x.new_zeros(3), x.new_ones((3,)), x.new_full([3], 2), x.new_empty(3)):
        assert made.dtype == kagari.float64 and made.shape == (3,)
    assert x.new_zeros(2, dtype=kagari.int8).tolist() == [0, 0]
