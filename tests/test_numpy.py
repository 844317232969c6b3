"""Sharing memory with NumPy both ways, and NumPy functions on tensors."""

import gc
import io
import subprocess
import sys
import warnings
import weakref

import numpy
import pytest
import torch

import kagari

NAMES = (
    "bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 float32 float64 complex64 "
    "complex128"
).split()


@pytest.mark.parametrize("name", NAMES)
def test_both_ways(name):
    array = numpy.arange(6).reshape(2, 3).astype(name)
    tensor = kagari.from_numpy(array)
    assert str(tensor.dtype) == f"torch.{name}" and tuple(tensor.shape) == (2, 3)
    back = tensor.numpy()
    assert back.dtype == array.dtype and back.__array_interface__["data"][0] == array.ctypes.data
    array[0, 1] = 1
    assert tensor[0, 1].item() == 1
    numpy.testing.assert_array_equal(back, array)
    numpy.testing.assert_array_equal(numpy.asarray(tensor), array)


def test_longlong_is_int64():
    assert kagari.from_numpy(numpy.zeros(2, dtype=numpy.longlong)).dtype is kagari.int64
    assert kagari.from_numpy(numpy.zeros(2, dtype=numpy.ulonglong)).dtype is kagari.uint64


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a.T,
        lambda a: a[::2],
        lambda a: a[:, 1:],
        lambda a: a[1],
        lambda a: a[:0],
        lambda a: a[1, 2],
        lambda a: numpy.broadcast_to(a[:1], (4, 6)),
        lambda a: a[..., None],
    ],
    ids=["T", "step", "part", "row", "empty", "scalar", "broadcast", "axis"],
)
def test_layouts(view):
    array = view(numpy.arange(24.0).reshape(4, 6))
    array = numpy.asarray(array)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tensor, theirs = kagari.from_numpy(array), torch.from_numpy(array)
    assert tuple(tensor.shape) == array.shape
    assert tensor.stride() == theirs.stride()
    assert tensor.data_ptr() == theirs.data_ptr()
    numpy.testing.assert_array_equal(tensor.numpy(), array)
    if array.size:
        assert tensor.numpy().strides == theirs.numpy().strides


@pytest.mark.parametrize(
    "make",
    [
        lambda: numpy.arange(3)[::-1],
        lambda: numpy.arange(3, dtype=">i4"),
        lambda: numpy.array(["a"]),
        lambda: numpy.array([None]),
        lambda: numpy.array(["2020"], dtype="M8"),
        lambda: numpy.zeros(2, dtype=numpy.longdouble),
        lambda: numpy.zeros(3, dtype=[("a", "i1"), ("b", "i4")])["b"],
        lambda: [1, 2],
        lambda: 3,
        lambda: numpy.float32(3),
    ],
    ids="reversed byteorder str object dates long packed list int scalar".split(),
)
def test_errors_are_those_of_torch(make):
    with pytest.raises(Exception) as theirs:
        torch.from_numpy(make())
    with pytest.raises(Exception) as ours:
        kagari.from_numpy(make())
    assert ours.type is theirs.type, str(ours.value)


def test_read_only_arrays_warn():
    array = numpy.arange(3)
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="not writable"):
        kagari.from_numpy(array)


def test_memory_lives_as_long_as_it_is_seen():
    array = numpy.arange(5.0)
    gone = weakref.ref(array)
    tensor = kagari.from_numpy(array)
    del array
    gc.collect()
    assert gone() is not None and tensor.sum().item() == 10
    back = tensor.numpy()
    del tensor
    gc.collect()
    assert back.sum() == 10
    del back
    gc.collect()
    assert gone() is None


def test_array_outlives_the_tensor():
    tensor = kagari.arange(1000)
    array = tensor.numpy()
    del tensor
    gc.collect()
    kagari.zeros(1000)
    assert array[999] == 999


def test_tensor_with_an_array_on_it_cannot_be_resized():
    tensor = kagari.zeros(4)
    array = tensor.numpy()
    with pytest.raises(RuntimeError, match="not resizable"):
        tensor.resize_(10_000)
    assert array.sum() == 0


def test_what_cannot_become_an_array():
    with pytest.raises(RuntimeError, match="detach"):
        kagari.ones(2, requires_grad=True).numpy()
    with pytest.raises(RuntimeError, match="detach"):
        numpy.asarray(kagari.ones(2, requires_grad=True))
    with pytest.raises(TypeError, match="BFloat16"):
        kagari.ones(2, dtype=kagari.bfloat16).numpy()
    with pytest.raises(TypeError, match="meta"):
        kagari.ones(2, device="meta").numpy()
    assert kagari.ones(2, requires_grad=True).numpy(force=True).sum() == 2


def test_numpy_functions_on_tensors():
    values = [[0.5, 1.0], [2.0, 3.0]]
    for function in (numpy.sin, numpy.sqrt, numpy.floor, lambda t: numpy.add(t, t)):
        ours, theirs = function(kagari.tensor(values)), function(torch.tensor(values))
        assert type(ours) is kagari.Tensor
        numpy.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    greater = numpy.greater(kagari.tensor(values), 0.7)
    assert str(greater.dtype) == str(numpy.greater(torch.tensor(values), 0.7).dtype)


def test_arrays_from_tensors():
    tensor = kagari.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert numpy.asarray(tensor, dtype=numpy.int32).tolist() == [[1, 2], [3, 4]]
    assert numpy.array(tensor).tolist() == [[1, 2], [3, 4]]
    assert numpy.array([kagari.tensor(1.0), kagari.tensor(2.0)]).tolist() == [1, 2]
    copy = numpy.array(tensor)
    copy[0, 0] = 9
    assert tensor[0, 0].item() == 1
    assert tensor.__array_interface__["shape"] == (2, 2)
    assert not hasattr(kagari.ones(1, requires_grad=True), "__array_interface__")


def test_buffer_protocol():
    tensor = kagari.arange(6).reshape(2, 3)
    view = memoryview(tensor)
    assert view.shape == (2, 3) and view.format == "l" and view.tolist() == tensor.tolist()
    assert memoryview(tensor.t()).strides == (8, 24)
    assert bytes(kagari.tensor([1, 2], dtype=kagari.uint8).untyped_storage()) == b"\1\2"
    with pytest.raises(BufferError, match="contiguous"):
        io.BytesIO().write(tensor.t())
    for bad in (kagari.ones(1, requires_grad=True), kagari.ones(1, dtype=kagari.bfloat16)):
        with pytest.raises(BufferError):
            memoryview(bad)
    with pytest.raises(RuntimeError, match="not resizable"):
        tensor.resize_(100)


def test_numpy_is_imported_only_when_needed():
    program = "import sys, kagari; assert 'numpy' not in sys.modules; kagari.ones(1).numpy()"
    subprocess.run([sys.executable, "-c", program], check=True)
