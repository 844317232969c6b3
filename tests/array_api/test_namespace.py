"""The namespace of the array API standard: names, signatures, what it says of itself, tensors."""

import inspect
import subprocess
import sys

import numpy
import pytest

import kagari

from .signatures import SIGNATURES

xp = kagari.array_api
WANTED = {line.split("(")[0]: line for line in SIGNATURES.strip().splitlines()}


def named(dotted):
    found = xp
    for part in dotted.split("."):
        found = getattr(found, part)
    return found


def problems(function, text):
    """Where a signature differs from the standard's: names, kinds and defaults of parameters."""
    scope = {}
    exec(f"def wanted{text[text.index('(') :]}: ...", scope)
    wanted = inspect.signature(scope["wanted"]).parameters.values()
    ours = list(inspect.signature(function).parameters.values())
    found = [] if len(ours) == len(wanted) else [f"{len(ours)} parameters"]
    for theirs, own in zip(wanted, ours, strict=False):
        given = theirs.default is not theirs.empty
        if theirs.name != own.name or theirs.kind is not own.kind:
            found.append(f"{own} for {theirs}")
        elif given and theirs.default != own.default:
            found.append(f"{own} for {theirs}")
    return found


@pytest.mark.parametrize("name", WANTED)
def test_signature(name):
    assert problems(named(name), WANTED[name]) == []
    assert named(name).__doc__


def test_the_signature_check_bites():
    assert problems(lambda x, y, /: x, "f(x, /, y)")
    assert problems(lambda x, /, y=1: x, "f(x, /, y=0)")
    assert problems(lambda x, /: x, "f(x, /, *, axis=None)")
    assert not problems(lambda x, /, *, axis=None: x, "f(x, /, *, axis=None)")


def test_constants_and_dtypes():
    assert xp.__array_api_version__ == "2024.12"
    assert (xp.e, xp.pi, xp.inf) == (numpy.e, numpy.pi, numpy.inf) and xp.nan != xp.nan
    assert xp.newaxis is None
    for name, dtype in xp.__array_namespace_info__().dtypes().items():
        assert getattr(xp, name) is dtype is getattr(kagari, name)


def test_what_it_says_of_itself():
    info = kagari.__array_namespace_info__()
    theirs = numpy.__array_namespace_info__()
    assert info.capabilities().keys() == theirs.capabilities().keys()
    assert info.default_device() in info.devices()
    assert info.default_dtypes() == {
        "real floating": kagari.float32,
        "complex floating": kagari.complex64,
        "integral": kagari.int64,
        "indexing": kagari.int64,
    }
    for kind in (None, "bool", "integral", "signed integer", "real floating", "numeric"):
        assert set(info.dtypes(kind=kind)) == set(theirs.dtypes(kind=kind)), kind
    assert set(info.dtypes(kind=("bool", "complex floating"))) == {
        "bool",
        "complex64",
        "complex128",
    }
    with pytest.raises(ValueError, match="kind: expected one of"):
        info.dtypes(kind="float")
    x = kagari.arange(4)
    assert x[x > 1].tolist() == [2, 3]  # "boolean indexing"
    assert kagari.ones([1] * 70).sum() == 1  # no limit to "max dimensions"


def test_default_dtypes_follow_the_default():
    kagari.set_default_dtype(kagari.float64)
    try:
        dtypes = kagari.__array_namespace_info__().default_dtypes()
        assert dtypes["complex floating"] is kagari.complex128
        assert xp.asarray(1.5).dtype is xp.linspace(0, 1, 3).dtype is kagari.float64
        assert xp.result_type(kagari.int8, 1.5) is kagari.float64
    finally:
        kagari.set_default_dtype(kagari.float32)


def test_tensors_name_it():
    x = kagari.ones(2, 3)
    assert x.__array_namespace__() is xp
    assert x.__array_namespace__(api_version="2024.12") is xp
    with pytest.raises(ValueError, match="api_version: expected one of"):
        x.__array_namespace__(api_version="1999.01")
    assert kagari.nn.Parameter(x).__array_namespace__() is xp


def test_attributes_of_arrays():
    x = kagari.ones(2, 3)
    assert x.ndim == 2 and x.shape == (2, 3) and x.device in xp.__array_namespace_info__().devices()
    assert x.T.shape == x.mT.shape == (3, 2)
    assert x.to_device(x.device) is x and x.to_device("meta").is_meta
    with pytest.raises(ValueError, match="stream"):
        x.to_device("cpu", stream=1)
    assert [1, 2, 3][kagari.tensor(1)] == 2
    assert complex(kagari.tensor(2.0)) == 2 and float(kagari.tensor(1.5)) == 1.5
    assert int(kagari.tensor(3)) == 3 and bool(kagari.tensor(1))


def test_it_is_loaded_when_it_is_named():
    program = "import sys, kagari; assert not [m for m in sys.modules if 'array_api' in m]"
    subprocess.run([sys.executable, "-c", program], check=True)
