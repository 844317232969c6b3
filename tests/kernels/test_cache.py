"""The disk cache: what is damaged or foreign is never trusted; several processes may share it."""

import os
import subprocess
import sys

import pytest

from kagari.kernels import cache, kernel, runtime
from kagari.kernels.targets import object_code


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KAGARI_CACHE", str(tmp_path / "kernels"))
    return tmp_path / "kernels"


def test_what_is_written_is_read(folder):
    name = cache.key("a", "b")
    assert cache.read(name) is None
    cache.write(name, b"code")
    assert cache.read(name) == b"code"
    assert [p.name for p in folder.iterdir()] == [name]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:20],
        lambda data: b"",
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"another format\n" + data,
        lambda data: data + b"more",
    ],
)
def test_a_damaged_entry_is_dropped(folder, damage):
    name = cache.key("x")
    cache.write(name, b"code" * 100)
    path = folder / name
    path.write_bytes(damage(path.read_bytes()))
    assert cache.read(name) is None
    assert not path.exists()


def test_an_entry_under_another_name_is_foreign(folder):
    cache.write(cache.key("x"), b"code")
    os.rename(folder / cache.key("x"), folder / cache.key("y"))
    assert cache.read(cache.key("y")) is None


def test_a_folder_that_cannot_be_written_is_no_error(folder, monkeypatch):
    (folder.parent / "file").write_text("")
    monkeypatch.setenv("KAGARI_CACHE", str(folder.parent / "file" / "kernels"))
    cache.write(cache.key("x"), b"code")
    assert cache.read(cache.key("x")) is None


def test_a_damaged_entry_is_compiled_again(folder, monkeypatch):
    compiled = []

    def counting(ir, target):
        compiled.append(ir)
        return object_code(ir, target)

    monkeypatch.setattr(runtime, "object_code", counting)
    ir = kernel.ir_of("relu.f32", runtime.host())
    runtime.compile_ir(ir, runtime.host())
    runtime.compile_ir(ir, runtime.host())
    assert len(compiled) == 1
    (entry,) = folder.iterdir()
    entry.write_bytes(entry.read_bytes()[:-7])
    runtime.compile_ir(ir, runtime.host())
    assert len(compiled) == 2
    assert cache.read(entry.name)


def test_processes_share_it(folder):
    program = "from kagari.kernels import runtime; print(runtime.provide('tanh.f64') > 0)"
    running = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [p.communicate()[0].strip() for p in running] == ["True", "True"]
    assert len(list(folder.iterdir())) == 1
