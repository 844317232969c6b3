"""Comparing functions of the namespace with NumPy's of the same name, dtypes included."""

import numpy

import kagari

xp = kagari.array_api
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
REAL = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
NUMERIC = INTEGERS + REAL + COMPLEX
ALL = ("bool", *NUMERIC)


def values(dtype, shape, seed=0):
    """An array of small numbers of that dtype, with repetitions."""
    random = numpy.random.default_rng(seed)
    if dtype == "bool":
        return random.random(shape) < 0.5
    if dtype in INTEGERS:
        return random.integers(-5 if dtype in SIGNED else 0, 9, shape).astype(dtype)
    made = random.integers(-8, 9, shape) / 4
    if dtype in COMPLEX:
        made = made + 1j * random.integers(-8, 9, shape) / 4
    return made.astype(dtype)


def ours(value):
    """NumPy arrays as tensors, NumPy dtypes as kagari's, in tuples and lists too."""
    if isinstance(value, numpy.ndarray | numpy.generic):
        return kagari.from_numpy(numpy.array(value))
    if isinstance(value, list | tuple):
        return type(value)(ours(part) for part in value)
    if isinstance(value, numpy.dtype):
        return getattr(kagari, value.name)
    return value


def same(found, wanted, rtol=1e-5, atol=1e-6):
    """Shape, dtype and values; of each part of a tuple."""
    if isinstance(wanted, list | tuple):
        assert len(found) == len(wanted)
        for part, other in zip(found, wanted, strict=True):
            same(part, other, rtol, atol)
        return
    wanted = numpy.asarray(wanted)
    assert isinstance(found, kagari.Tensor)
    assert str(found.dtype) == f"torch.{wanted.dtype.name}"
    assert tuple(found.shape) == wanted.shape
    if wanted.dtype.kind in "biu":
        numpy.testing.assert_array_equal(found.numpy(), wanted)
    else:
        numpy.testing.assert_allclose(found.numpy(), wanted, rtol, atol)


def agree(name, *args, rtol=1e-5, atol=1e-6, **options):
    """kagari.array_api.<name> on these arguments as numpy.<name>."""
    function, theirs = xp, numpy
    for part in name.split("."):
        function, theirs = getattr(function, part), getattr(theirs, part)
    with numpy.errstate(all="ignore"):
        wanted = theirs(*args, **options)
    own = {key: ours(value) for key, value in options.items()}
    same(function(*(ours(a) for a in args), **own), wanted, rtol, atol)
