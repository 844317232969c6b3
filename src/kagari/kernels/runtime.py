"""Kernels compiled in this process at first use: ops defined at run time, and rare dtypes.

`provide(name)` gives the address of a kernel; the C++ core calls it back. Code stays loaded for the
life of the process. The disk cache (cache.py) is asked before LLVM is.
"""

import ctypes
import functools
import os
import sys
import threading

from . import cache, kernel, loops, rows, rowwise, table
from .targets import TARGETS, Target, assembly, object_code

Signature = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)

_lock = threading.RLock()
_addresses: dict[str, int] = {}
_engines: list[object] = []  # they own the code


@functools.cache
def host() -> Target:
    """The best level that this machine has, or a lower one that KAGARI_CPU_LEVEL names."""
    import platform

    from .targets import host_features

    if platform.machine() in ("aarch64", "arm64"):
        return TARGETS["neon"]
    asked = os.environ.get("KAGARI_CPU_LEVEL", "v4")
    features = host_features()
    if asked == "v4" and all(
        features.get(f) for f in ("avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512cd")
    ):
        return TARGETS["v4"]
    has_v3 = features.get("avx2") and features.get("fma")
    return TARGETS["v3" if asked != "v2" and has_v3 else "v2"]


def provide(name: str) -> int:
    """The address of the kernel of this name ("exp.d0.f32"); KeyError if nothing defines it."""
    with _lock:
        if name not in _addresses:
            _addresses[name] = compile_ir(kernel.ir_of(name, host()), host())
        return _addresses[name]


def provide_program(program: loops.Pointwise | rowwise.Row) -> int:
    """The address of the kernel of a loop program that no definition names: a fused one."""
    with _lock:
        ir = kernel.module_of(program, host())
        if ir not in _addresses:
            _addresses[ir] = compile_ir(ir, host())
        return _addresses[ir]


def row(name: str) -> dict:
    """The members of PointwiseSpec for a row that is not in the built table."""
    return table.fields(rows.find_row(name))


def compile_ir(ir: str, target: Target) -> int:
    """Load a module with one exported function named `kernel`; returns its address."""
    import llvmlite

    _show(ir, target)
    name = cache.key(llvmlite.__version__, target.name, ir)
    code = cache.read(name)
    if code is None:
        code = object_code(ir, target)
        cache.write(name, code)
    return load(code, target)


def _show(ir: str, target: Target) -> None:
    """KAGARI_SHOW=ir,asm prints every kernel as it is compiled at run time."""
    parts = os.environ.get("KAGARI_SHOW", "").split(",")
    if "ir" in parts:
        print(ir, file=sys.stderr)
    if "asm" in parts:
        print(assembly(ir, target), file=sys.stderr)


def load(code: bytes, target: Target) -> int:
    """Link object code into this process."""
    from .targets import engine_of

    with _lock:
        engine = engine_of(code, target)
        _engines.append(engine)
        return engine.get_function_address("kernel")


def call(address: int, n: int, pointers: list[int], strides: list[int]) -> None:
    """Run a kernel on raw memory: for tests and for showing."""
    data = (ctypes.c_void_p * len(pointers))(*pointers)
    steps = (ctypes.c_int64 * len(strides))(*strides)
    Signature(address)(n, ctypes.addressof(data), ctypes.addressof(steps))
