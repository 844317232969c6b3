"""save and load: to PyTorch and back, sharing, atomic writing; and files that mean harm."""

import io
import mmap
import os
import pickle
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch

import kagari
from kagari import serialization
from kagari.nn import Buffer, Parameter

DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64", "float16",
    "bfloat16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip


def through(obj, **options):
    file = io.BytesIO()
    kagari.save(obj, file)
    file.seek(0)
    return kagari.load(file, **options)


def to_torch(obj):
    file = io.BytesIO()
    kagari.save(obj, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def from_torch(obj):
    file = io.BytesIO()
    torch.save(obj, file)
    file.seek(0)
    return kagari.load(file)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_every_dtype_both_ways(dtype, shape):
    values = torch.arange(int(np.prod(shape))).reshape(shape).to(torch.float64)
    theirs = values.to(getattr(torch, dtype))
    ours = kagari.tensor(values.tolist(), dtype=getattr(kagari, dtype)).reshape(shape)
    there, back = to_torch(ours), from_torch(theirs)
    assert (
        there.dtype == theirs.dtype
        and torch.equal(there.double(), theirs.double())
        or (there.dtype.is_complex and torch.equal(there, theirs))
    )
    assert str(back.dtype) == str(theirs.dtype) and tuple(back.shape) == shape
    assert back.tolist() == theirs.tolist() == through(ours).tolist()


def test_views_share_their_storage():
    base = kagari.arange(24.0).reshape(4, 6)
    saved = {
        "base": base,
        "view": base[1:, ::2].t(),
        "again": base,
        "bytes": base.untyped_storage(),
    }
    loaded = through(saved)
    assert loaded["base"] is loaded["again"]
    assert loaded["view"].tolist() == saved["view"].tolist()
    assert loaded["view"].stride() == saved["view"].stride()
    loaded["base"].fill_(5)
    assert float(loaded["view"].sum()) == 5 * 9
    assert loaded["bytes"].nbytes() == 96
    other = to_torch({k: v for k, v in saved.items() if k != "bytes"})
    other["base"].fill_(5)
    assert float(other["view"].sum()) == 5 * 9
    back = from_torch({"a": other["base"], "b": other["base"][2]})
    back["a"].zero_()
    assert float(back["b"].sum()) == 0


def test_one_storage_seen_as_two_dtypes():
    whole = kagari.arange(4, dtype=kagari.int32)
    views = [
        kagari._C._tensor_on(whole.untyped_storage(), dtype, 0, [n], [1])
        for dtype, n in ((kagari.uint8, 16), (kagari.float32, 4))
    ]
    loaded = through([whole, *views])
    loaded[0].fill_(0)
    assert loaded[1].tolist() == [0] * 16 and loaded[2].dtype is kagari.float32
    assert to_torch([whole, *views])[1].numel() == 16


def test_containers_and_numbers():
    value = {
        "int": 3, "big": -(2**80), "float": -0.0, "none": None, "text": "ünï\ud800",
        "bytes": b"\0a",
        "tuple": (1, (2,), (), (1, 2, 3, 4)), "list": [[], [1]], "set": {1, "a"}, "true": True,
        "dict": {1: 2, (1, "a"): None}, "size": kagari.Size([1, 2]), "dtype": kagari.bfloat16,
        "device": kagari.device("cpu"), "ordered": OrderedDict(b=1, a=2), "complex": 1 + 2j,
        "frozen": frozenset([1]), "counter": Counter("aab"), "array": bytearray(b"xy"),
    }  # fmt: skip
    assert through(value) == value
    assert type(through(value)["ordered"]) is OrderedDict
    value.pop("text"), value.pop("size"), value.pop("dtype"), value.pop("device")
    value.pop("frozen")
    assert to_torch(value) == value and from_torch(value) == value
    shared = []
    loaded = through([shared, shared])
    assert loaded[0] is loaded[1]
    cycle = []
    cycle.append(cycle)
    assert (loaded := through(cycle))[0] is loaded


def test_parameters_buffers_and_attributes():
    parameter = Parameter(kagari.ones(2), requires_grad=False)
    tensor = kagari.ones(2).requires_grad_()
    tensor.note = "kept"
    loaded = through([parameter, Buffer(kagari.zeros(1), persistent=False), tensor])
    assert type(loaded[0]) is Parameter and not loaded[0].requires_grad
    assert isinstance(loaded[1], Buffer) and loaded[1].persistent is False
    assert loaded[2].requires_grad and loaded[2].note == "kept"
    there = to_torch([parameter, tensor])
    assert isinstance(there[0], torch.nn.Parameter) and there[1].note == "kept"
    back = from_torch([torch.nn.Parameter(torch.ones(2)), torch.nn.Buffer(torch.ones(1))])
    assert type(back[0]) is Parameter and back[0].requires_grad and isinstance(back[1], Buffer)
    with pytest.raises(RuntimeError, match="detach"):
        kagari.save(tensor * 2, io.BytesIO())


def test_models_move_between_the_libraries():
    def net(m):
        return m.Sequential(m.Linear(3, 4), m.BatchNorm1d(4), m.Linear(4, 1))

    ours, theirs = net(kagari.nn), net(torch.nn)
    theirs.load_state_dict(to_torch(ours.state_dict()))
    assert to_torch(ours.state_dict())._metadata == theirs.state_dict()._metadata
    again = net(kagari.nn)
    again.load_state_dict(from_torch(theirs.state_dict()))
    for a, b in zip(ours.state_dict().values(), again.state_dict().values(), strict=True):
        assert a.tolist() == b.tolist()
    optimizer = kagari.optim.Adam(ours.parameters())
    for p in ours.parameters():
        p.grad = kagari.ones_like(p)
    optimizer.step()
    torch.optim.Adam(theirs.parameters()).load_state_dict(to_torch(optimizer.state_dict()))
    kagari.optim.Adam(ours.parameters()).load_state_dict(through(optimizer.state_dict()))


def test_conjugated_and_meta_tensors():
    theirs = torch.tensor([1 + 2j, 3 - 1j])
    assert from_torch(theirs.conj()).tolist() == [1 - 2j, 3 + 1j]
    meta = through(kagari.empty(2, 3, device="meta"))
    assert meta.is_meta and tuple(meta.shape) == (2, 3)
    assert to_torch(kagari.empty(2, device="meta")).is_meta


def test_paths_devices_and_mapping(tmp_path):
    path = tmp_path / "a b.pt"
    value = {"w": kagari.arange(1000.0), "n": kagari.ones(3)}
    kagari.save(value, path)
    for options in (
        {}, {"mmap": True}, {"map_location": "cpu"}, {"map_location": {"cpu": "cpu"}},
        {"map_location": lambda storage, location: storage},
        {"map_location": kagari.device("cpu")},
    ):  # fmt: skip
        loaded = kagari.load(str(path), **options)
        assert float(loaded["w"].sum()) == 499500.0
    loaded["w"].zero_()
    mapped = kagari.load(path, mmap=True)
    mapped["w"].zero_()
    assert float(kagari.load(path)["w"].sum()) == 499500.0, "a mapped file is never written"
    assert kagari.load(path, map_location="meta")["w"].is_meta
    with zipfile.ZipFile(path) as archive:
        assert {i.filename.split("/")[0] for i in archive.infolist()} == {"a b"}
        for info in archive.infolist():
            with open(path, "rb") as file:
                file.seek(info.header_offset + 26)
                lengths = struct.unpack("<HH", file.read(4))
            assert (info.header_offset + 30 + sum(lengths)) % 64 == 0
    with pytest.raises(ValueError, match="mmap"):
        kagari.load(open(path, "rb"), mmap=True)  # noqa: SIM115
    with pytest.raises(FileNotFoundError):
        kagari.load(tmp_path / "none")


def test_writing_is_atomic(tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    kagari.save(kagari.ones(2), path)
    path.chmod(0o640)

    def broken(*_):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        with pytest.raises(OSError, match="disk full"):
            kagari.save(kagari.zeros(2), path)
    assert kagari.load(path).tolist() == [1.0, 1.0] and os.listdir(tmp_path) == ["model.pt"]
    with pytest.raises((AttributeError, pickle.PicklingError, TypeError)):
        kagari.save(lambda: 0, path)
    link = tmp_path / "link.pt"
    link.symlink_to(path)
    kagari.save(kagari.zeros(2), link)
    assert link.is_symlink() and kagari.load(path).tolist() == [0.0, 0.0]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_loading_in_a_fresh_process(tmp_path):
    kagari.save({"x": kagari.arange(3)}, tmp_path / "x.pt")
    code = f"import kagari; print(kagari.load({str(tmp_path / 'x.pt')!r})['x'].tolist())"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "[0, 1, 2]\n"


class Own:
    def __init__(self, value):
        self.value = value


def test_own_classes_need_trust():
    file = io.BytesIO()
    kagari.save([Own(kagari.ones(1))], file)
    data = file.getvalue()
    with pytest.raises(pickle.UnpicklingError, match="weights_only=False"):
        kagari.load(io.BytesIO(data))
    assert kagari.load(io.BytesIO(data), weights_only=False)[0].value.tolist() == [1.0]
    with serialization.safe_globals([Own]):
        assert kagari.load(io.BytesIO(data))[0].value.tolist() == [1.0]
    with pytest.raises(pickle.UnpicklingError):
        kagari.load(io.BytesIO(data))


# -- files that mean harm ----------------------------------------------------------------------


def archive(pickled: bytes, storages=(), compress=zipfile.ZIP_STORED, names=("byteorder",)):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compress) as zip:
        zip.writestr("archive/data.pkl", pickled)
        for i, data in enumerate(storages):
            zip.writestr(f"archive/data/{i}", data)
        zip.writestr("archive/byteorder", "little")
        zip.writestr("archive/version", "3\n")
    return file.getvalue()


def load_bytes(data):
    return kagari.load(io.BytesIO(data))


class Call:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def tensor_pickle(count=4, offset=0, size=b"K\x04\x85", stride=b"K\x01\x85", kind=b"FloatStorage",
                  key=b"0"):  # fmt: skip
    """The pickle of one tensor, with parts of one's own."""
    number = b"J" + struct.pack("<i", count)
    start = b"\x8a\x08" + struct.pack("<q", offset)
    text = b"X" + struct.pack("<I", len(key)) + key
    storage = (
        b"(X\x07\0\0\0storagectorch\n" + kind + b"\n" + text + b"X\3\0\0\0cpu" + number + b"tQ"
    )
    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + storage + start + size + stride
        + b"\x89ccollections\nOrderedDict\n)RtR."
    )  # fmt: skip


def test_the_tensor_pickle_is_a_good_one():
    data = archive(tensor_pickle(), [np.arange(4, dtype=np.float32).tobytes()])
    assert load_bytes(data).tolist() == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "parts",
    [
        {"count": 5}, {"count": -1}, {"count": 2**31 - 1}, {"offset": 1}, {"offset": -1},
        {"offset": 2**62}, {"size": b"K\x05\x85"}, {"size": b"J\xff\xff\xff\x7f\x85"},
        {"size": b"K\x04K\x01\x86"}, {"stride": b"K\x02\x85"}, {"size": b"J\xff\xff\xff\xff\x85"},
        {"stride": b"\x8a\x08" + b"\xff" * 7 + b"\x7f\x85"}, {"size": b"N"},
        {"stride": b"G" + b"\0" * 8},
        {"size": b"X\1\0\0\0a\x85"}, {"kind": b"DoubleStorage"}, {"kind": b"NoStorage"},
        {"key": b"7"}, {"key": b"../../etc/passwd"}, {"key": b"/etc/passwd"},
        {"size": b"(" + (b"\x8a\x08" + b"\0" * 7 + b"\x40") * 2 + b"t",
         "stride": b"K\x01K\x01\x86"},
    ],
)  # fmt: skip
def test_tensors_outside_of_their_storage(parts):
    data = archive(tensor_pickle(**parts), [bytes(16)])
    with pytest.raises((RuntimeError, pickle.UnpicklingError)):
        load_bytes(data)


@pytest.mark.parametrize(
    "value",
    [
        Call(os.system, "true"), Call(eval, "1"), Call(getattr, "x", "join"), Call(print),
        Call(bytearray, 2**62), Call(complex, "1"), Call(set, "abc"), Call(OrderedDict, 3),
        os.system, OrderedDict, Call(subprocess.Popen, "true"), kagari.nn.Linear,
        Call(kagari.load, "x"), np.float64(1.5), np.ones(2), {1: os.path.join},
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_file_can_call_nothing(value, protocol):
    with pytest.raises(pickle.UnpicklingError):
        load_bytes(archive(pickle.dumps(value, protocol)))


@pytest.mark.parametrize(
    "pickled",
    [
        b"", b"\x80\x02", b"\x80\x09N.", b"0.", b"(.", b"N", b"h\x05.", b"\x8b\xff\xff\xff\x7fa.",
        b"\x8e" + b"\xff" * 8 + b"a.", b"X\xff\xff\xff\xffa.", b"\x95" + b"\xff" * 8 + b".",
        b"}K\x01s.", b"]]s.", b"Nb.", b"}}b.", b"NNR.", b")R.", b"}]Ns.", b"}}Ns.", b"\x8f(]\x90.",
        b"ctorch\nTensor\n.", b"ctorch\nTensor\n)R.", b"ctorch\nTensor\n)\x81.",
        b"ccollections\nOrderedDict\n)R}X\x05\0\0\0itemsNsb.", b"K\x01Q.", b"NQ.", b"i\n\n.",
        b"ctorch\ndevice\nX\x04\0\0\0nope\x85R.", b"ctorch\nSize\n]K\x01a]a\x85R.", b"\xff.",
        b"U\xffa.",
        b"ctorch._utils\n_rebuild_parameter\nNN]\x87R.", b"c", b"cos", b"\x93.", b"NN\x93.",
        b"e.", b"a.",
        b"c_codecs\nencode\nX\x01\0\0\0aX\x05\0\0\0utf-8\x86R.", b"X\x01\0\0\0\xff.",
    ],
    ids=lambda b: repr(b)[2:30],
)  # fmt: skip
def test_malformed_pickles(pickled):
    with pytest.raises(pickle.UnpicklingError):
        load_bytes(archive(pickled))


def test_keys_of_great_depth_do_not_overflow_the_stack():
    deep = b"K\x01" + b"\x85" * 200_000
    with pytest.raises(pickle.UnpicklingError):
        load_bytes(archive(b"}" + deep + b"Ns."))
    with pytest.raises(pickle.UnpicklingError):
        load_bytes(archive(b"\x8f(" + deep + b"\x90."))
    nested = load_bytes(archive(b"]" * 100_000 + b"a" * 99_999 + b"."))
    assert isinstance(nested, list)
    while nested:  # taken apart one by one: freeing it at once would recurse in older Pythons
        nested = nested.pop()


def test_every_truncation_is_an_error():
    file = io.BytesIO()
    kagari.save({"w": kagari.arange(8.0), "n": [1, 2]}, file)
    data = file.getvalue()
    for length in [*range(0, len(data), 37), len(data) - 1]:
        with pytest.raises((RuntimeError, pickle.UnpicklingError)):
            load_bytes(data[:length])


def test_flipped_bytes_are_errors_or_harmless():
    file = io.BytesIO()
    kagari.save({"w": kagari.arange(8.0), "b": kagari.tensor([True, False])}, file)
    data = bytearray(file.getvalue())
    rng = np.random.default_rng(0)
    for _ in range(10_000):
        broken = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            broken[place] = rng.integers(0, 256)
        try:
            loaded = load_bytes(bytes(broken))
        except (RuntimeError, pickle.UnpicklingError):
            continue
        assert isinstance(loaded, (dict, int, float, str, list, tuple, type(None), kagari.Tensor))


def test_zip_bombs_and_forged_entries():
    with pytest.raises(RuntimeError, match="compressed"):
        load_bytes(archive(tensor_pickle(), [bytes(10**6)], zipfile.ZIP_DEFLATED))
    good = bytearray(archive(tensor_pickle(), [bytes(16)]))
    directory = good.rindex(b"PK\x01\x02", 0, good.rindex(b"archive/data/0"))
    forged = bytearray(good)
    forged[directory + 20 : directory + 28] = struct.pack("<II", 2**31, 2**31)
    with pytest.raises(RuntimeError, match="past the end"):
        load_bytes(bytes(forged))
    forged = bytearray(good)
    forged[directory + 42 : directory + 46] = struct.pack("<I", 4)
    with pytest.raises(RuntimeError):
        load_bytes(bytes(forged))
    with pytest.raises(RuntimeError, match="damaged"):
        load_bytes(bytes(good.replace(bytes(16), bytes(15) + b"\1", 1)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_other_files():
    for data in (b"", b"PK", b"hello, world", bytes(100)):
        with pytest.raises(RuntimeError, match="load: the file"):
            load_bytes(data)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zip:
        zip.writestr("x/readme", "no checkpoint")
    with pytest.raises(RuntimeError, match="without data.pkl"):
        load_bytes(file.getvalue())
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zip:
        for _ in range(2):
            zip.writestr("x/data.pkl", pickle.dumps(1))
    with pytest.raises(RuntimeError, match="twice"):
        load_bytes(file.getvalue())
    elsewhere = tensor_pickle().replace(b"X\3\0\0\0cpu", b"X\6\0\0\0cuda:0")
    with pytest.raises(RuntimeError, match="map_location='cpu'"):
        load_bytes(archive(elsewhere, [bytes(16)]))
    loaded = kagari.load(io.BytesIO(archive(elsewhere, [bytes(16)])), map_location="cpu")
    assert loaded.tolist() == [0.0] * 4


def test_bytes_of_bools_other_than_0_and_1():
    data = archive(tensor_pickle(kind=b"BoolStorage"), [b"\0\1\2\xff"])
    assert load_bytes(data).tolist() == [False, True, True, True]
    assert load_bytes(data).sum().item() == 3


def test_checksums_are_those_of_zip():
    data = np.random.default_rng(0).integers(0, 256, 5000, np.uint8).tobytes()
    for size in [*range(200), 1023, 4096, 4999]:
        for start in (0, 1):
            part = data[start : start + size]
            assert kagari._C._crc32(part) == zlib.crc32(part)


def test_options_of_writing(tmp_path):
    value = {"w": kagari.arange(1000.0), "n": 3}
    serialization.set_crc32_options(False)
    try:
        assert not serialization.get_crc32_options()
        kagari.save(value, tmp_path / "unchecked")
    finally:
        serialization.set_crc32_options(True)
    with zipfile.ZipFile(tmp_path / "unchecked") as file:
        assert {info.CRC for info in file.infolist()} == {0}
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"w": torch.arange(1000.0), "n": 3}, tmp_path / "theirs")
    finally:
        torch.serialization.set_crc32_options(True)
    for name in ("unchecked", "theirs"):
        loaded = kagari.load(tmp_path / name)
        assert kagari.equal(loaded["w"], value["w"]) and loaded["n"] == 3
    assert torch.load(tmp_path / "unchecked")["w"].tolist() == value["w"].tolist()
    with serialization.skip_data():
        kagari.save(value, tmp_path / "empty")
        kagari.save(value, file := io.BytesIO())
    assert os.path.getsize(tmp_path / "empty") == os.path.getsize(tmp_path / "unchecked")
    for empty in (tmp_path / "empty", io.BytesIO(file.getvalue())):
        loaded = kagari.load(empty)
        assert not loaded["w"].any() and len(loaded["w"]) == 1000 and loaded["n"] == 3


def test_shared_mapping_writes_to_the_file(tmp_path):
    kagari.save(kagari.zeros(4), tmp_path / "w")
    kagari.load(tmp_path / "w", mmap=True).add_(1)
    assert kagari.load(tmp_path / "w").tolist() == [0.0] * 4
    serialization.set_crc32_options(False)  # writing to it leaves the checksum behind
    serialization.set_default_mmap_options(mmap.MAP_SHARED)
    try:
        kagari.save(kagari.zeros(4), tmp_path / "w")
        kagari.load(tmp_path / "w", mmap=True).add_(1)
    finally:
        serialization.set_default_mmap_options(mmap.MAP_PRIVATE)
        serialization.set_crc32_options(True)
    assert kagari.load(tmp_path / "w").tolist() == [1.0] * 4
    assert serialization.get_default_mmap_options() == mmap.MAP_PRIVATE
    with pytest.raises(ValueError, match="MAP_SHARED"):
        serialization.set_default_mmap_options(7)


def test_globals_of_a_file_are_named_without_running_it(tmp_path):
    sent = {"w": torch.ones(2), "own": Evil(), "odd": range(3)}
    for options in ({}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 4}):
        torch.save(sent, tmp_path / "x", **options)
        found = serialization.get_unsafe_globals_in_checkpoint(tmp_path / "x")
        range_is = "__builtin__.xrange" if "pickle_protocol" not in options else "builtins.range"
        assert found == [range_is, f"{__name__}.Evil"]
    torch.save({"w": torch.ones(2)}, tmp_path / "x")
    assert serialization.get_unsafe_globals_in_checkpoint(str(tmp_path / "x")) == []


class Evil:
    """A class that a file may not make."""


def test_places_of_other_packages(monkeypatch):
    monkeypatch.setattr(
        serialization.locations, "_registered", [*serialization.locations._registered]
    )
    away = []
    serialization.register_package(
        5, lambda storage: "moon:0" if away else None,
        lambda storage, place: away.append(place) or storage if place == "moon:0" else None,
    )  # fmt: skip
    assert through(kagari.ones(2)).tolist() == [1.0, 1.0] and not away
    away.append("go")
    assert through(kagari.ones(2)).tolist() == [1.0, 1.0] and away == ["go", "moon:0"]
    assert serialization.location_tag(kagari.ones(1).untyped_storage()) == "moon:0"
    with pytest.raises(RuntimeError, match="mars"):
        serialization.default_restore_location(kagari.ones(1).untyped_storage(), "mars")
