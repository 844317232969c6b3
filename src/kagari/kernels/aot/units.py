"""The units of the ahead-of-time build, one per op, traced to rows and to the IR of their kernels.

A unit's key covers the compiler and the definition files that the op's file imports, so that a unit
whose key is known is not traced again. build.py compiles and links what is described here.
"""

import ast
import functools
import hashlib
import json
from pathlib import Path

from .. import define, kernel, rows, rowwise, table
from ..targets import TARGETS

FULL_ORDER = ("f32", "f64")  # second derivatives in other dtypes are compiled at first use
HERE = Path(__file__).parents[1]


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]


@functools.cache
def toolchain() -> str:
    """Which llvmlite compiles."""
    from importlib.metadata import version

    return version("llvmlite")


@functools.cache
def _compiler_key() -> str:
    """Of all of the compiler that is no definition."""
    parts = (HERE, HERE / "scalar", HERE / "lowering", HERE / "aot")
    return digest(*(p.read_text() for part in parts for p in sorted(part.glob("*.py"))))


@functools.cache
def _file_key(module: str) -> str:
    """Of a definition module and all modules of definitions/ and math/ that it imports."""
    seen: dict[str, str] = {}
    _collect(module, seen)
    return digest(*(seen[m] for m in sorted(seen)))


def _collect(module: str, seen: dict[str, str]) -> None:
    path = HERE.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if module in seen or not path.exists() or path.parent == HERE:
        return
    seen[module] = path.read_text()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for step in ast.walk(ast.parse(seen[module])):
        if isinstance(step, ast.ImportFrom) and step.level:
            parts = package.split(".")
            base = parts[: len(parts) - (step.level - 1)] + (step.module or "").split(".")
            base = [p for p in base if p]
            for name in ["", *(a.name for a in step.names)]:
                _collect(".".join([*base, name] if name else base), seen)


def names() -> list[str]:
    """All units: the ops in the order of the table, then the row programs."""
    return [*define.load(), *(p.name for p in rowwise.registry.values() if p.built)]


def _key(op: define.Pointwise | rowwise.Rowwise, levels: list[str]) -> str:
    module = op.body.__module__.split(".kernels.")[-1]
    return digest(_compiler_key(), _file_key(module), op.name, *levels)


def trace(name: str, cache: Path, levels: list[str]) -> dict:
    """The unit: its rows as values; per level, functions by symbol and symbols by kernel name."""
    op = define.registry.get(name) or rowwise.registry[name]
    path = cache / f"{name}-{_key(op, levels)}.json"
    if path.exists():
        return json.loads(path.read_text())
    unit: dict = {
        "file": str(path), "op": None, "rows": [],
        "kernels": {}, "functions": {}, "declarations": {},
    }  # fmt: skip
    if isinstance(op, rowwise.Rowwise):
        kernels = [f"{name}.{dtype}" for dtype in op.built]
    else:
        found = rows.rows_of(op)
        variants = [r for r in found if isinstance(r, rows.VariantRow)]
        unit.update(op=table.op_fields(op, variants), rows=[table.fields(r) for r in found])
        kernels = [f"{r.name}.{dtype}" for r in found for dtype in _built(r, op.built)]
    for level in levels:
        _lower_all(kernels, level, unit)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(unit))
    partial.replace(path)
    return unit


def _built(row: rows.Row, highest: int | None) -> list[str]:
    order = order_of(row)
    if highest is None or order > highest:
        return []
    return [d for d in row.dtypes if order <= 1 or d in FULL_ORDER]


def order_of(row: rows.Row) -> int:
    return 1 + order_of(row.source) if isinstance(row, rows.DerivativeRow) else 0


def _lower_all(names: list[str], level: str, unit: dict) -> None:
    kernels, functions, declarations = {}, {}, set()
    for name in names:
        program = kernel.program_of(name)
        function = kernel.lower_program(program, TARGETS[level], "kernel")
        symbol = f"k{level}_{digest(function.text)}"
        functions[symbol] = function.text
        declarations |= function.declarations
        kernels[name] = symbol
    unit["kernels"][level] = kernels
    unit["functions"][level] = functions
    unit["declarations"][level] = sorted(declarations)


def cpp(made: list[dict]) -> str:
    """pointwise_table.cpp."""
    return table.cpp([r for u in made for r in u["rows"]], [u["op"] for u in made if u["op"]])
