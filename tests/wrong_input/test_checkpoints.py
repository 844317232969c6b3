"""Checkpoints that are cut short, damaged or made to do harm: errors, and nothing else happens."""

import io
import pickle
import random
import warnings
import zipfile
from collections import OrderedDict

import pytest

import kagari

CLEAN = (
    RuntimeError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    AttributeError,
    NotImplementedError,
    OverflowError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)


def checkpoint():
    state = OrderedDict(
        weight=kagari.arange(12.0).reshape(3, 4), bias=kagari.ones(3, dtype=kagari.bfloat16)
    )
    file = io.BytesIO()
    kagari.save({"model": state, "epoch": 3, "names": ["a", "b"]}, file)
    return file.getvalue()


def load(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kagari.load(io.BytesIO(data))


def walk(value):
    """Touches every number of what was loaded."""
    if isinstance(value, kagari.Tensor):
        value.tolist()
    elif isinstance(value, dict):
        for part in value.values():
            walk(part)
    elif isinstance(value, list | tuple):
        for part in value:
            walk(part)


@pytest.fixture(autouse=True)
def little_memory():
    kagari.cpu.empty_cache()
    kagari.cpu.set_memory_limit(kagari.cpu.memory_allocated() + (256 << 20))
    yield
    kagari.cpu.set_memory_limit(0)


def test_cut_short():
    data = checkpoint()
    for end in [*range(0, len(data), 7), len(data) - 1]:
        with pytest.raises(CLEAN):
            load(data[:end])


@pytest.mark.parametrize("seed", range(8))
def test_damaged(seed):
    data, pick = checkpoint(), random.Random(seed)
    for _ in range(60):
        damaged = bytearray(data)
        for _ in range(pick.choice([1, 1, 2, 8])):
            damaged[pick.randrange(len(damaged))] = pick.randrange(256)
        try:
            walk(load(bytes(damaged)))
        except CLEAN as error:
            assert str(error) or isinstance(error, EOFError)


def rewritten(data, change):
    """The same archive with one member changed by `change(name, bytes)`, sums of check included."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target.getvalue()


@pytest.mark.parametrize("seed", range(8))
def test_damaged_pickles_with_right_check_sums(seed):
    data, pick = checkpoint(), random.Random(seed)

    def damage(name, content):
        if not name.endswith("data.pkl"):
            return content
        content = bytearray(content)
        for _ in range(pick.choice([1, 2, 4])):
            content[pick.randrange(len(content))] = pick.randrange(256)
        return bytes(content)

    for _ in range(60):
        try:
            walk(load(rewritten(data, damage)))
        except CLEAN as error:
            assert str(error) or isinstance(error, EOFError)


def test_storages_that_are_too_small():
    def shorten(name, content):
        return content[: len(content) // 2] if "/data/" in name else content

    with pytest.raises(CLEAN):
        walk(load(rewritten(checkpoint(), shorten)))


def test_missing_members():
    for part in ("data.pkl", "/data/0", "/data/1"):
        target = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(checkpoint())) as old, zipfile.ZipFile(target, "w") as new:
            for name in old.namelist():
                if not name.endswith(part):
                    new.writestr(name, old.read(name))
        with pytest.raises(CLEAN):
            walk(load(target.getvalue()))


class Harm:
    done = False

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def harm(*_):
    Harm.done = True


@pytest.mark.parametrize(
    "function, arguments",
    [
        (harm, ()),
        (eval, ("1",)),
        (exec, ("1",)),
        (getattr, (1, "real")),
        (__import__, ("os",)),
        (open, ("/tmp/kagari-harm", "w")),
        (kagari.load, ("/etc/passwd",)),
        (print, ("x",)),
        (map, (harm, [1])),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_nothing_foreign_is_called(function, arguments, protocol):
    hostile = pickle.dumps({"x": Harm(function, *arguments)}, protocol)
    data = rewritten(checkpoint(), lambda name, old: hostile if name.endswith(".pkl") else old)
    with pytest.raises(CLEAN):
        load(data)
    with pytest.raises(CLEAN):
        load(hostile)
    assert not Harm.done


@pytest.mark.parametrize("data", [b"", b"PK", b"\x80\x02.", b"hello", b"\0" * 1000, b"PK\3\4" * 99])
def test_no_checkpoints_at_all(data):
    with pytest.raises(CLEAN):
        load(data)
