"""Kernels by name: "exp.d0.f32" is the row "exp.d0" computing in f32. Any machine."""

from . import define, loops, rows, rowwise
from .lowering import pointwise, sweep
from .lowering.pointwise import Function
from .targets import Target, module_text


def split_name(name: str) -> tuple[str, str]:
    """Row name and dtype."""
    row, _, dtype = name.rpartition(".")
    return row, dtype


def program_of(name: str) -> loops.Pointwise | rowwise.Row:
    """The loop program of a kernel; KeyError for a name that no definition has."""
    define.load()
    if found := rowwise.find(name):
        return found[0].program(found[1])
    row_name, dtype = split_name(name)
    row = rows.find_row(row_name)
    if dtype not in row.dtypes:
        raise KeyError(f"{row_name} does not compute in {dtype!r}; it does in {row.dtypes}")
    return loops.pointwise(row, dtype)


def lower_program(program: loops.Pointwise | rowwise.Row, target: Target, symbol: str) -> Function:
    """A loop program as a function for a machine."""
    if isinstance(program, rowwise.Row):
        return sweep.lower(program, target, symbol)
    return pointwise.lower(program, target, symbol)


def ir_of(name: str, target: Target) -> str:
    """The module with the kernel of this name."""
    return module_of(program_of(name), target)


def module_of(program: loops.Pointwise | rowwise.Row, target: Target) -> str:
    """The module with one program, as the exported function `kernel`."""
    function = lower_program(program, target, "kernel")
    return module_text(target, [function.exported()], function.declarations)
