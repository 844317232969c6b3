"""Dtype functions of the array API standard, against NumPy where the standard defines a result."""

import itertools

import numpy
import pytest

import kagari

from .beside_numpy import ALL, COMPLEX, INTEGERS, REAL, SIGNED, UNSIGNED, xp


def defined(a, b):
    """Does the standard have a promotion for these dtypes?"""
    if a == b:
        return True
    if a in INTEGERS and b in INTEGERS:
        signed = {a, b} & set(SIGNED)
        return not ("uint64" in (a, b) and signed)
    return a in REAL + COMPLEX and b in REAL + COMPLEX


PAIRS = [pair for pair in itertools.product(ALL, ALL) if defined(*pair)]


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=lambda x: x)
def test_promotion(a, b):
    wanted = getattr(kagari, numpy.result_type(a, b).name)
    x, y = kagari.ones(2, dtype=getattr(kagari, a)), kagari.ones((), dtype=getattr(kagari, b))
    assert xp.result_type(x.dtype, y.dtype) is xp.result_type(x, y) is wanted
    assert xp.result_type(y, x.dtype) is wanted
    if wanted is not kagari.bool:
        assert xp.add(x, y).dtype is xp.multiply(y, x).dtype is wanted  # 0-d counts in full
    assert xp.where(x == x, x, y).dtype is wanted
    assert xp.concat([x, y[None]]).dtype is wanted
    assert xp.can_cast(x, y.dtype) is (wanted is y.dtype)


def test_more_than_two():
    dtypes = [kagari.int8, kagari.uint8, kagari.int32]
    assert all(xp.result_type(*p) is kagari.int32 for p in itertools.permutations(dtypes))


@pytest.mark.parametrize(
    ("dtype", "number", "wanted"),
    [
        ("bool", True, "bool"),
        ("int8", 1, "int8"),
        ("uint64", True, "uint64"),
        ("float32", 1, "float32"),
        ("float32", 1.5, "float32"),
        ("float32", 1j, "complex64"),
        ("float64", 1j, "complex128"),
        ("complex64", 1.5, "complex64"),
        ("int32", 1.5, "float32"),
    ],
)
def test_python_numbers(dtype, number, wanted):
    x = kagari.ones(3, dtype=getattr(kagari, dtype))
    assert xp.result_type(x, number) is xp.result_type(number, x) is getattr(kagari, wanted)
    if dtype != "bool":
        assert xp.multiply(number, x).dtype is xp.multiply(x, number).dtype
        assert xp.multiply(number, x).dtype is getattr(kagari, wanted)


def test_wrong_input_of_result_type():
    with pytest.raises(TypeError, match="convert one"):
        xp.result_type(kagari.uint64, kagari.int8)
    with pytest.raises(ValueError, match="at least one array or dtype"):
        xp.result_type(1, 2.0)
    with pytest.raises(TypeError, match="got 'int8'"):
        xp.result_type("int8", kagari.int8)


def test_can_cast_follows_promotion_and_not_kinds():
    assert not xp.can_cast(kagari.int64, kagari.int32) and kagari.can_cast(
        kagari.int64, kagari.int32
    )
    assert not xp.can_cast(kagari.uint64, kagari.int64)
    assert not xp.can_cast(kagari.int32, kagari.float64)
    assert not xp.can_cast(kagari.bool, kagari.int8)


KINDS = "bool,signed integer,unsigned integer,integral,real floating,complex floating,numeric"


@pytest.mark.parametrize("kind", KINDS.split(","))
def test_isdtype(kind):
    for name in ALL:
        wanted = numpy.isdtype(numpy.dtype(name), kind)
        assert xp.isdtype(getattr(kagari, name), kind) is bool(wanted), name


def test_isdtype_of_several():
    assert xp.isdtype(kagari.int8, (kagari.bool, "integral"))
    assert xp.isdtype(kagari.int8, kagari.int8) and not xp.isdtype(kagari.int8, kagari.uint8)
    with pytest.raises(ValueError, match="kind"):
        xp.isdtype(kagari.int8, "integer")


@pytest.mark.parametrize("to", ALL)
@pytest.mark.parametrize("given", ["bool", "uint8", "int64", "float32", "complex64"])
def test_astype(given, to):
    if given == "complex64" and to not in COMPLEX:
        return  # not defined
    array = numpy.array([0, 1, 3]).astype(given)
    x = kagari.from_numpy(array)
    found = xp.astype(x, getattr(kagari, to))
    assert str(found.dtype) == f"torch.{to}"
    numpy.testing.assert_array_equal(found.numpy(), array.astype(to))
    assert xp.astype(x, x.dtype) is not x and xp.astype(x, x.dtype, copy=False) is x
    assert xp.astype(x, x.dtype, device="meta").is_meta


@pytest.mark.parametrize("name", REAL + COMPLEX)
def test_finfo(name):
    found, wanted = xp.finfo(getattr(kagari, name)), numpy.finfo(name)
    assert found == xp.finfo(kagari.ones(1, dtype=getattr(kagari, name)))
    assert found.dtype is getattr(kagari, wanted.dtype.name)
    for field in ("bits", "eps", "max", "min", "smallest_normal"):
        assert getattr(found, field) == getattr(wanted, field)
        assert type(getattr(found, field)) in (int, float)


@pytest.mark.parametrize("name", SIGNED + UNSIGNED)
def test_iinfo(name):
    found, wanted = xp.iinfo(getattr(kagari, name)), numpy.iinfo(name)
    assert (found.bits, found.max, found.min) == (wanted.bits, wanted.max, wanted.min)
    assert found.dtype is getattr(kagari, name)
