"""tensor(), as_tensor(), frombuffer(): values, inferred dtypes and errors, as PyTorch has them."""

import array
import decimal
import fractions
import gc
import pickle
import subprocess
import sys
import warnings

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import kagari


class Index:
    def __index__(self):
        return 7


class Real:
    def __float__(self):
        return 7.5


SAME = {
    "empty": lambda t: t.tensor([]),
    "empty_nested": lambda t: t.tensor([[[]] * 3]),
    "int": lambda t: t.tensor(3),
    "negative": lambda t: t.tensor([-(2**63), 2**63 - 1]),
    "float_to_int": lambda t: t.tensor([1.5, -2.5], dtype=t.int32),
    "wraps_unsigned": lambda t: t.tensor([-1, -200], dtype=t.uint8),
    "wraps_uint32": lambda t: t.tensor([-1], dtype=t.uint32),
    "big_uint64": lambda t: t.tensor([2**63, 2**64 - 1], dtype=t.uint64),
    "float_overflow": lambda t: t.tensor([1e40, -1e40], dtype=t.float32),
    "half_overflow": lambda t: t.tensor([1e6, 70000], dtype=t.float16),
    "big_int_to_float": lambda t: t.tensor(2**70, dtype=t.float32),
    "complex": lambda t: t.tensor([1, 1j, True]),
    "bool_int": lambda t: t.tensor([True, 1]),
    "bool_float": lambda t: t.tensor([True, 1.5]),
    "to_bool": lambda t: t.tensor([1, 2.5, 0], dtype=t.bool),
    "range": lambda t: t.tensor(range(3)),
    "tuple": lambda t: t.tensor([[1, 2], (3, 4)]),
    "bytearray": lambda t: t.tensor(bytearray(b"ab")),
    "memoryview": lambda t: t.tensor(memoryview(b"ab")),
    "array": lambda t: t.tensor(array.array("f", [1, 2])),
    "np_float64": lambda t: t.tensor([numpy.float64(3)]),
    "np_float64_0d": lambda t: t.tensor(numpy.float64(3)),
    "np_mixed": lambda t: t.tensor([numpy.float64(3), numpy.float32(1)]),
    "np_ints": lambda t: t.tensor([numpy.int32(3), numpy.int8(2)]),
    "np_bool": lambda t: t.tensor([numpy.bool_(True)]),
    "np_complex": lambda t: t.tensor([numpy.complex64(1j)]),
    "np_half": lambda t: t.tensor(numpy.float16(2)),
    "np_array": lambda t: t.tensor(numpy.arange(6.0).reshape(2, 3).T),
    "np_array_0d": lambda t: t.tensor(numpy.array(3.5)),
    "np_arrays_in_list": lambda t: t.tensor([numpy.arange(3), [4, 5, 6]]),
    "np_dtype": lambda t: t.tensor(numpy.arange(3), dtype=t.float16),
    "tensors": lambda t: t.tensor([t.tensor(1), t.tensor(2.5)]),
    "tensor_1": lambda t: t.tensor([t.tensor([1])]),
    "tensor_int8": lambda t: t.tensor([t.tensor(1, dtype=t.int8), 2]),
    "tensor": lambda t: t.tensor(t.tensor([1.0, 2.0])),
    "python_dtype": lambda t: t.tensor([1], dtype=float),
    "index": lambda t: t.tensor([Index()], dtype=t.int64),
    "float_protocol": lambda t: t.tensor([Real()], dtype=t.float32),
    "to_complex": lambda t: t.tensor([1.0, 2.0], dtype=t.complex64),
    "size": lambda t: t.tensor(t.zeros(2, 3).shape),
    "bool_to_half": lambda t: t.tensor(True, dtype=t.float16),
    "requires_grad": lambda t: t.tensor([1.0], requires_grad=True),
    "as_tensor_list": lambda t: t.as_tensor([[1.0], [2.0]]),
    "as_tensor_dtype": lambda t: t.as_tensor([1, 2], dtype=t.float64),
    "asarray_list": lambda t: t.asarray([1, 2.0]),
    "asarray_grad": lambda t: t.asarray([1.0, 2.0], requires_grad=True),
    "frombuffer": lambda t: t.frombuffer(bytearray(range(8)), dtype=t.int16),
    "frombuffer_window": lambda t: t.frombuffer(bytearray(9), dtype=t.int16, count=2, offset=1),
    "Tensor": lambda t: t.Tensor([1, 2]),
    "LongTensor": lambda t: t.LongTensor([1, 2]),
    "scalar_of_size_1": lambda t: t.tensor([[[5]]]),
}

ERRORS = {
    "overflow": lambda t: t.tensor(2**63),
    "overflow_list": lambda t: t.tensor([2**64]),
    "overflow_negative": lambda t: t.tensor(-(2**63) - 1),
    "uint8": lambda t: t.tensor([300], dtype=t.uint8),
    "int8": lambda t: t.tensor(128, dtype=t.int8),
    "int8_low": lambda t: t.tensor(-129, dtype=t.int8),
    "int32": lambda t: t.tensor([2**31], dtype=t.int32),
    "nan_to_int": lambda t: t.tensor([float("nan")], dtype=t.int32),
    "inf_to_int": lambda t: t.tensor([float("inf")], dtype=t.int64),
    "float_too_large": lambda t: t.tensor([1e20], dtype=t.int64),
    "complex_to_float": lambda t: t.tensor([1j], dtype=t.float32),
    "complex_to_int": lambda t: t.tensor(1 + 2j, dtype=t.int32),
    "string": lambda t: t.tensor("a"),
    "strings": lambda t: t.tensor(["a"]),
    "string_inside": lambda t: t.tensor([[1, 2], [3, "a"]]),
    "string_with_dtype": lambda t: t.tensor([1, "a"], dtype=t.float32),
    "bytes": lambda t: t.tensor(b"ab"),
    "none": lambda t: t.tensor(None),
    "nones": lambda t: t.tensor([None]),
    "none_with_dtype": lambda t: t.tensor([1, None], dtype=t.float32),
    "ragged": lambda t: t.tensor([[1, 2], [3]]),
    "ragged_long": lambda t: t.tensor([[1, 2], [3, 4, 5]]),
    "deeper": lambda t: t.tensor([1, [2]]),
    "shallower": lambda t: t.tensor([[1], 2]),
    "dict": lambda t: t.tensor({1: 2}),
    "set": lambda t: t.tensor({1, 2}),
    "generator": lambda t: t.tensor(x for x in [1]),
    "type": lambda t: t.tensor(dict),
    "decimal": lambda t: t.tensor([decimal.Decimal(1)]),
    "fraction": lambda t: t.tensor([fractions.Fraction(1, 2)]),
    "index": lambda t: t.tensor([Index()]),
    "real": lambda t: t.tensor(Real()),
    "huge_to_float": lambda t: t.tensor([2**1030], dtype=t.float64),
    "tensors_in_list": lambda t: t.tensor([t.tensor([1.0, 2.0]), t.tensor([2.0, 1.0])]),
    "np_negative_stride": lambda t: t.tensor(numpy.arange(3)[::-1]),
    "np_strings": lambda t: t.tensor(numpy.array(["a"])),
    "np_objects": lambda t: t.tensor(numpy.array([None])),
    "np_dates": lambda t: t.tensor(numpy.array(["2020"], dtype="M8")),
    "np_byte_order": lambda t: t.tensor(numpy.arange(3, dtype=">i4")),
    "np_longdouble": lambda t: t.as_tensor(numpy.longdouble([2])),
    "np_0d_in_list": lambda t: t.tensor([numpy.array(3.5)]),
    "dtype_string": lambda t: t.tensor([1], dtype="float32"),
    "int_requires_grad": lambda t: t.tensor([1], requires_grad=True),
    "no_data": lambda t: t.tensor(),
    "positional_dtype": lambda t: t.tensor([1], t.float32),
    "unknown_option": lambda t: t.tensor([1], foo=1),
    "device": lambda t: t.tensor([1], device="foo"),
    "frombuffer_ragged": lambda t: t.frombuffer(bytearray(7), dtype=t.int16),
    "frombuffer_offset": lambda t: t.frombuffer(bytearray(8), dtype=t.int16, offset=8),
    "frombuffer_count": lambda t: t.frombuffer(bytearray(8), dtype=t.int16, count=5),
    "frombuffer_empty": lambda t: t.frombuffer(bytearray(), dtype=t.int16),
    "frombuffer_object": lambda t: t.frombuffer(3, dtype=t.int16),
    "frombuffer_no_dtype": lambda t: t.frombuffer(bytearray(8)),
}


def run(make, module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(module)


@pytest.mark.parametrize("name", SAME)
def test_same_as_torch(name):
    ours, theirs = run(SAME[name], kagari), run(SAME[name], torch)
    assert str(ours.dtype) == str(theirs.dtype)
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert repr(ours) == repr(theirs)
    assert ours.requires_grad == theirs.requires_grad


@pytest.mark.parametrize("name", ERRORS)
def test_same_error_as_torch(name):
    with pytest.raises(Exception) as theirs:
        run(ERRORS[name], torch)
    with pytest.raises(Exception) as ours:
        run(ERRORS[name], kagari)
    assert ours.type is theirs.type, str(ours.value)
    assert str(ours.value)


def test_ragged_after_an_empty_row_is_an_error():
    # PyTorch drops the 1 silently
    with pytest.raises(ValueError, match="expected sequence of length 0 at dim 1"):
        kagari.tensor([[], [1]])


numbers = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(width=32),
    st.complex_numbers(width=64),
)


@given(st.lists(st.lists(numbers, min_size=2, max_size=2), max_size=4))
def test_any_rectangle(rows):
    ours, theirs = kagari.tensor(rows), torch.tensor(rows)
    assert str(ours.dtype) == str(theirs.dtype) and tuple(ours.shape) == tuple(theirs.shape)
    numpy.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    assert repr(ours.tolist()) == repr(theirs.tolist())


def test_inference_follows_the_default_dtype():
    before = kagari.get_default_dtype()
    try:
        kagari.set_default_dtype(kagari.float64)
        assert kagari.tensor([1.0]).dtype is kagari.float64
        assert kagari.tensor([1j]).dtype is kagari.complex128
        assert repr(kagari.tensor([1.0])) == "tensor([1.])"
    finally:
        kagari.set_default_dtype(before)


def test_deep_nesting_is_an_error():
    nested = 1.0
    for _ in range(200):
        nested = [nested]
    with pytest.raises(ValueError, match="too many dimensions"):
        kagari.tensor(nested)


def test_recursive_list_is_an_error():
    loop = []
    loop.append(loop)
    with pytest.raises(ValueError, match="too many dimensions"):
        kagari.tensor(loop)


def test_list_that_shrinks_while_read():
    class Evil:
        def __float__(self):
            rows.clear()
            gc.collect()
            return 1.0

    rows = [Evil(), 1.0, 2.0, 3.0]
    kagari.tensor(rows, dtype=kagari.float32)  # undefined values, but no crash


def test_sharing():
    a = numpy.zeros(3, dtype=numpy.float32)
    kagari.as_tensor(a)[0] = 5
    assert a[0] == 5
    kagari.tensor(a)[1] = 5
    assert a[1] == 0
    t = kagari.ones(2)
    assert kagari.as_tensor(t) is t
    assert kagari.asarray(t) is t
    assert kagari.asarray(t, copy=True) is not t
    with pytest.raises(ValueError):
        kagari.asarray([1, 2], copy=False)


def test_buffer_stays_alive_and_cannot_be_resized():
    data = bytearray(8)
    t = kagari.frombuffer(data, dtype=kagari.uint8)
    with pytest.raises(BufferError):
        data.extend(b"more")
    t[0] = 7
    assert data[0] == 7
    del t
    gc.collect()
    data.extend(b"more")


def test_read_only_buffer_warns():
    with pytest.warns(UserWarning, match="not writable"):
        kagari.frombuffer(b"abcd", dtype=kagari.uint8)


def test_copy_of_a_tensor_warns():
    with pytest.warns(UserWarning, match="clone"):
        kagari.tensor(kagari.ones(1))


def test_devices():
    meta = kagari.tensor([[1, 2]], device="meta")
    assert meta.is_meta and tuple(meta.shape) == (1, 2)
    with kagari.device("meta"):
        assert kagari.tensor(1.0).is_meta
        assert kagari.zeros(2).is_meta
    assert not kagari.zeros(2).is_meta


def test_numpy_is_not_imported_for_python_data():
    program = (
        "import sys, kagari; t = kagari.tensor([1, 2]); t.tolist(); repr(t);"
        "assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_pickled_dtype_is_the_same_object():
    assert pickle.loads(pickle.dumps(kagari.float32)) is kagari.float32
