"""safetensors beside the format's own library: both ways, without copies; and damaged files."""

import doctest
import json
import os
import struct

import numpy as np
import pytest
import safetensors as library
import safetensors.torch as theirs
import torch

import kagari
from kagari import safetensors as ours

NAMES = (
    "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16",
    "bfloat16", "float32", "float64", "complex64",
)  # fmt: skip


def pair(name, *shape):
    numbers = np.random.default_rng(0).integers(0, 2, shape)
    return kagari.tensor(numbers).to(getattr(kagari, name)), torch.tensor(numbers).to(
        getattr(torch, name)
    )


def test_every_dtype_both_ways(tmp_path):
    pairs = {name: pair(name, 3, 5) for name in NAMES}
    pairs |= {"empty": pair("float32", 0, 4), "number": pair("int64")}
    mine = {name: a for name, (a, _) in pairs.items()}
    other = {name: b for name, (_, b) in pairs.items()}
    ours.save_file(mine, tmp_path / "ours", {"made": "here", "é": "ü"})
    theirs.save_file(other, tmp_path / "theirs")
    for file in ("ours", "theirs"):
        read, expected = ours.load_file(tmp_path / file), theirs.load_file(tmp_path / file)
        assert read.keys() == expected.keys() == pairs.keys()
        for name in pairs:
            assert str(read[name].dtype) == str(expected[name].dtype)
            assert read[name].tolist() == expected[name].tolist() == other[name].tolist()
    with library.safe_open(tmp_path / "ours", "pt") as file:
        assert file.metadata() == {"made": "here", "é": "ü"}
    assert {k: v.tolist() for k, v in ours.load(ours.save(mine)).items()} == {
        k: v.tolist() for k, v in theirs.load(ours.save(mine)).items()
    }


def test_tensors_lie_on_the_file(tmp_path):
    path = tmp_path / "w.safetensors"
    ours.save_file({"w": kagari.arange(6.0).reshape(2, 3), "b": kagari.ones(2)}, path)
    with ours.safe_open(path, "pt") as file:
        first, second = file.get_tensor("w"), file.get_tensor("w")
        assert file.keys() == ["b", "w"] and list(file) == ["b", "w"] and file.metadata() is None
        part = file.get_slice("w")
        assert part.get_shape() == [2, 3] and part.get_dtype() == "F32"
        assert part[1:, :2].tolist() == [[3.0, 4.0]]
        with pytest.raises(RuntimeError, match="no tensor 'x'"):
            file.get_tensor("x")
    assert first.data_ptr() == second.data_ptr()
    first.mul_(2)  # private pages
    assert ours.load_file(path)["w"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_models_with_shared_weights(tmp_path):
    def made(nn):
        model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
        model[1].weight = model[0].weight
        return model

    first, other, torchs = made(kagari.nn), made(kagari.nn), made(torch.nn)
    ours.save_model(first, tmp_path / "m")
    assert ours.load_model(other, tmp_path / "m") == ([], [])
    assert other[1].weight is other[0].weight
    theirs.load_model(torchs, tmp_path / "m")
    assert torchs[1].weight.tolist() == other[0].weight.tolist() == first[0].weight.tolist()
    theirs.save_model(torchs, str(tmp_path / "n"))
    assert ours.load_model(other, tmp_path / "n") == ([], [])
    with pytest.raises(RuntimeError, match="bias"):
        ours.load_model(kagari.nn.Linear(3, 3), tmp_path / "m")


def test_what_cannot_be_written(tmp_path):
    w = kagari.ones(3, 4)
    for tensors, error, message in [
        ([w], ValueError, "dict"), ({"w": 1}, ValueError, "'w' is a int"),
        ({"w": w.t()}, ValueError, "non contiguous"), ({"w": w, "v": w[1]}, RuntimeError, "share"),
        ({"w": w.to(kagari.complex128)}, ValueError, "complex128"),
        ({"w": kagari.ones(2, device="meta")}, ValueError, "meta"),
    ]:  # fmt: skip
        with pytest.raises(error, match=message):
            ours.save_file(tensors, tmp_path / "x")
    with pytest.raises(TypeError, match="metadata"):
        ours.save_file({"w": w}, tmp_path / "x", {"a": 1})
    assert os.listdir(tmp_path) == []


def file_of(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(start, end, shape, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


DAMAGED = [
    b"", b"1234567", struct.pack("<Q", 2**63) + b"{}", file_of(b"{"), file_of(b"[1]"),
    file_of(b"\xff\xfe"), file_of(b"[" * 10**5), file_of({"a": 1}),
    file_of({"a": entry(0, 4, [2])}),
    file_of({"a": entry(0, 8, [2])}, bytes(7)), file_of({"a": entry(0, 8, [2])}, bytes(9)),
    file_of({"a": entry(4, 12, [2])}, bytes(12)), file_of({"a": entry(-8, 0, [2])}),
    file_of({"a": entry(0, 8, [2]), "b": entry(4, 12, [2])}, bytes(12)),
    file_of({"a": entry(0, 8, [2], "F31")}, bytes(8)),
    file_of({"a": entry(0, 0, [2**62, 2**62, 0])}),
    file_of({"a": entry(0, 8, [2.0])}, bytes(8)), file_of({"a": entry(0, 8, "2")}, bytes(8)),
    file_of({"__metadata__": 3}), file_of({"a": entry(0, 4, [True])}, bytes(4)),
]  # fmt: skip


@pytest.mark.parametrize("data", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_files(data, tmp_path):
    (tmp_path / "x").write_bytes(data)
    for read in (lambda: ours.load(data), lambda: ours.load_file(tmp_path / "x")):
        try:
            read()
        except RuntimeError as error:
            assert "safetensors" in str(error)
        else:
            assert b"4611686018427387904" in data  # no elements, however many there are elsewhere


def test_unaligned_files_and_bytes_of_bools():
    header = {"b": entry(0, 1, [1], "BOOL"), "a": entry(1, 9, [2])}
    data = file_of(header, b"\x07" + np.array([1.5, 2.5], np.float32).tobytes())
    read = ours.load(data)
    assert read["a"].tolist() == [1.5, 2.5] and read["b"].tolist() == [True]
    assert read["b"].view(kagari.uint8).tolist() == [1]


def test_examples(tmp_path):
    names = {"kagari": kagari, "folder": tmp_path}
    for test in doctest.DocTestFinder(exclude_empty=True).find(ours, globs=names):
        assert not doctest.DocTestRunner().run(test).failed


def test_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        ours.load_file(tmp_path / "none")
    with pytest.raises(ValueError, match="framework"):
        ours.safe_open(tmp_path / "none", "np")
