"""PTX for the same definitions; assembled where ptxas is on the machine."""

import shutil
import subprocess

import pytest

from kagari.kernels import define, kernel, ptx, rows

FEW = ("add.f16", "exp.f32", "tanh.f64", "mul.c64", "lt.i64", "where.bf16", "mul.d0.f32", "add.u8")


@pytest.mark.parametrize("name", FEW)
def test_one_entry_with_all_parameters(name):
    program = kernel.program_of(name)
    text = ptx.ptx_of(program, "k")
    assert text.count(".entry k(") == 1
    assert text.count(".param .u64") == 1 + 2 * len(program.operands)


def test_bool_is_a_byte():
    assert "st.global.b8" in ptx.ptx_of(kernel.program_of("lt.f32"))


@pytest.mark.skipif(shutil.which("ptxas") is None, reason="ptxas is not on this machine")
def test_every_op_assembles(tmp_path):
    """All ops in float32 (or the first dtype they have), in one file, with first derivatives."""
    pieces, head = [], ""
    for op in define.load().values():
        for row in rows.rows_of(op, order=1):
            dtype = "f32" if "f32" in row.dtypes else row.dtypes[-1]
            program = kernel.program_of(f"{row.name}.{dtype}")
            text = ptx.ptx_of(program, f"k{len(pieces)}")
            head, _, body = text.partition(".address_size 64")
            pieces.append(body)
    source = tmp_path / "all.ptx"
    source.write_text(head + ".address_size 64" + "\n".join(pieces))
    target = ["-arch=sm_90", str(source), "-o", str(tmp_path / "all.cubin")]
    made = subprocess.run(["ptxas", *target], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr[:2000]
