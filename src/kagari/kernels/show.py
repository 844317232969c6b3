"""Shows what becomes of a definition: formula, derivatives, IR, assembly, PTX. Used by kagari.show.

python -m kagari.show silu                      everything, in float32, for this machine
python -m kagari.show silu.d0 --what ir,asm     parts of one row
python -m kagari.show silu --dtype f64 --target v3
python -m kagari.show softmax                   a row program: what each pass over a row does
"""

import argparse

from . import define, dtypes, kernel, rows, rowwise
from . import expr as e

_INFIX = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "and": "&", "or": "|", "xor": "^", "shl": "<<",
    "shr": ">>", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=",
}  # fmt: skip
WIDTH = 70
PARTS = ("formula", "derivative", "expanded", "ir", "asm", "ptx")


def formula(root: e.Expr) -> str:
    """The expression as text; what is used twice, or long, gets a line and a name of its own."""
    order = e.topological([root])
    uses: dict[e.Expr, int] = {}
    for x in order:
        for a in x.args:
            uses[a] = uses.get(a, 0) + 1
    lines: list[str] = []
    texts: dict[e.Expr, str] = {}
    for x in order:
        text = _text(x, [texts[a] for a in x.args])
        own_line = x is not root and bool(x.args) and (uses[x] > 1 or len(text) > WIDTH)
        if own_line:
            lines.append(f"t{len(lines)} = {text}")
            text = f"t{len(lines) - 1}"
        texts[x] = text
    return "\n".join([*lines, texts[root]])


def _text(x: e.Expr, args: list[str]) -> str:
    if x.op == "input":
        return x.data
    if x.op == "const":
        return repr(x.data) if not isinstance(x.data, float) else f"{x.data:.9g}"
    if x.op in _INFIX:
        left, right = (f"({a})" if " " in a and not _closed(a) else a for a in args)
        return f"{left} {_INFIX[x.op]} {right}"
    if x.op == "loop":
        loop, index = x.data
        start, given = args[: len(loop.state)], args[len(loop.state) :]
        steps = ", ".join(
            f"{s.data} = {formula(step)}" for s, step in zip(loop.state, loop.steps, strict=True)
        )
        begin = ", ".join(f"{s.data} = {a}" for s, a in zip(loop.state, start, strict=True))
        fixed = "".join(f", {g.data} = {a}" for g, a in zip(loop.given, given, strict=True))
        return f"state{index}({begin}{fixed}; while {formula(loop.condition)}: {steps})"
    if x.op in ("neg", "not"):
        inside = f"({args[0]})" if " " in args[0] and not _closed(args[0]) else args[0]
        return ("-" if x.op == "neg" else "~") + inside
    name = {"call": x.data.name if x.op == "call" else "", "cast": x.dtype, "bitcast": x.dtype}
    prefix = "bits_as_" if x.op == "bitcast" else ""
    return f"{prefix}{name.get(x.op, x.op)}({', '.join(args)})"


def _closed(text: str) -> bool:
    """Whether the text is one call f(...), which needs no parentheses."""
    if not text.endswith(")") or text.startswith(("(", "-", "~")):
        return False
    depth = 0
    for at, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == " " and depth == 0 or c == ")" and depth == 0 and at < len(text) - 1:
            return False
    return True


def _signature(row: rows.Row) -> str:
    return f"{row.name}({', '.join(o.name for o in row.operands)})"


def _derivatives(row: rows.Row, dtype: str) -> str:
    found = []
    for i, (operand, d) in enumerate(zip(row.operands, row.derivatives, strict=True)):
        if d.rule == "Op":
            found.append(f"{operand.name}: {_signature(row.derivative(i))} =")
            gradient = row.gradients(dtype)[i]
            text = "0" if gradient is None else formula(gradient)
            found.append("    " + text.replace("\n", "\n    "))
        else:
            words = {"None": "none", "Zero": "zero", "Missing": "refused", "Identity": row.fresh[0]}
            found.append(f"{operand.name}: {words[d.rule]}")
    return "\n".join(found)


def passes(program: rowwise.Row) -> str:
    """What each pass over a row does: the steps of its reductions, then what it stores."""
    operands = ", ".join(f"{o.name} ({o.kind} {o.dtype})" for o in program.operands)
    lines = [f"operands: {operands}"]
    for level in range(program.passes):
        lines.append(f"pass {level}:")
        for a in (a for a in program.accumulators if a.level == level):
            parts = zip(a.state, a.start, a.step, a.result, strict=True)
            for state, start, step, result in parts:
                text = formula(step).replace("\n", "\n        ")
                lines.append(f"    {formula(state)}: from {formula(start)}, at each element")
                lines.append(f"        {text}\n    {formula(result)} is its last value")
        for s in (s for s in program.stores if s.level == level):
            for part in s.parts:
                text = formula(part).replace("\n", "\n        ")
                lines.append(f"    {s.operand.name} =\n        {text}")
    return "\n".join(lines)


def report(name: str, dtype: str, target: str, parts: tuple[str, ...]) -> str:
    """The asked parts of one row, each under a heading."""
    from .function import expand
    from .lowering.ptx import ptx_of
    from .targets import TARGETS, assembly

    full = f"{name}.{dtype}"
    program = kernel.program_of(full)
    makers = {
        "ir": lambda: kernel.ir_of(full, TARGETS[target]),
        "asm": lambda: assembly(kernel.ir_of(full, TARGETS[target]), TARGETS[target]),
        "ptx": lambda: ptx_of(program),
    }
    if isinstance(program, rowwise.Row):
        makers["formula"] = lambda: passes(program)
        parts = tuple(p for p in parts if p in makers)
    else:
        row = rows.find_row(name)
        makers["formula"] = lambda: f"{_signature(row)} =\n{formula(row.expression(dtype))}"
        makers["derivative"] = lambda: _derivatives(row, dtype)
        makers["expanded"] = lambda: formula(expand([row.expression(dtype)])[0])
    return "\n\n".join(f"--- {full}: {part}\n{makers[part]().rstrip()}" for part in parts)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser("kagari.show", description=__doc__.splitlines()[0])
    parser.add_argument(
        "row", help="an op, a variant (add.alpha), a derivative (exp.d0), a row program"
    )
    parser.add_argument("--dtype", default="f32", choices=dtypes.ALL)
    parser.add_argument("--target", default="host", help="v2, v3, v4, neon or host")
    parser.add_argument("--what", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    args = parser.parse_args(arguments)
    target = args.target
    if target == "host":
        from .runtime import host

        target = host().name
    define.load()
    try:
        print(report(args.row, args.dtype, target, tuple(args.what.split(","))))
    except KeyError as error:
        parser.error(str(error.args[0]))
