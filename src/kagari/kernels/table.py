"""The C++ text of the pointwise table (ops/pointwise/pointwise_spec.h): its rows and the ops."""

import json
from collections.abc import Iterable

from . import define, dtypes
from .rows import Row, VariantRow

_PROMOTE = {n: f"Promote::{n.title()}" for n in ("same", "float", "bool", "number", "equal")}
_TYPE = {"T": "Tensor", "R": "Tensor", "C": "Tensor", "B": "Tensor", "I": "Tensor", "S": "Scalar"}

HEAD = """// Written from the definitions by src/kagari/kernels/table.py; do not edit.
#include "ops/pointwise/pointwise_spec.h"

namespace kagari {
"""


def quote(text: str | None) -> str:
    """A C++ string literal; long ones are split, as compilers limit their length."""
    if text is None:
        return "nullptr"
    pieces = [text[i : i + 8000] for i in range(0, len(text), 8000)] or [""]
    return "\n".join(json.dumps(p) for p in pieces)


def grad_name(row: Row) -> str | None:
    """ "ExpBackward0"; None where no gradient flows."""
    if all(d.rule == "None" for d in row.derivatives):
        return None
    base = row.name.split(".")[0].split("__")[0].rstrip("_")  # pow__square is a case of pow
    return "".join(p[:1].upper() + p[1:] for p in base.split("_")) + "Backward0"


def dtype_bits(names: Iterable[str]) -> int:
    return sum(1 << dtypes.NUMBERING.index(d) for d in names)


def uses_bits(row: Row, uses: tuple[str, ...]) -> int:
    places = {o.name: 1 << i for i, o in enumerate(row.operands)}
    places[row.fresh[1]] = 1 << 31
    return sum(places[n] for n in uses)


def fields(row: Row) -> dict:
    """A row as plain values: the members of PointwiseSpec."""
    derivatives = [
        {"rule": d.rule, "op": d.row, "uses": uses_bits(row, d.uses)} for d in row.derivatives
    ]
    return {
        "name": row.name,
        "promote": row.promote,
        "result": row.result,
        "kinds": "".join(o.kind for o in row.operands),
        "dtypes": dtype_bits(row.dtypes),
        "derivatives": derivatives,
        "grad_name": grad_name(row),
        "meaningless": dtype_bits(row.meaningless[0]),
        "remedy": row.meaningless[1],
        "exact_out": row.exact_out,
    }


def spec_text(row: dict) -> str:
    """One initialiser of kPointwiseSpecs."""
    derivatives = ", ".join(
        f"{{Derivative::{d['rule']}, {quote(d['op'])}, {d['uses']}u}}" for d in row["derivatives"]
    )
    return (
        f'    {{"{row["name"]}", {len(row["kinds"])}, {_PROMOTE[row["promote"]]}, '
        f"'{row['result']}', \"{row['kinds']}\", {row['dtypes']}, {{{derivatives}}}, "
        f"{quote(row['grad_name'])}, {row['meaningless']}, {quote(row['remedy'])}, "
        f"{str(row['exact_out']).lower()}}},"
    )


def schema(op: define.Pointwise, name: str) -> str:
    """ "add(Tensor input, Tensor other, *, Scalar alpha=1) -> Tensor" """
    parts, starred = [], False
    for p in op.parameters:
        if p.keyword and not starred:
            parts.append("*")
            starred = True
        if p.role == "mode":
            optional = "?" if p.default is None or None in op.modes.get(p.name, ()) else ""
            default = "None" if p.default is None else f"'{p.default}'"
            parts.append(f"str{optional} {p.name}={default}")
        elif p.role in ("operand", "optional"):
            kind = "Operand" if p.name in op.numbers else _TYPE[p.kind]
            parts.append(f"{kind} {p.name}" if p.role == "operand" else f"{kind}? {p.name}=None")
        else:
            kind = "int" if p.kind == "I" else _TYPE[p.kind]
            parts.append(f"{kind} {p.name}={p.default}")
    return f"{name}({', '.join(parts)}) -> Tensor"


def present_bits(op: define.Pointwise, row: VariantRow) -> int:
    passed = {o.name for o in row.operands}
    return sum(1 << i for i, p in enumerate(op.parameters) if p.name in passed)


def op_fields(op: define.Pointwise, rows: Iterable[VariantRow]) -> dict:
    """A public op as plain values. `rows` are its variants that have dtypes, in order."""
    by_name = {v.name: v for v in op.variants}
    return {
        "schemas": [schema(op, n) for n in (op.name, *op.aliases)],
        "flags": op.flags,
        "doc": op.__doc__,
        "variants": [[present_bits(op, r), by_name[r.name].mode, r.name] for r in rows],
    }


def op_text(op: dict, index: int) -> tuple[str, str]:
    """The array of variants, and the initialisers of kPointwiseOps."""
    variants = "".join(
        f"    {{{present}u, {quote(mode)}, {quote(name)}}},\n"
        for present, mode, name in op["variants"]
    )
    array = f"const PointwiseVariant kVariants{index}[] = {{\n{variants}    {{}}}};\n"
    entries = "\n".join(
        f"    {{{quote(s)}, {quote(op['flags'])},\n     {quote(op['doc'])},\n"
        f"     kVariants{index}}},"
        for s in op["schemas"]
    )
    return array, entries


def cpp(rows: list[dict], ops: list[dict]) -> str:
    """The whole file."""
    texts = [op_text(op, i) for i, op in enumerate(ops)]
    specs = "\n".join(spec_text(r) for r in rows)
    return (
        f"{HEAD}const PointwiseSpec kPointwiseSpecs[] = {{\n{specs}\n    {{}}}};\n\n"
        f"namespace {{\n{''.join(a for a, _ in texts)}}}  // namespace\n\n"
        "const PointwiseOp kPointwiseOps[] = {\n"
        + "\n".join(t for _, t in texts)
        + "\n    {}};\n\n}  // namespace kagari\n"
    )
