"""dtypes, devices, sizes, promotion, limits: attributes, text, identity, errors."""

import copy
import itertools
import pickle

import pytest
import torch

import kagari

NAMES = (
    "bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 "
    "complex32 complex64 complex128"
).split()
FLOATS = "float16 bfloat16 float32 float64".split()


@pytest.mark.parametrize("name", NAMES)
def test_attributes(name):
    ours, theirs = getattr(kagari, name), getattr(torch, name)
    assert repr(ours) == str(ours) == repr(theirs)
    for attribute in ("is_floating_point", "is_complex", "is_signed", "itemsize"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    assert repr(ours.to_real()) == repr(theirs.to_real())
    assert pickle.loads(pickle.dumps(ours)) is ours
    assert copy.deepcopy(ours) is ours and copy.copy(ours) is ours
    assert hash(ours) == hash(ours) and ours == ours and ours != "float32"


def test_short_names():
    for name in "half float double short int long chalf cfloat cdouble".split():
        assert repr(getattr(kagari, name)) == repr(getattr(torch, name))


@pytest.mark.parametrize("name", [*FLOATS, "complex32", "complex64", "complex128"])
def test_to_complex(name):
    assert repr(getattr(kagari, name).to_complex()) == repr(getattr(torch, name).to_complex())


def test_integers_have_no_complex_counterpart():
    with pytest.raises(RuntimeError, match="complex counterpart"):
        kagari.int32.to_complex()


def test_dtypes_cannot_be_made():
    with pytest.raises(TypeError):
        type(kagari.float32)()


@pytest.mark.parametrize("a, b", itertools.product(NAMES, NAMES))
def test_promotion(a, b):
    def result(library):
        try:
            return repr(library.promote_types(getattr(library, a), getattr(library, b)))
        except RuntimeError:
            return "error"

    ours, theirs = result(kagari), result(torch)
    if theirs == "error" and {a, b} & {"bool", "complex32", "complex64", "complex128"}:
        theirs = ours  # nothing is lost, so there is no need for an error
    assert ours == theirs
    assert kagari.can_cast(getattr(kagari, a), getattr(kagari, b)) == torch.can_cast(
        getattr(torch, a), getattr(torch, b)
    )


OPERANDS = {
    **{f"{n}_1d": lambda t, n=n: t.ones(1, dtype=getattr(t, n)) for n in NAMES[:6] + NAMES[9:]},
    **{f"{n}_0d": lambda t, n=n: t.ones((), dtype=getattr(t, n)) for n in NAMES[:6] + NAMES[9:]},
    "py_bool": lambda t: True,
    "py_int": lambda t: 1,
    "py_float": lambda t: 1.5,
    "py_complex": lambda t: 1j,
}


@pytest.mark.parametrize("a", OPERANDS)
def test_result_type(a):
    for b in OPERANDS:
        ours = kagari.result_type(OPERANDS[a](kagari), OPERANDS[b](kagari))
        theirs = torch.result_type(OPERANDS[a](torch), OPERANDS[b](torch))
        assert repr(ours) == repr(theirs), b


@pytest.mark.parametrize("name", [*FLOATS, "complex32", "complex64", "complex128"])
def test_finfo(name):
    ours, theirs = kagari.finfo(getattr(kagari, name)), torch.finfo(getattr(torch, name))
    assert repr(ours) == repr(theirs)
    for attribute in "bits eps max min tiny smallest_normal resolution dtype".split():
        assert getattr(ours, attribute) == getattr(theirs, attribute)


@pytest.mark.parametrize("name", "uint8 int8 int16 int32 int64 uint16 uint32".split())
def test_iinfo(name):
    ours, theirs = kagari.iinfo(getattr(kagari, name)), torch.iinfo(getattr(torch, name))
    assert repr(ours) == repr(theirs)
    for attribute in ("bits", "max", "min", "dtype"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)


def test_limits_of_the_wrong_kind():
    for make in (
        lambda t: t.finfo(t.int8),
        lambda t: t.iinfo(t.float32),
        lambda t: t.iinfo(t.bool),
        lambda t: t.finfo(3),
    ):
        for library in (kagari, torch):
            with pytest.raises(TypeError):
                make(library)
    assert kagari.iinfo(kagari.uint64).max == 2**64 - 1


def test_default_dtype():
    for bad in (kagari.int32, 3, kagari.complex64):
        with pytest.raises(TypeError):
            kagari.set_default_dtype(bad)
    assert kagari.get_default_dtype() is kagari.float32
    kagari.set_default_dtype(kagari.float64)
    try:
        assert (kagari.tensor([1]) / 2).dtype is kagari.float64
        assert kagari.zeros(1).dtype is kagari.float64
    finally:
        kagari.set_default_dtype(kagari.float32)


# --- devices -----------------------------------------------------------------------------------

DEVICES = {
    "cpu": lambda t: t.device("cpu"),
    "index": lambda t: t.device("cpu", 1),
    "string_index": lambda t: t.device("cuda:1"),
    "keywords": lambda t: t.device(type="cuda", index=1),
    "meta": lambda t: t.device("meta"),
    "copy": lambda t: t.device(t.device("cpu")),
}


@pytest.mark.parametrize("name", DEVICES)
def test_devices(name):
    ours, theirs = DEVICES[name](kagari), DEVICES[name](torch)
    assert repr(ours) == repr(theirs) and str(ours) == str(theirs)
    assert (ours.type, ours.index) == (theirs.type, theirs.index)
    assert pickle.loads(pickle.dumps(ours)) == ours
    assert copy.deepcopy(ours) == ours and hash(DEVICES[name](kagari)) == hash(ours)


@pytest.mark.parametrize(
    "make",
    [
        lambda t: t.device("foo"),
        lambda t: t.device("cpu:x"),
        lambda t: t.device("cpu", -1),
        lambda t: t.device("cuda:1", 1),
        lambda t: t.device(3.5),
        lambda t: t.device(),
        lambda t: t.device("cuda:999999999999999999999"),
        lambda t: t.device(""),
        lambda t: t.device("cpu:-1"),
    ],
)
def test_bad_devices(make):
    with pytest.raises(Exception) as theirs:
        make(torch)
    with pytest.raises(Exception) as ours:
        make(kagari)
    assert ours.type is theirs.type


def test_devices_compare_by_value():
    assert kagari.device("cpu") == kagari.device("cpu")
    assert kagari.device("cpu") != kagari.device("cpu:0")
    assert kagari.device("cpu") != "cpu"
    with pytest.raises(TypeError):
        kagari.device("cpu") < kagari.device("meta")  # noqa: B015


def test_default_device():
    with kagari.device("meta"):
        assert kagari.ones(2).is_meta
        with kagari.device("cpu"):
            assert kagari.ones(2).is_cpu
        assert kagari.arange(3).is_meta
    kagari.set_default_device("meta")
    try:
        assert kagari.zeros(2).is_meta and kagari.get_default_device().type == "meta"
    finally:
        kagari.set_default_device(None)
    assert kagari.zeros(2).is_cpu


# --- sizes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "use",
    [
        lambda s, t: s,
        lambda s, t: s + (3,),
        lambda s, t: (3,) + s,
        lambda s, t: s * 2,
        lambda s, t: 2 * s,
        lambda s, t: s[:1],
        lambda s, t: s[-1],
        lambda s, t: s + s,
        lambda s, t: s.numel(),
        lambda s, t: t.Size(),
        lambda s, t: t.Size([True]),
        lambda s, t: t.Size([t.tensor(3)]),
        lambda s, t: list(s),
        lambda s, t: s == (2, 3),
        lambda s, t: hash(s) == hash((2, 3)),
        lambda s, t: pickle.loads(pickle.dumps(s)),
        lambda s, t: copy.deepcopy(s),
        lambda s, t: s.index(3),
        lambda s, t: s.count(2),
    ],
)
def test_sizes(use):
    ours, theirs = use(kagari.Size([2, 3]), kagari), use(torch.Size([2, 3]), torch)
    assert repr(ours) == repr(theirs) and type(ours).__name__ == type(theirs).__name__


@pytest.mark.parametrize(
    "use",
    [
        lambda t: t.Size([1.5]),
        lambda t: t.Size(["a"]),
        lambda t: t.Size(3),
        lambda t: t.Size([t.tensor(3.0)]),
        lambda t: t.Size([1]) + [1],
        lambda t: [1] + t.Size([1]),
        lambda t: t.Size([1])[2],
    ],
)
def test_bad_sizes(use):
    with pytest.raises(Exception) as theirs:
        use(torch)
    with pytest.raises(Exception) as ours:
        use(kagari)
    assert ours.type is theirs.type


def test_layout_constants():
    for name in "strided contiguous_format channels_last channels_last_3d preserve_format".split():
        ours = getattr(kagari, name)
        assert repr(ours) == repr(getattr(torch, name))
        assert pickle.loads(pickle.dumps(ours)) is ours and copy.deepcopy(ours) is ours
    assert kagari.ones(1).layout is kagari.strided
