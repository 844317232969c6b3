"""Rows of the C++ table: one per variant of an op, one per derivative; an expression per dtype.

A derivative of a row is a row again ("exp", "exp.d0", "exp.d0.d1"), to any order. Their kernels are
made by kernel.py, their C++ text by table.py.
"""

from dataclasses import dataclass
from functools import cache, cached_property

from . import define, dtypes
from . import expr as e
from .function import MISSING, Gradients
from .scalar.diff import fit, vjp
from .scalar.simplify import simplify

MAX_OPERANDS = 8
_KIND_DTYPE = {
    "T": lambda dtype: dtype,
    "S": lambda dtype: dtype,
    "B": lambda dtype: "bool",
    "I": lambda dtype: "i64",
    "R": dtypes.real_of,
    "C": dtypes.complex_of,
}


@dataclass(frozen=True)
class Operand:
    name: str
    kind: str


@dataclass(frozen=True)
class Derivative:
    """How the gradient of one operand is had: rule None, Zero, Identity, Missing, or Op with its
    row."""

    rule: str
    row: str | None = None
    uses: tuple[str, ...] = ()


def dtype_of(kind: str, dtype: str) -> str:
    """The dtype that an operand of this kind has where the row computes in `dtype`."""
    return _KIND_DTYPE[kind](dtype)


class Row:
    """One kernel per dtype."""

    name: str
    operands: tuple[Operand, ...]
    promote: str
    rule: Gradients | None = None
    meaningless: tuple[tuple[str, ...], str] = ((), "")
    exact_out = False
    flows = True  # whether results take part in differentiation

    def trace(self, dtype: str) -> e.Expr:
        """The expression for a computing dtype that is no half type."""
        raise NotImplementedError

    @cached_property
    def dtypes(self) -> tuple[str, ...]:
        raise NotImplementedError

    @cached_property
    def result(self) -> str:
        raise NotImplementedError

    @cached_property
    def _expressions(self) -> dict[str, e.Expr]:
        return {}

    def expression(self, dtype: str) -> e.Expr:
        """The result as an expression on symbols named as the operands."""
        dtype = dtypes.compute_of(dtype)
        if dtype not in self._expressions:
            self._expressions[dtype] = self.trace(dtype)
        return self._expressions[dtype]

    def inputs(self, dtype: str) -> list[e.Expr]:
        return [e.symbol(o.name, dtype_of(o.kind, dtype)) for o in self.operands]

    @property
    def differentiable(self) -> tuple[str, ...]:
        return tuple(d for d in self.dtypes if d in dtypes.FLOATING + dtypes.COMPLEX)

    @cached_property
    def fresh(self) -> tuple[str, str]:
        """Names for the gradient and the output that no operand has."""
        taken = {o.name for o in self.operands}
        grad, output = "grad", "output"
        while grad in taken or output in taken:
            grad, output = grad + "_", output + "_"
        return grad, output

    @cached_property
    def _gradients(self) -> dict[str, list[e.Expr | None]]:
        return {}

    def gradients(self, dtype: str) -> list[e.Expr | None]:
        """Per operand, the gradient on the symbols of the operands, of grad and of output."""
        dtype = dtypes.compute_of(dtype)
        if dtype not in self._gradients:
            self._gradients[dtype] = self._differentiate(dtype)
        return self._gradients[dtype]

    def _differentiate(self, dtype: str) -> list[e.Expr | None]:
        y, inputs = self.expression(dtype), self.inputs(dtype)
        grad, output = (e.symbol(n, y.dtype) for n in self.fresh)
        if self.rule is not None:
            found = list(self.rule(grad, output, tuple(inputs)))
        else:
            found = vjp(y, grad, inputs)
            # Where the result occurs in its own derivative, the saved result is used.
            places = {} if y.op in ("input", "const") else {y: output}
            found = [None if g is None else e.substitute([g], places)[0] for g in found]
        for i, (operand, x) in enumerate(zip(self.operands, inputs, strict=True)):
            g = found[i]
            if g is MISSING:
                continue
            found[i] = fit(g, x.dtype) if g is not None and operand.kind in "TRC" else None
        live = [i for i, g in enumerate(found) if g is not None]
        for i, g in zip(live, simplify([g for g in found if g is not None]), strict=True):
            found[i] = g
        return found

    @cached_property
    def derivatives(self) -> tuple[Derivative, ...]:
        return tuple(self._derivative(i) for i in range(len(self.operands)))

    def _derivative(self, i: int) -> Derivative:
        types = sorted({dtypes.compute_of(d) for d in self.differentiable})
        if not self.flows:
            return Derivative("None")
        if self.operands[i].kind not in "TRC" or self.result not in "TRC" or not types:
            return Derivative("None")
        found = [self.gradients(d)[i] for d in types]
        if found[0] is MISSING:
            return Derivative("Missing")
        if all(g is None or e.is_const(g, 0) or e.is_const(g, -0.0) for g in found):
            return Derivative("Zero")
        if all(g is not None and g.op == "input" and g.data == self.fresh[0] for g in found):
            return Derivative("Identity")
        used: set[str] = set()
        for g in found:
            used.update(e.symbols(g) if g is not None else ())
        order = [*(o.name for o in self.operands), self.fresh[1]]
        return Derivative("Op", f"{self.name}.d{i}", tuple(n for n in order if n in used))

    def derivative(self, i: int) -> "DerivativeRow":
        return DerivativeRow(self, i)


class VariantRow(Row):
    """A variant of a public op."""

    def __init__(self, op: define.Pointwise, variant: define.Variant):
        self.op = op
        self.name = variant.name
        self.operands = tuple(Operand(p.name, p.kind) for p in variant.operands)
        self.promote = op.promote_of(variant)
        self.function = op.functions[variant.name]
        self.rule = self.function.vjp
        self.meaningless = op.meaningless
        self.exact_out = "O" in op.flags
        self.flows = op.differentiable
        if len(self.operands) > MAX_OPERANDS:
            raise ValueError(f"{self.name}: at most {MAX_OPERANDS} operands")

    def trace(self, dtype: str) -> e.Expr:
        y = self.function.trace(tuple(dtype_of(o.kind, dtype) for o in self.operands))
        return y if isinstance(y, e.Expr) else e.const(y, dtype)

    @cached_property
    def dtypes(self) -> tuple[str, ...]:
        possible = {
            "same": dtypes.ALL,
            "equal": dtypes.ALL,
            "number": dtypes.INTEGRAL + dtypes.FLOATING + dtypes.COMPLEX,
            "float": dtypes.FLOATING + dtypes.COMPLEX,
            "bool": (dtypes.BOOL,),
        }[self.promote]
        if self.op.chosen is not None:
            return tuple(d for d in possible if d in self.op.chosen)
        return tuple(d for d in possible if self._traceable(d))

    def expression(self, dtype: str) -> e.Expr:
        y = super().expression(dtype)
        if dtype in dtypes.HALF and self.op.halved is not None:
            return self.op.halved(dtype, y)
        return y

    def _traceable(self, dtype: str) -> bool:
        try:
            self.expression(dtype)
        except e.Unsupported:
            return False
        return True

    @cached_property
    def result(self) -> str:
        types = {(d, self.expression(d).dtype) for d in map(dtypes.compute_of, self.dtypes)}
        for kind in "BTRCI":
            if types and all(dtype_of(kind, d) == r for d, r in types):
                return kind
        raise TypeError(f"{self.name}: no kind describes its results {sorted(types)}")


class DerivativeRow(Row):
    """The gradient of operand `index` of another row."""

    promote = "same"

    def __init__(self, source: Row, index: int):
        self.source = source
        self.index = index
        self.name = f"{source.name}.d{index}"
        kinds = {o.name: o.kind for o in source.operands}
        kinds[source.fresh[1]] = source.result
        uses = source.derivatives[index].uses
        grad = Operand(source.fresh[0], source.result)
        self.operands = (grad, *(Operand(n, kinds[n]) for n in uses))

    def trace(self, dtype: str) -> e.Expr:
        found = self.source.gradients(dtype)[self.index]
        operand = self.source.inputs(dtype)[self.index]
        return e.const(0, operand) if found is None else found

    @cached_property
    def dtypes(self) -> tuple[str, ...]:
        return self.source.differentiable

    @cached_property
    def result(self) -> str:
        return self.source.operands[self.index].kind


@cache
def _variant_row(op: define.Pointwise, index: int) -> VariantRow:
    return VariantRow(op, op.variants[index])


def rows_of(op: define.Pointwise, order: int = 2) -> list[Row]:
    """The rows of an op's variants and of their derivatives up to `order`."""
    rows: list[Row] = [_variant_row(op, i) for i in range(len(op.variants))]
    level = [r for r in rows if r.dtypes]
    found = list(level)
    for _ in range(order):
        level = [
            row.derivative(i)
            for row in level
            for i, d in enumerate(row.derivatives)
            if d.rule == "Op"
        ]
        found += level
    return found


@cache
def find_row(name: str) -> Row:
    """The row of this name ("gelu.tanh.d0"), to any order of derivative."""
    parts = name.split(".")
    order = len(parts)
    while order > 1 and parts[order - 1][0] == "d" and parts[order - 1][1:].isdigit():
        order -= 1
    op = define.registry.get(parts[0]) or define.load().get(parts[0])
    base = ".".join(parts[:order])
    index = next((i for i, v in enumerate(op.variants) if v.name == base), None) if op else None
    if op is None or index is None:
        raise KeyError(f"no pointwise op has the row {name!r}")
    row: Row = _variant_row(op, index)
    for part in parts[order:]:
        i = int(part[1:])
        if i >= len(row.operands) or row.derivatives[i].rule != "Op":
            raise KeyError(f"{row.name} has no derivative row {part!r}")
        row = row.derivative(i)
    return row
