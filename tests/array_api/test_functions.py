"""Creation, reductions, shapes, searching, sorting and sets of the array API standard."""

import numpy
import pytest

import kagari

from .beside_numpy import ALL, COMPLEX, INTEGERS, NUMERIC, REAL, agree, ours, same, values, xp

AXES = [None, 0, 1, -1, (0, 2), (), (0, 1, 2)]


# --- creation ------------------------------------------------------------------------------------


def test_arange():
    for args in [(5,), (2, 7), (0, 10, 3), (5, 0, -2), (5, 0), (0, 5, -1), (0, 1, 0.25), (2.5,)]:
        wanted = numpy.arange(*args)
        found = xp.arange(*args)
        numpy.testing.assert_allclose(found.numpy(), wanted)
        assert found.dtype is (kagari.int64 if wanted.dtype.kind == "i" else kagari.float32)
    assert xp.arange(3, dtype=xp.uint8).dtype is kagari.uint8


def test_asarray():
    array = numpy.arange(3)
    x = kagari.arange(3)
    assert xp.asarray(x) is x and xp.asarray(x, copy=True) is not x
    assert xp.asarray(array).data_ptr() == array.ctypes.data
    assert xp.asarray(array, copy=True).data_ptr() != array.ctypes.data
    for obj, dtype in [(True, "bool"), (1, "int64"), (1.5, "float32"), (1j, "complex64")]:
        assert xp.asarray(obj).dtype is getattr(kagari, dtype) is xp.asarray([obj, obj]).dtype
    with pytest.raises(ValueError, match="copy"):
        xp.asarray([1, 2], copy=False)
    with pytest.raises(ValueError, match="copy"):
        xp.asarray(x, dtype=xp.float32, copy=False)


@pytest.mark.parametrize("name", ["zeros", "ones", "empty"])
def test_filled(name):
    for shape in (3, (), (2, 0), (2, 3)):
        found = getattr(xp, name)(shape)
        assert found.shape == numpy.empty(shape).shape and found.dtype is kagari.float32
    for dtype in ALL:
        array = values(dtype, (2, 3))
        like = getattr(xp, f"{name}_like")(ours(array))
        made = getattr(xp, name)((2, 3), dtype=getattr(kagari, dtype))
        for found in (like, made) if name != "empty" else ():
            same(found, getattr(numpy, f"{name}_like")(array))
        assert getattr(xp, f"{name}_like")(ours(array), dtype=xp.int8).dtype is kagari.int8


def test_full():
    for value, dtype in [(True, "bool"), (2, "int64"), (1.5, "float32"), (1j, "complex64")]:
        same(xp.full((2, 3), value), numpy.full((2, 3), value, dtype))
        same(xp.full(3, value), numpy.full(3, value, dtype))
    same(xp.full_like(kagari.ones(2, dtype=xp.int8), 7), numpy.array([7, 7], "int8"))
    same(xp.full((), 7, dtype=xp.float64), numpy.array(7.0))


def test_eye():
    for args in [(3,), (2, 4), (4, 2), (0, 3)]:
        for k in (-5, -1, 0, 2, 5):
            same(xp.eye(*args, k=k), numpy.eye(*args, k=k, dtype="float32"))
    assert xp.eye(2, dtype=xp.int16, k=1).dtype is kagari.int16


def test_linspace():
    for args in [(0, 1, 5), (2, -3, 7), (1, 1, 1), (0.5, 2, 0), (0, 1j, 3)]:
        for endpoint in (True, False):
            wanted = numpy.linspace(*args, endpoint=endpoint)
            small = "complex64" if wanted.dtype.kind == "c" else "float32"
            same(xp.linspace(*args, endpoint=endpoint), wanted.astype(small))
    agree("linspace", 0, 10, 5, dtype=numpy.dtype("float64"))


def test_meshgrid_and_triangles():
    a, b, c = values("int32", 2), values("int32", 3), values("int32", 4)
    for indexing in ("xy", "ij"):
        agree("meshgrid", a, b, c, indexing=indexing)
        agree("meshgrid", a, indexing=indexing)
    assert xp.meshgrid() == [] and isinstance(xp.meshgrid(ours(a)), list)
    for dtype in ALL:
        for k in (-2, 0, 1):
            agree("tril", values(dtype, (2, 3, 4)), k=k)
            agree("triu", values(dtype, (2, 3, 4)), k=k)


# --- reductions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint64", "float32", "complex128"])
def test_sum_and_prod(dtype, axis):
    array = values(dtype, (2, 3, 2)) + numpy.array(1, dtype)
    for keepdims in (False, True):
        agree("sum", array, axis=axis, keepdims=keepdims)
        agree("prod", array, axis=axis, keepdims=keepdims, rtol=1e-4)
    agree("sum", array, axis=axis, dtype=numpy.dtype("complex64"))
    agree("count_nonzero", array, axis=axis)


@pytest.mark.parametrize("dtype", ALL)
def test_dtypes_of_sums(dtype):
    if dtype == "bool":
        return  # not defined
    array = values(dtype, (3, 2))
    for name in ("sum", "prod", "cumulative_sum", "cumulative_prod"):
        agree(name, array, axis=0, rtol=1e-4)


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("dtype", INTEGERS + REAL)
def test_max_and_min(dtype, axis):
    array = values(dtype, (2, 3, 2))
    for keepdims in (False, True):
        agree("max", array, axis=axis, keepdims=keepdims)
        agree("min", array, axis=axis, keepdims=keepdims)


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("dtype", REAL)
def test_mean_var_std(dtype, axis):
    array = values(dtype, (4, 3, 2))
    for keepdims in (False, True):
        agree("mean", array, axis=axis, keepdims=keepdims)
        agree("var", array, axis=axis, keepdims=keepdims)
        if axis != ():
            agree("var", array, axis=axis, correction=1.0)
            agree("std", array, axis=axis, keepdims=keepdims, correction=0.5)


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("dtype", ["bool", "uint8", "float32", "complex64"])
def test_all_and_any(dtype, axis):
    for array in (values(dtype, (2, 3, 2)), numpy.ones((2, 3, 2), dtype)):
        agree("all", array, axis=axis)
        agree("any", array, axis=axis, keepdims=True)
    agree("all", numpy.ones((0, 2), dtype))


def test_reductions_of_numbers_and_nan():
    agree("sum", numpy.array(3.0))
    agree("max", numpy.array(3, "int8"))
    nan = numpy.array([1.0, numpy.nan, 2.0])
    for name in ("max", "min", "sum", "prod", "mean", "std"):
        agree(name, nan)


def test_cumulative():
    array = values("float64", (2, 3))
    for name in ("cumulative_sum", "cumulative_prod"):
        for axis in (0, 1, -1):
            agree(name, array, axis=axis, include_initial=True)
            agree(name, array, axis=axis, dtype=numpy.dtype("complex64"))
        agree(name, array[0])
        with pytest.raises(ValueError, match="axis"):
            getattr(xp, name)(ours(array))


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "complex64"])
def test_diff(dtype):
    array, more = values(dtype, (3, 4)), values(dtype, (3, 2), 1)
    for n in range(5):
        agree("diff", array, n=n)
    agree("diff", array, axis=0)
    agree("diff", array, prepend=more, append=more, n=2)


# --- shapes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ALL)
def test_shapes(dtype):
    array = values(dtype, (2, 3, 4))
    agree("broadcast_to", array, (5, 2, 3, 4))
    agree("expand_dims", array, axis=1)
    agree("flip", array)
    agree("flip", array, axis=(0, -1))
    agree("moveaxis", array, (0, 1), (-1, 0))
    agree("permute_dims", array, (2, 0, 1))
    agree("matrix_transpose", array)
    agree("reshape", array, (4, -1))
    agree("roll", array, 3)
    agree("roll", array, (1, -2), axis=(0, 2))
    agree("tile", array, (2, 1, 1, 2))
    agree("tile", array, (2,))
    agree("repeat", array, 2)
    agree("repeat", array, numpy.array([1, 0, 2]), axis=1)
    agree("squeeze", array[:, :1], axis=1)
    agree("squeeze", array[:1, :1], axis=(0, 1))
    agree("unstack", array, axis=1)
    agree("concat", [array, array[:1]], axis=0)
    agree("concat", [array, array], axis=None)
    agree("stack", [array, array], axis=-1)
    agree("broadcast_arrays", array, array[:, :1], array[0, 0, 0])


def test_wrong_shapes():
    x = kagari.ones(2, 3)
    with pytest.raises(ValueError, match="expected size 1"):
        xp.squeeze(x, 0)
    with pytest.raises(IndexError):
        xp.expand_dims(x, axis=5)
    with pytest.raises(ValueError, match="copy"):
        xp.reshape(x.mT, (6,), copy=False)
    assert xp.reshape(x, (6,), copy=False).data_ptr() == x.data_ptr()
    assert xp.reshape(x, (6,), copy=True).data_ptr() != x.data_ptr()


# --- searching, sorting, sets --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", INTEGERS + REAL)
def test_searching(dtype):
    array = values(dtype, (3, 4))
    for name in ("argmax", "argmin"):
        for axis in (None, 0, 1, -1):
            agree(name, array, axis=axis)
            agree(name, array, axis=axis, keepdims=True)
    agree("nonzero", array)
    ordered = numpy.sort(values(dtype, 6))
    for side in ("left", "right"):
        agree("searchsorted", ordered, array, side=side)
    agree("searchsorted", ordered[::-1].copy(), array, sorter=numpy.arange(6)[::-1].copy())
    agree("where", array > 2, array, 1)


def test_mixed_dtypes_in_searchsorted():
    agree("searchsorted", values("int8", 3) * 0, numpy.array([1, 2], "int64"))


@pytest.mark.parametrize("dtype", ALL)
def test_take(dtype):
    array = values(dtype, (3, 4))
    for index_dtype in ("uint8", "int32", "int64"):
        agree("take", array, numpy.array([2, 0, 2], index_dtype), axis=1)
    agree("take", array[0], numpy.array([-1, 1]))
    order = numpy.argsort(values("int64", (3, 4), 5), axis=-1)
    agree("take_along_axis", array, order)
    agree("take_along_axis", array, order[:1] - 4, axis=1)
    with pytest.raises(ValueError, match="axis"):
        xp.take(ours(array), kagari.tensor([0]))
    with pytest.raises(IndexError):
        xp.take(ours(array), kagari.tensor([9]), axis=0)


@pytest.mark.parametrize("dtype", INTEGERS + REAL)
def test_sort(dtype):
    array = values(dtype, (3, 40))
    for axis in (0, -1):
        agree("sort", array, axis=axis)
        agree("argsort", array, axis=axis, stable=True)
        same(
            xp.sort(ours(array), axis=axis, descending=True),
            numpy.flip(numpy.sort(array, axis=axis), axis),
        )
    down = xp.argsort(ours(array[0]), descending=True).numpy()
    wanted = sorted(range(40), key=lambda i: (-float(array[0, i]), i))  # ties keep their order
    assert down.tolist() == wanted


@pytest.mark.parametrize("dtype", ALL)
def test_unique(dtype):
    array = values(dtype, (4, 5))
    agree("unique_all", array)
    agree("unique_counts", array)
    agree("unique_inverse", array)
    same(xp.unique_values(ours(array)), numpy.unique(array))
    assert xp.unique_all(ours(array))._fields == ("values", "indices", "inverse_indices", "counts")
    assert xp.unique_counts(ours(array))._fields == ("values", "counts")
    assert xp.unique_inverse(ours(array))._fields == ("values", "inverse_indices")
    assert xp.unique_values(ours(array[:0])).shape == (0,)


def test_every_nan_is_unique():
    found = xp.unique_counts(kagari.tensor([float("nan"), 1.0, float("nan"), -0.0, 0.0]))
    assert found.counts.tolist() == [2, 1, 1, 1]


# --- sorting out what is differentiable ----------------------------------------------------------


@pytest.mark.parametrize("name", ["sum", "mean", "std", "prod", "max", "cumulative_sum"])
def test_gradients_pass_through(name):
    x = kagari.tensor([1.0, 3.0, 2.0], requires_grad=True)
    getattr(xp, name)(x).sum().backward()
    assert x.grad is not None and x.grad.abs().sum() > 0


@pytest.mark.parametrize("dtype", NUMERIC)
def test_products_of_arrays(dtype):
    a, b = values(dtype, (2, 3, 4)), values(dtype, (2, 4, 3), 1)
    agree("matmul", a, b)
    agree("matmul", a[0, 0], b[0])
    agree("tensordot", a, b, axes=([1, 2], [2, 1]))
    agree("tensordot", a[0], b[0], axes=1)
    agree("tensordot", a[0], b[0], axes=0)
    agree("vecdot", a, b.swapaxes(1, 2))
    agree("vecdot", a, a, axis=-2)
    agree("vecdot", a[0], a[0, 0])
    agree("linalg.outer", a[0, 0], b[0, 0])
    agree("linalg.trace", a)
    agree("linalg.trace", a, offset=1, dtype=numpy.dtype("complex128"))
    agree("linalg.diagonal", a, offset=-1)
    agree("linalg.cross", a[..., :3], b[:, :3])
    agree("linalg.cross", a, a[:1], axis=1)


def test_products_promote():
    agree("matmul", values("float32", (2, 2)), values("float64", (2, 2)))
    agree("vecdot", values("int8", 3), values("int32", 3))
    assert set(COMPLEX) <= set(NUMERIC)
