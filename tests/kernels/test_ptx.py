"""PTX for the same definitions; assembled where ptxas is on the machine."""

import shutil
import subprocess

import pytest

from kagari.kernels import define, kernel, rows, rowwise
from kagari.kernels.lowering import ptx

FEW = ("add.f16", "exp.f32", "tanh.f64", "mul.c64", "lt.i64", "where.bf16", "mul.d0.f32", "add.u8")


@pytest.mark.parametrize("name", FEW)
def test_one_entry_with_all_parameters(name):
    program = kernel.program_of(name)
    text = ptx.ptx_of(program, "k")
    assert text.count(".entry k(") == 1
    assert text.count(".param .u64") == 1 + 2 * len(program.operands)


def test_bool_is_a_byte():
    assert "st.global.b8" in ptx.ptx_of(kernel.program_of("lt.f32"))


def assemble(folder, names: list[str]) -> None:
    """All kernels in one file, through ptxas."""
    pieces, head = [], ""
    for i, name in enumerate(names):
        text = ptx.ptx_of(kernel.program_of(name), f"k{i}")
        head, _, body = text.partition(".address_size 64")
        pieces.append(body)
    source = folder / "all.ptx"
    source.write_text(head + ".address_size 64" + "\n".join(pieces))
    target = ["-arch=sm_90", str(source), "-o", str(folder / "all.cubin")]
    made = subprocess.run(["ptxas", *target], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[:2000]


@pytest.mark.skipif(shutil.which("ptxas") is None, reason="ptxas is not on this machine")
def test_every_op_assembles(tmp_path):
    """In float32, or in the last dtype the op has, with first derivatives."""
    found = [row for op in define.load().values() for row in rows.rows_of(op, order=1)]
    names = [f"{r.name}.{'f32' if 'f32' in r.dtypes else r.dtypes[-1]}" for r in found]
    assemble(tmp_path, names)


@pytest.mark.skipif(shutil.which("ptxas") is None, reason="ptxas is not on this machine")
def test_every_row_program_assembles(tmp_path):
    define.load()
    programs = rowwise.registry.values()
    names = [f"{p.name}.{'f32' if 'f32' in p.dtypes else p.dtypes[-1]}" for p in programs]
    assert len(names) > 20
    assemble(tmp_path, names)
