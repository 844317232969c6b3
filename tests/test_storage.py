"""Storages: bytes, slices, files, resizing, typed storages, tensors on them."""

import copy
import gc
import os
import pickle

import pytest

import kagari


def test_bytes():
    storage = kagari.tensor([1, 2], dtype=kagari.int16).untyped_storage()
    assert len(storage) == storage.nbytes() == storage.size() == 4
    assert storage.tolist() == [1, 0, 2, 0] and storage[2] == 2 and storage[-2] == 2
    storage[2] = 7
    storage[0:2] = 255
    assert storage.tolist() == [255, 255, 7, 0]
    assert storage.device.type == "cpu" and "UntypedStorage" in repr(storage)
    for bad in (4, -5):
        with pytest.raises(IndexError):
            storage[bad]
        with pytest.raises(IndexError):
            storage[bad] = 1
    with pytest.raises(RuntimeError):
        storage[0] = 256
    with pytest.raises(RuntimeError, match="step"):
        storage[::2]


def test_views_have_one_storage():
    tensor = kagari.arange(6)
    assert tensor[2:].untyped_storage() == tensor.untyped_storage()
    assert hash(tensor[2:].untyped_storage()) == hash(tensor.untyped_storage())
    assert tensor.untyped_storage() != tensor.clone().untyped_storage()
    assert tensor[2:].storage_offset() == 2
    assert tensor.untyped_storage().data_ptr() == tensor.data_ptr()


def test_slices_share_and_keep_alive():
    storage = kagari.arange(1000, dtype=kagari.uint8).untyped_storage()
    part = storage[10:20]
    part[0] = 99
    assert storage[10] == 99 and len(part) == 10
    with pytest.raises(RuntimeError, match="not resizable"):
        storage.resize_(5)
    del storage
    gc.collect()
    kagari.zeros(1000, dtype=kagari.uint8)
    assert part[0] == 99


def test_resize():
    tensor = kagari.arange(4, dtype=kagari.uint8)
    storage = tensor.untyped_storage()
    storage.resize_(8)
    assert storage.nbytes() == 8 and tensor.tolist() == [0, 1, 2, 3]
    for bad in (-1, 2**62):
        with pytest.raises((RuntimeError, kagari.OutOfMemoryError)):
            storage.resize_(bad)
    assert tensor.tolist() == [0, 1, 2, 3]


def test_copies():
    a, b = kagari.UntypedStorage(3), kagari.UntypedStorage(3)
    a.fill_(1)
    b.copy_(a)
    assert b.tolist() == [1, 1, 1] and a.clone().tolist() == [1, 1, 1]
    assert copy.deepcopy(a).tolist() == pickle.loads(pickle.dumps(a)).tolist() == [1, 1, 1]
    with pytest.raises(RuntimeError, match="size does not match"):
        a.copy_(kagari.UntypedStorage(4))
    with pytest.raises(RuntimeError):
        kagari.UntypedStorage(-1)
    assert kagari.UntypedStorage(0).tolist() == []


def test_files(tmp_path):
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(8)))
    private = kagari.UntypedStorage.from_file(str(path))
    assert private.tolist() == list(range(8))
    private[0] = 9
    assert path.read_bytes()[0] == 0
    shared = kagari.UntypedStorage.from_file(str(path), shared=True, nbytes=16)
    shared[0] = 9
    assert path.read_bytes()[0] == 9 and path.stat().st_size == 16
    with pytest.raises(RuntimeError, match="expected at least 100"):
        kagari.UntypedStorage.from_file(str(path), nbytes=100)
    with pytest.raises(RuntimeError, match="unable to open"):
        kagari.UntypedStorage.from_file(str(tmp_path / "absent"))
    with pytest.raises(RuntimeError):
        kagari.UntypedStorage.from_file(str(path), nbytes=-1)


def test_typed():
    storage = kagari.tensor([1.5, 2.5]).storage()
    assert len(storage) == 2 and storage.tolist() == [1.5, 2.5] and storage[1] == 2.5
    storage[0] = 4
    storage.fill_(3.0)
    assert storage.tolist() == [3, 3] and storage.pickle_storage_type() == "FloatStorage"
    assert storage.untyped().nbytes() == storage.nbytes() == 8
    assert kagari.TypedStorage([1, 2], dtype=kagari.int8).tolist() == [1, 2]
    assert len(kagari.TypedStorage(3)) == 3 and storage.clone() != storage


def test_set():
    tensor = kagari.zeros(2)
    source = kagari.arange(6.0)
    tensor.set_(source)
    assert tensor.tolist() == source.tolist() and tensor.data_ptr() == source.data_ptr()
    tensor.set_(source.untyped_storage(), 1, (2, 2), (3, 1))
    assert tensor.tolist() == [[1, 2], [4, 5]]
    tensor.set_(source.storage())
    assert tensor.numel() == 6
    tensor.set_()
    assert tensor.tolist() == []
    storage = source.untyped_storage()
    for offset, size, stride in (
        (0, (7,), (1,)),
        (5, (2,), (1,)),
        (-1, (1,), (1,)),
        (0, (-1,), (1,)),
        (0, (2, 2), (1,)),
        (0, (2**40, 2**40), (2**40, 1)),
        (2**62, (1,), (1,)),
    ):
        with pytest.raises(RuntimeError):
            tensor.set_(storage, offset, size, stride)
    with pytest.raises(RuntimeError, match="dtype"):
        tensor.set_(kagari.arange(3))
    assert tensor.tolist() == []


def test_meta():
    storage = kagari.ones(2, device="meta").untyped_storage()
    assert storage.nbytes() == 8 and "..." in repr(storage)
    with pytest.raises(NotImplementedError):
        storage[0]
    with pytest.raises(NotImplementedError):
        storage.fill_(0)
    with pytest.raises(BufferError):
        memoryview(storage)


def test_shared_with_forked_processes():
    whole = kagari.arange(4.0)
    part = whole[1:]
    assert not whole.is_shared() and whole.share_memory_() is whole
    assert part.is_shared() and part.storage().is_shared() and part.untyped_storage().is_shared()
    child = os.fork()
    if child == 0:
        part[0] = 7.0
        os._exit(0)
    os.waitpid(child, 0)
    assert whole.tolist() == [0.0, 7.0, 2.0, 3.0]
    assert whole.share_memory_().tolist() == [0.0, 7.0, 2.0, 3.0]
    assert kagari.empty(0).share_memory_().is_shared()
    module = kagari.nn.Linear(2, 2).share_memory()
    assert all(p.is_shared() for p in module.parameters())


def test_memory_that_cannot_move_is_not_shared():
    tensor = kagari.ones(2)
    array = tensor.numpy()
    with pytest.raises(RuntimeError, match="share_memory_.*clone"):
        tensor.share_memory_()
    assert array.tolist() == [1.0, 1.0]
    assert not tensor.clone().is_shared()
    with pytest.raises(RuntimeError, match="CPU"):
        tensor.to("meta").share_memory_()
