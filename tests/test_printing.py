"""The text of tensors, against PyTorch's, for many shapes, dtypes, sizes of numbers and options."""

import math

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import kagari

NAMES = (
    "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128"
).split()
SHAPES = [(), (0,), (1,), (7,), (8, 0), (3, 4), (2, 1, 3), (2, 2, 2, 2), (30, 2), (1, 12)]
LARGE = [(2000,), (40, 50), (3, 400), (10, 10, 20), (1001,), (1000,), (2, 2, 2, 2, 100), (7,) * 4]


@pytest.fixture(autouse=True)
def default_options():
    for library in (torch, kagari):
        library.set_printoptions(profile="default")
    yield
    for library in (torch, kagari):
        library.set_printoptions(profile="default")


def pair(values, name):
    """The same values as a tensor of PyTorch and of kagari."""
    theirs = torch.from_numpy(numpy.ascontiguousarray(values)).to(getattr(torch, name))
    theirs = theirs.reshape(values.shape)
    if name == "bfloat16":
        return theirs, kagari.from_numpy(theirs.float().numpy()).to(kagari.bfloat16)
    return theirs, kagari.from_numpy(theirs.numpy())


def values_for(shape, name, seed, exponent=0, whole=False, special=None):
    random = numpy.random.default_rng(seed)
    values = random.standard_normal(shape) * 10.0**exponent
    if whole:
        values = numpy.round(values)
    if special is not None and values.size:
        values = numpy.asarray(values)
        values.reshape(-1)[seed % values.size] = special
    if name.startswith("complex"):
        return values + 1j * random.standard_normal(shape)
    if not name.startswith(("float", "bfloat")):
        return numpy.clip(numpy.nan_to_num(values), -100, 100)
    return values


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES + LARGE, ids=str)
def test_shapes(shape, name):
    theirs, ours = pair(numpy.asarray(values_for(shape, name, 1, exponent=1)), name)
    assert repr(ours) == repr(theirs)
    assert str(ours) == str(theirs)


@given(
    shape=st.sampled_from(SHAPES),
    name=st.sampled_from(NAMES),
    exponent=st.integers(-12, 12),
    whole=st.booleans(),
    special=st.sampled_from([None, 0.0, -0.0, math.nan, math.inf, -math.inf]),
    seed=st.integers(0, 1000),
)
def test_numbers(shape, name, exponent, whole, special, seed):
    values = numpy.asarray(values_for(shape, name, seed, exponent, whole, special))
    theirs, ours = pair(values, name)
    assert repr(ours) == repr(theirs)


@given(
    precision=st.integers(0, 9),
    threshold=st.sampled_from([0, 5, 1000]),
    edgeitems=st.integers(0, 4),
    linewidth=st.sampled_from([1, 20, 80, 200]),
    sci_mode=st.sampled_from([None, True, False]),
    shape=st.sampled_from([s for s in SHAPES if 0 not in s]),
    name=st.sampled_from(NAMES),
    exponent=st.integers(-6, 6),
)
def test_options(precision, threshold, edgeitems, linewidth, sci_mode, shape, name, exponent):
    options = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
        "sci_mode": sci_mode,
    }
    theirs, ours = pair(numpy.asarray(values_for(shape, name, 3, exponent)), name)
    torch.set_printoptions(**options)
    with kagari.printoptions(**options):
        assert repr(ours) == repr(theirs)
        assert kagari.get_printoptions()["precision"] == precision
    assert kagari.get_printoptions()["precision"] == 4


@pytest.mark.parametrize("profile", ["short", "full", "default"])
def test_profiles(profile):
    theirs, ours = pair(values_for((5, 300), "float32", 1), "float32")
    for library in (torch, kagari):
        library.set_printoptions(profile=profile)
    assert repr(ours) == repr(theirs)


def test_unknown_profile():
    with pytest.raises(ValueError, match="profile"):
        kagari.set_printoptions(profile="loud")


SUFFIXES = {
    "requires_grad": lambda t: t.tensor([1.0, 2.0], requires_grad=True),
    "grad_fn": lambda t: t.tensor([1.0, 2.0], requires_grad=True) * 2,
    "leaf_double": lambda t: t.tensor([[1.0]], dtype=t.float64, requires_grad=True),
    "meta": lambda t: t.tensor([[1.0]], device="meta"),
    "meta_int": lambda t: t.tensor([[1]], device="meta"),
    "empty_int": lambda t: t.tensor([], dtype=t.int64),
    "long": lambda t: t.ones(3, 30, dtype=t.float64, requires_grad=True),
    "scalar": lambda t: t.tensor(3.0, requires_grad=True),
    "transposed": lambda t: t.arange(6).reshape(2, 3).t(),
    "expanded": lambda t: t.arange(3).expand(2, 3),
}


@pytest.mark.parametrize("name", SUFFIXES)
def test_suffixes(name):
    assert repr(SUFFIXES[name](kagari)) == repr(SUFFIXES[name](torch))


def test_default_dtype_is_not_named():
    text = {}
    for library in (torch, kagari):
        library.set_default_dtype(library.float64)
        try:
            text[library] = [
                repr(library.tensor([1.5], dtype=getattr(library, n)))
                for n in ("float32", "float64", "complex128", "complex64")
            ]
        finally:
            library.set_default_dtype(library.float32)
    assert text[torch] == text[kagari]


def test_subclasses():
    def show(library):
        kind = type("Mine", (library.Tensor,), {})
        return repr(library.tensor([[1.5, 2.0], [3.0, 4.0]]).as_subclass(kind))

    assert show(kagari) == show(torch)


@pytest.mark.parametrize("spec", ["", ".2f", "8.3e", ">10", "d", ",", "x", "+.1f", "%"])
@pytest.mark.parametrize("number", [1234, 1234.5, True])
def test_format(number, spec):
    def text(library):
        try:
            return format(library.tensor(number), spec)
        except (ValueError, TypeError) as error:
            return type(error)

    assert text(kagari) == text(torch)


def test_format_of_a_vector_takes_no_spec():
    assert f"{kagari.ones(2)}" == "tensor([1., 1.])"
    with pytest.raises(TypeError):
        format(kagari.ones(2), ".2f")


def test_large_tensors_print_at_once():
    assert "..." in repr(kagari.zeros(3000, 3000))


NAMED = {
    "max": lambda t: t.tensor([[1.0, 3.0], [2.0, 0.0]]).max(1),
    "sort": lambda t: t.tensor([[1.0, 3.0], [2.0, 0.0]]).sort(),
    "slogdet": lambda t: t.linalg.slogdet(t.eye(2)),
    "sum": lambda t: t.ones(2, requires_grad=True).sum(),
    "sum_dim": lambda t: t.ones(2, 2, requires_grad=True).sum(0),
    "mean": lambda t: t.ones(2, requires_grad=True).mean(),
    "mean_dim": lambda t: t.ones(2, 2, requires_grad=True).mean(0),
    "prod": lambda t: t.ones(2, requires_grad=True).prod(),
}


@pytest.mark.parametrize("name", NAMED)
def test_results(name):
    assert repr(NAMED[name](kagari)) == repr(NAMED[name](torch))
