"""The ahead-of-time build: its table, and that it does nothing twice."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from kagari.kernels import define, kernel, rows, runtime
from kagari.kernels.aot import build
from kagari.kernels.targets import TARGETS, object_code

HOST = runtime.host().name
OPS = ("add", "exp", "lt")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A build of three ops for this machine."""
    out = tmp_path_factory.mktemp("aot")
    everything = dict(define.load())
    try:
        for name in set(everything) - set(OPS):
            del define.registry[name]
        build.build(out, [HOST], 1, "ld")
        first = {p.name: p.stat().st_mtime_ns for p in (out / "kernel_cache").iterdir()}
        build.build(out, [HOST], 1, "ld")
    finally:
        define.registry.clear()
        define.registry.update(everything)
    return out, first


def test_nothing_is_made_twice(built):
    out, first = built
    again = {p.name: p.stat().st_mtime_ns for p in (out / "kernel_cache").iterdir()}
    assert {n for n in again if first.get(n) != again[n]} == {f"table_{HOST}.o"}


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a linker driver")
def test_the_table_is_sorted_and_works(built):
    out, _ = built
    library = out / "kernels.so"
    subprocess.run(["g++", "-shared", "-o", library, out / f"kernels_{HOST}.o"], check=True)
    loaded = ctypes.CDLL(str(library))
    count = ctypes.c_int64.in_dll(loaded, f"kagari_kernels_{HOST}_count").value
    entries = (ctypes.c_void_p * 2 * count).in_dll(loaded, f"kagari_kernels_{HOST}")
    names = [ctypes.string_at(n).decode() for n, _ in entries]
    assert names == sorted(names) and len(set(names)) == count
    expected = {
        f"{row.name}.{d}" for name in OPS for row in rows.rows_of(define.registry[name], 1)
        for d in row.dtypes
    }  # fmt: skip
    assert expected <= set(names)
    x, out_ = np.linspace(-1, 1, 50, dtype="f4"), np.empty(50, "f4")
    address = entries[names.index("exp.f32")][1]
    runtime.call(address, 50, [out_.ctypes.data, x.ctypes.data], [4, 4])
    np.testing.assert_allclose(out_, np.exp(x), rtol=2e-7)


def test_the_table_of_ops_is_cpp(built):
    out, _ = built
    text = (out / "pointwise_table.cpp").read_text()
    assert '{"exp.d0", 2, Promote::Same, \'T\', "TT"' in text
    assert '"add(Operand input, Operand other, *, Scalar alpha=1) -> Tensor"' in text


def test_other_machines_are_compiled_for_here():
    """ARM objects come out of the same IR writer."""
    target = TARGETS["neon"]
    for name in ("exp.f32", "mul.c64", "add.f16", "sum.f32"):
        assert object_code(kernel.ir_of(name, target), target)[18] == 0xB7  # EM_AARCH64
