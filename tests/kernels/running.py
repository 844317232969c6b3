"""Runs compiled kernels on numpy arrays for the tests: memory, strides and half types."""

import functools

import numpy as np

from kagari.kernels import dtypes, kernel, runtime
from kagari.kernels.targets import TARGETS

EXTREMES = (
    [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1e-30, -1e-30, 300.0, -300.0, 88.0, 1e30]
    + [float("inf"), float("-inf"), float("nan"), 1e-42, 3.0, -2.5]
)  # fmt: skip


def levels() -> list[str]:
    """The levels this machine can run."""
    order = ["v2", "v3", "v4"]
    best = runtime.host().name
    return order[: order.index(best) + 1] if best in order else [best]


@functools.cache
def address(name: str, level: str) -> int:
    target = TARGETS[level]
    return runtime.compile_ir(kernel.ir_of(name, target), target)


def stored(values: np.ndarray, dtype: str) -> np.ndarray:
    """The values as they lie in memory; bf16 as its bits."""
    with np.errstate(over="ignore"):
        if dtype != "bf16":
            return np.asarray(values).astype(dtypes.NUMPY[dtype])
        values = np.asarray(values).astype(np.float32)
    bits = values.view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    quiet = np.where(np.isnan(values), 0x7FC0, rounded)
    return quiet.astype(np.uint16)


def values_of(memory: np.ndarray, dtype: str) -> np.ndarray:
    if dtype != "bf16":
        return memory
    return (memory.astype(np.uint32) << 16).view(np.float32)


def run(name: str, level: str, operands: list[np.ndarray], n: int, out_gap: int = 1) -> np.ndarray:
    """The result of `n` elements; an operand's own numpy stride is used (0 where broadcast)."""
    program = kernel.program_of(name)
    (output,) = program.outputs
    size = dtypes.SIZE[output.dtype]
    kind = "uint16" if output.dtype == "bf16" else dtypes.NUMPY[output.dtype]
    memory = np.zeros(max(1, n * out_gap), kind)
    memory[1::out_gap] = 77 if out_gap > 1 else memory[1::out_gap]
    pointers = [memory.ctypes.data, *(a.ctypes.data for a in operands)]
    strides = [out_gap * size, *(a.strides[0] for a in operands)]
    runtime.call(address(name, level), n, pointers, strides)
    return memory[::out_gap][:n]


def sample(dtype: str, n: int, seed: int = 0, extremes: bool = True) -> np.ndarray:
    """Values of a dtype (f32 values for half types), extremes first."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.integers(0, 2, n).astype(bool)
    if dtypes.is_integral(dtype):
        low = 0 if dtypes.is_unsigned(dtype) else -9
        return rng.integers(low, 10, n).astype(dtypes.NUMPY[dtype])
    if dtypes.is_complex(dtype):
        parts = rng.normal(size=n) + 1j * rng.normal(size=n)
        return parts.astype(dtypes.NUMPY[dtype])
    found = rng.normal(size=n) * 2
    if extremes:
        count = min(n, len(EXTREMES))
        found[:count] = rng.permutation(EXTREMES)[:count]
    memory = stored(found.astype(np.float32) if dtype in dtypes.HALF else found, dtype)
    return values_of(memory, dtype)


TOLERANCE = {"f16": 2e-3, "bf16": 2e-2, "f32": 2e-6, "f64": 1e-14, "c64": 2e-5, "c128": 1e-12}


def assert_same(got: np.ndarray, want: np.ndarray, dtype: str, note: str = "") -> None:
    """Equal for exact dtypes, close for floats; NaN and infinities in the same places."""
    rtol = TOLERANCE.get(dtype, 0)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol, err_msg=note, equal_nan=True)
