"""Kernels at first use: those that are not built in, and ops defined at run time."""

import subprocess
import sys

import numpy as np
import pytest

from kagari.kernels import define, interpret, loops, rows, runtime
from kagari.kernels import expr as e
from kagari.kernels import kernel as kernels
from kagari.kernels.lowering import ptx


@pytest.fixture
def softsign_cubed():
    """An op defined while the program runs, through the public function."""

    @define.pointwise(promote="float")
    def softsign_cubed(input, *, scale=1.0):
        """(input / (1 + |input|)) cubed, times a scale."""
        y = input / (1 + e.abs(input))
        return y * y * y * scale

    yield softsign_cubed
    del define.registry["softsign_cubed"]
    rows.find_row.cache_clear()


def apply(name: str, *operands: np.ndarray) -> np.ndarray:
    out = np.empty_like(operands[0])
    data = [out.ctypes.data, *(x.ctypes.data for x in operands)]
    runtime.call(runtime.provide(name), out.size, data, [out.itemsize] * len(data))
    return out


def test_an_op_defined_at_run_time(softsign_cubed):
    x, g, h = (np.linspace(*ends, 41) for ends in ((-3, 3), (1, 2), (2, 1)))
    with np.errstate(all="ignore"):
        f = lambda v: (v / (1 + abs(v))) ** 3
        np.testing.assert_allclose(apply("softsign_cubed.f64", x), f(x), rtol=1e-14)
        d1 = (f(x + 1e-6) - f(x - 1e-6)) / 2e-6
        first = rows.find_row("softsign_cubed.d0")
        assert [o.name for o in first.operands] == ["grad", "input"]
        np.testing.assert_allclose(apply("softsign_cubed.d0.f64", g, x), g * d1, atol=1e-8)
        second = rows.find_row("softsign_cubed.d0.d1")
        values = {"grad": g, "grad_": h, "input": x}
        got = apply("softsign_cubed.d0.d1.f64", *(values[o.name] for o in second.operands))
    d2 = 6 * x / (1 + abs(x)) ** 4 - 12 * x * abs(x) / (1 + abs(x)) ** 5
    np.testing.assert_allclose(got, g * h * d2, rtol=1e-10, atol=1e-12)
    assert ".entry kernel" in ptx.ptx_of(kernels.program_of("softsign_cubed.f32"))
    fields = runtime.row("softsign_cubed.scale")
    assert fields["kinds"] == "TS" and fields["grad_name"] == "SoftsignCubedBackward0"


def test_third_derivatives_are_made_at_first_use():
    x = np.linspace(0.5, 2, 9)
    row = rows.find_row("sigmoid.d0.d1.d2")
    operands = [np.linspace(1, 2, 9) + i for i in range(len(row.operands) - 1)]
    got = apply("sigmoid.d0.d1.d2.f64", *operands, x)
    np.testing.assert_allclose(got, interpret.run(row, "f64", *operands, x), rtol=1e-14)


def test_unknown_kernels_are_key_errors():
    with pytest.raises(KeyError, match="no_such_op"):
        runtime.provide("no_such_op.f32")
    with pytest.raises(KeyError, match="does not compute in 'i32'"):
        runtime.provide("exp.i32")


def test_a_fused_program_of_several_results():
    x, y = e.symbol("x", "f32"), e.symbol("y", "f32")
    memory = [loops.Operand(n, "f32") for n in ("a", "b", "x", "y")]
    results = (x * y + 1, e.where(x < y, x, y))
    address = runtime.provide_program(
        loops.Pointwise(tuple(memory[:2]), tuple(memory[2:]), results)
    )
    a, b, p, q = (np.linspace(i, 3 - i, 50, dtype="f4") for i in range(4))
    runtime.call(address, 50, [v.ctypes.data for v in (a, b, p, q)], [4] * 4)
    np.testing.assert_allclose(a, p * q + 1, rtol=1e-6)
    np.testing.assert_array_equal(b, np.minimum(p, q))


def test_what_is_compiled_can_be_shown(monkeypatch, capsys):
    monkeypatch.setenv("KAGARI_SHOW", "ir,asm")
    runtime.compile_ir(kernels.ir_of("relu.f32", runtime.host()), runtime.host())
    shown = capsys.readouterr().err
    assert "define void @kernel" in shown and ".globl\tkernel" in shown


def test_a_kernel_is_compiled_once():
    assert runtime.provide("relu.f64") == runtime.provide("relu.f64")


def test_importing_is_light():
    """LLVM and numpy are loaded when something is compiled or folded, not before."""
    program = (
        "import sys, kagari.kernels.define, kagari.kernels.runtime;"
        "print('llvmlite' in sys.modules, 'numpy' in sys.modules)"
    )
    bare = "import sys, types; m = types.ModuleType('kagari'); m.__path__ = [sys.argv[1]];"
    bare += "sys.modules['kagari'] = m;" + program
    folder = define.__file__.rpartition("/kernels/")[0]
    got = subprocess.run(
        [sys.executable, "-c", bare, folder], capture_output=True, text=True, check=True
    )
    assert got.stdout.split() == ["False", "False"]
