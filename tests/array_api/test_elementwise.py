"""Elementwise functions of the array API standard: dtypes, broadcasting, special cases."""

import itertools

import numpy
import pytest

import kagari

from .beside_numpy import ALL, COMPLEX, INTEGERS, NUMERIC, REAL, agree, ours, same, values, xp

FLOATING = REAL + COMPLEX
UNARY = {
    **dict.fromkeys("abs negative positive square sign round".split(), NUMERIC),
    **dict.fromkeys("ceil floor trunc".split(), INTEGERS + REAL),
    **dict.fromkeys("isfinite isinf isnan".split(), NUMERIC),
    **dict.fromkeys("conj real imag".split(), NUMERIC),
    **dict.fromkeys(
        "acos acosh asin asinh atan atanh cos cosh exp expm1 log log1p log2 log10 reciprocal sin "
        "sinh sqrt tan tanh".split(),
        FLOATING,
    ),
    "signbit": REAL,
    "bitwise_invert": ("bool", *INTEGERS),
    "logical_not": ("bool",),
}
BINARY = {
    **dict.fromkeys("add multiply subtract".split(), NUMERIC),
    "divide": FLOATING,
    "pow": NUMERIC,
    **dict.fromkeys("equal not_equal".split(), ALL),
    **dict.fromkeys(
        "floor_divide remainder greater greater_equal less less_equal maximum minimum".split(),
        INTEGERS + REAL,
    ),
    **dict.fromkeys("atan2 copysign hypot logaddexp nextafter".split(), REAL),
    **dict.fromkeys("bitwise_and bitwise_or bitwise_xor".split(), ("bool", *INTEGERS)),
    **dict.fromkeys("bitwise_left_shift bitwise_right_shift".split(), INTEGERS),
    **dict.fromkeys("logical_and logical_or logical_xor".split(), ("bool",)),
}


def operands(name, dtype, *shapes):
    """Arrays on which the function is defined for that dtype."""
    arrays = [values(dtype, shape, seed) for seed, shape in enumerate(shapes)]
    if name in ("floor_divide", "remainder", "divide"):
        arrays[1][arrays[1] == 0] = 1
    if name == "pow" and dtype in INTEGERS:
        arrays = [numpy.abs(a) % 3 for a in arrays]
    if "shift" in name:
        arrays[1] = numpy.abs(arrays[1]) % 4
    return arrays


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n, dtypes in UNARY.items() for d in dtypes])
def test_unary(name, dtype):
    (array,) = operands(name, dtype, (3, 5))
    with numpy.errstate(all="ignore"):
        agree(name, array)
        agree(name, array[0, 0])


@pytest.mark.parametrize(
    ("name", "dtype"), [(n, d) for n, dtypes in BINARY.items() for d in dtypes]
)
def test_binary(name, dtype):
    for shapes in [((3, 4), (3, 4)), ((3, 1), (1, 4)), ((2, 3), ()), ((0, 2), (2,))]:
        agree(name, *operands(name, dtype, *[s or (1,) for s in shapes]))


@pytest.mark.parametrize("name", ["add", "maximum", "less", "atan2", "copysign"])
def test_numbers_on_either_side(name):
    array = values("float32", 6)
    for number in (2, -1.5):
        agree(name, array, number)
        agree(name, number, array)


def test_mixed_dtypes_and_ranks():
    for a, b in [("int8", "int32"), ("uint8", "int8"), ("float32", "float64"), ("uint16", "int16")]:
        for name in ("add", "less", "maximum"):
            agree(name, values(a, (3,)), numpy.asarray(values(b, ())))
    agree("multiply", values("float32", 3), values("complex128", 3))


def test_shapes_that_do_not_broadcast():
    with pytest.raises(RuntimeError):
        xp.add(kagari.ones(2), kagari.ones(3))


# --- special cases: signed zeros, infinities, NaN -------------------------------------------------

SPECIAL = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 2.0, -3.0, 1e30, -1e30]
SPECIAL += [float("inf"), float("-inf"), float("nan")]


def identical(found, wanted, rtol):
    """Equal up to rounding; infinities, NaN and the signs of zeros exactly."""
    found = found.numpy()
    numpy.testing.assert_allclose(found, wanted, rtol, atol=0)
    if wanted.dtype.kind == "f":
        zero = wanted == 0
        numpy.testing.assert_array_equal(numpy.signbit(found[zero]), numpy.signbit(wanted[zero]))


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("name", [n for n, dtypes in UNARY.items() if "float32" in dtypes])
def test_special_cases(name, dtype):
    array = numpy.array(SPECIAL, dtype)
    with numpy.errstate(all="ignore"):
        wanted = getattr(numpy, name)(array)
    identical(getattr(xp, name)(ours(array)), wanted, 1e-5 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("dtype", REAL)
@pytest.mark.parametrize("name", [n for n, dtypes in BINARY.items() if "float32" in dtypes])
def test_special_cases_of_pairs(name, dtype):
    pairs = numpy.array(list(itertools.product(SPECIAL, SPECIAL)), dtype)
    a, b = pairs[:, 0].copy(), pairs[:, 1].copy()
    with numpy.errstate(all="ignore"):
        wanted = getattr(numpy, name)(a, b)
    found = getattr(xp, name)(ours(a), ours(b))
    identical(found, wanted, 1e-5 if dtype == "float32" else 1e-12)


def same_parts(name, parts, size_only=()):
    """Real and imaginary parts as NumPy's, which follow C99's tables; of the infinities of
    `size_only`, whose sign the tables leave open, the size."""
    array = numpy.array([complex(a, b) for a, b in itertools.product(parts, parts)])
    with numpy.errstate(all="ignore"):
        wanted = getattr(numpy, name)(array)
    found = getattr(xp, name)(ours(array)).numpy()
    for part in (numpy.real, numpy.imag):
        one, other = part(found), part(wanted)
        if name in size_only:
            open_sign = numpy.isinf(other) & ~numpy.isfinite(array.real)
            one, other = (numpy.where(open_sign, abs(x), x) for x in (one, other))
        numpy.testing.assert_allclose(one, other, 1e-12, atol=1e-12)


PARTS = [0.0, -0.0, 1.0, -1.0, float("inf"), float("-inf"), float("nan")]
COMPLEX_FUNCTIONS = "exp log log1p sqrt sin cos tan sinh cosh tanh asin acos atan asinh acosh"
COMPLEX_FUNCTIONS += " atanh abs isfinite isinf isnan"


@pytest.mark.parametrize("name", [*COMPLEX_FUNCTIONS.split(), "expm1"])
def test_zeros_of_complex_numbers(name):
    same_parts(name, [0.0, -0.0, 1.0, -1.0, 2.5])


@pytest.mark.parametrize("name", COMPLEX_FUNCTIONS.split())
def test_special_cases_of_complex_numbers(name):
    same_parts(name, PARTS, size_only=("sin",))


def test_special_cases_of_expm1():
    """As exp(z) - 1; NumPy makes the imaginary part NaN where it is zero beside an infinity."""
    array = numpy.array([complex(a, b) for a, b in itertools.product(PARTS, PARTS)])
    with numpy.errstate(all="ignore"):
        wanted = numpy.exp(array)
    found = xp.expm1(ours(array)).numpy()
    inexact = {"rtol": 1e-12, "atol": 1e-12}
    numpy.testing.assert_allclose(found.real, wanted.real - 1, **inexact)
    numpy.testing.assert_allclose(found.imag, wanted.imag, **inexact)


# --- clip ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "float64"])
def test_clip(dtype):
    array = values(dtype, (3, 4))
    for low, high in [(1, 3), (None, 2), (1, None), (None, None)]:
        agree("clip", array, low, high)
    low, high = values(dtype, (4,), 1), values(dtype, (3, 1), 2)
    agree("clip", array, numpy.minimum(low, 2), numpy.full((3, 1), 4, dtype))
    agree("clip", array, None, high)
    agree("clip", array, numpy.minimum(low, 2), 4)
    assert xp.clip(ours(array)) is not ours(array)


def test_clip_keeps_the_dtype():
    x = kagari.tensor([1.0, 5.0])
    found = xp.clip(x, kagari.tensor(2.0, dtype=kagari.float64), None)
    same(found, numpy.array([2, 5], "float32"))
