"""Loop programs: an iteration space, operands with affine strides, and what is computed in it.

A program says what a kernel does; lowering/ turns it into LLVM IR. Sizes are
run-time arguments, never part of a program. A pointwise kernel is the simplest program: one pass
that stores.
"""

from dataclasses import dataclass

from . import dtypes
from . import expr as e
from .rows import Row, dtype_of


@dataclass(frozen=True)
class Operand:
    """Memory that is read or written, in its stored dtype. `name` is its symbol in expressions."""

    name: str
    dtype: str


@dataclass(frozen=True, eq=False)
class Pointwise:
    """outputs[i] = results[i] for every element; results are expressions on the inputs' symbols."""

    outputs: tuple[Operand, ...]
    inputs: tuple[Operand, ...]
    results: tuple[e.Expr, ...]

    @property
    def operands(self) -> tuple[Operand, ...]:
        """In the order of the kernel's arguments."""
        return self.outputs + self.inputs


def stored_dtype(kind: str, dtype: str) -> str:
    """What memory holds for an operand of this kind in a kernel for `dtype`."""
    return dtype if kind in "TS" else dtype_of(kind, dtype)


def pointwise(row: Row, dtype: str) -> Pointwise:
    """The loop program of a row."""
    y = row.expression(dtype)
    inputs = tuple(Operand(o.name, stored_dtype(o.kind, dtype)) for o in row.operands)
    result = dtype if dtypes.compute_of(dtype) == y.dtype else y.dtype
    return Pointwise((Operand("result", result),), inputs, (y,))
