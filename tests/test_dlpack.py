"""DLPack with PyTorch and NumPy on the other side, versioned and older capsules."""

import gc

import numpy
import pytest
import torch

import kagari

NAMES = (
    "bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 "
    "complex64 complex128"
).split()


@pytest.mark.parametrize("name", NAMES)
def test_with_torch(name):
    ours = kagari.tensor([[0, 1, 1], [1, 0, 1]], dtype=getattr(kagari, name))
    theirs = torch.from_dlpack(ours)
    assert str(theirs.dtype) == str(ours.dtype) and theirs.data_ptr() == ours.data_ptr()
    assert theirs.tolist() == ours.tolist()
    back = kagari.from_dlpack(theirs.t())
    assert back.data_ptr() == ours.data_ptr() and back.stride() == (1, 3)
    assert back.dtype is ours.dtype


def test_with_numpy():
    array = numpy.arange(6.0).reshape(2, 3)
    tensor = kagari.from_dlpack(array)
    tensor[0, 0] = 9
    assert array[0, 0] == 9
    other = numpy.from_dlpack(kagari.ones(3))
    assert other.tolist() == [1, 1, 1]


@pytest.mark.parametrize("max_version", [None, (0, 8), (1, 0), (2, 0)])
def test_capsules(max_version):
    source = kagari.arange(4)
    capsule = source.__dlpack__(max_version=max_version)
    tensor = kagari.from_dlpack(capsule)
    assert tensor.tolist() == [0, 1, 2, 3]
    with pytest.raises(RuntimeError, match="consumed"):
        kagari.from_dlpack(capsule)
    del source, capsule
    gc.collect()
    assert tensor.tolist() == [0, 1, 2, 3]


def test_old_function_names():
    assert kagari.from_dlpack(kagari.to_dlpack(kagari.ones(2))).tolist() == [1, 1]


def test_unused_capsules_release_their_memory():
    before = kagari._C._live_tensors()
    for _ in range(100):
        kagari.ones(10).__dlpack__()
        kagari.ones(10).__dlpack__(max_version=(1, 0))
    gc.collect()
    assert kagari._C._live_tensors() <= before + 1
    held = kagari.cpu.memory_allocated()
    for _ in range(100):
        kagari.ones(10_000).__dlpack__()
    assert kagari.cpu.memory_allocated() <= held + 100_000


def test_copies():
    source = kagari.ones(2)
    kagari.from_dlpack(source, copy=True)[0] = 5
    assert source.tolist() == [1, 1]


def test_empty_and_scalar():
    assert torch.from_dlpack(kagari.ones(0, 3)).shape == (0, 3)
    assert kagari.from_dlpack(torch.tensor(3.5)).item() == 3.5


def test_errors():
    with pytest.raises(RuntimeError, match="detach"):
        kagari.ones(1, requires_grad=True).__dlpack__()
    with pytest.raises(BufferError):
        kagari.ones(1, device="meta").__dlpack_device__()
    with pytest.raises(RuntimeError, match="capsule"):
        kagari.from_dlpack(3)
    with pytest.raises(BufferError):
        kagari.ones(1).__dlpack__(dl_device=(2, 0))
    with pytest.raises(BufferError):
        kagari.ones(1).__dlpack__(stream=1)
    assert kagari.ones(1).__dlpack_device__() == (1, 0)


def test_exported_memory_cannot_be_resized():
    tensor = kagari.ones(2)
    theirs = torch.from_dlpack(tensor)
    with pytest.raises(RuntimeError, match="not resizable"):
        tensor.resize_(1000)
    assert theirs.tolist() == [1, 1]
