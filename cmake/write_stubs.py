"""Writes the type stubs of what is made at run time: ops, methods of Tensor, legacy types.

    PYTHONPATH=src python cmake/write_stubs.py    # or: make stubs

The ops' signatures come from their schemas, those of functions in Python from themselves. What is
C++ and no op (shape, size(), operators) is written by hand in src/kagari/_C.pyi.
"""

import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kagari
from kagari import _C, _linalg_names, _storage, _tensor, _window_writes, special
from kagari._schemas import Parameter, Schema
from kagari.kernels import define

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "kagari"
HEAD = '''"""{what} Written by cmake/write_stubs.py; do not edit."""

# mypy: disable-error-code="overload-overlap, override, misc"
from builtins import bool as _bool, complex as _complex, float as _float, int as _int, str as _str
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, overload

from kagari._C import Generator as _Generator, Size as _Size, Tensor
from kagari._C import device as _device, dtype as _dtype

_Number = _int | _float | _bool | _complex
'''
TYPES = {
    "Tensor": "Tensor",
    "Operand": "Tensor | _Number",
    "Scalar": "_Number",
    "int": "_int",
    "float": "_float",
    "bool": "_bool",
    "str": "_str",
    "dtype": "_dtype",
    "device": "_device | _str | _int",
    "Generator": "_Generator",
    "int[]": "_int | Sequence[_int]",
    "float[]": "Sequence[_float]",
    "Tensor[]": "Sequence[Tensor]",
    "Tensor?[]": "Sequence[Tensor | None]",
}
RESULTS = {"Tensor": "Tensor", "int": "_int", "bool": "_bool", "Tensor[]": "tuple[Tensor, ...]"}
POINTWISE = set(define.load())

# --- ops -----------------------------------------------------------------------------------------


def parameter_text(p: Parameter, pointwise: bool) -> str:
    """One argument; operands of pointwise ops may be numbers."""
    base = p.type.removesuffix("?")
    kind = TYPES["Operand" if pointwise and base == "Tensor" else base]
    kind += " | None" if p.type.endswith("?") else ""
    return f"{p.name}: {kind}" + ("" if p.default is inspect.Parameter.empty else " = ...")


def arguments_text(schema: Schema, method: bool, inplace: bool, takes_out: bool) -> str:
    pointwise = schema.name.split(".")[0] in POINTWISE
    parts, starred = ["self"] if method else [], False
    for i, p in enumerate(schema.parameters):
        if i == 0 and method:
            continue
        if p.keyword_only and not starred:
            parts, starred = [*parts, "*"], True
        first = i == 0 and (inplace or len(schema.parameters) == 1)
        parts.append(parameter_text(p, pointwise and not first))
    if takes_out:
        several = schema.result.startswith("(")
        parts += [] if starred else ["*"]
        parts.append(f"out: {'tuple[Tensor, ...]' if several else 'Tensor'} | None = ...")
    return ", ".join(parts)


def result_text(schema: Schema, prefix: str) -> str:
    """Named results have a class of their own."""
    if not schema.result.startswith("("):
        return RESULTS[schema.result]
    parts = [part.split() for part in schema.result.strip("()").split(", ")]
    if len(parts[0]) == 1:
        return f"tuple[{', '.join('Tensor' for _ in parts)}]"
    return f"{prefix}_{''.join(part[1].title() for part in parts)}"


def result_classes(functions: dict[str, Any]) -> Iterator[str]:
    """The classes of named results."""
    seen = set()
    for function in functions.values():
        for schema in map(Schema.parse, function.schemas):
            name = result_text(schema, "")
            if name.startswith("_") and name not in seen and name not in RESULTS.values():
                seen.add(name)
                yield f"\nclass {name}(NamedTuple):"
                for part in schema.result.strip("()").split(", "):
                    yield f"    {part.split()[1]}: Tensor"


def takes_out(function: Any, schema: str) -> bool:
    """A call without anything says what is wrong with each signature."""
    try:
        function(out=None)
    except Exception as error:
        problems = str(error).splitlines()
        if len(function.schemas) > 1:
            problems = [line for line in problems if line.strip().startswith(f"{schema}:")]
        return "keyword argument 'out'" not in problems[0]
    return True


def op_text(name: str, function: Any, method: bool, prefix: str = "") -> Iterator[str]:
    """The signatures of an op, and sizes given one by one."""
    inplace = name.endswith("_") and not name.endswith("__")
    signatures = []
    for text in function.schemas:
        schema = Schema.parse(text)
        out = not method and not inplace and takes_out(function, text)
        result = "Tensor" if inplace else result_text(schema, prefix)
        signatures.append((arguments_text(schema, method, inplace, out), result))
        sizes = schema.parameters[1:2]
        if method and sizes and sizes[0].type == "int[]":
            signatures.append((f"self, *{sizes[0].name}: _int", result))
    for arguments, result in signatures:
        if len(signatures) > 1:
            yield "@overload"
        yield f"def {name}({arguments}) -> {result}: ..."


# --- functions written in Python ------------------------------------------------------------------


def annotation_text(annotation: Any) -> str:
    """As the stubs name it; Any for what they do not."""
    simple = {int: "_int", float: "_float", bool: "_bool", str: "_str", complex: "_complex"}
    simple |= {kagari.Tensor: "Tensor", kagari.dtype: "_dtype", kagari.Size: "_Size"}
    simple |= {None: "None", types.NoneType: "None", Generator: "_Generator"}
    try:
        if annotation in simple:
            return simple[annotation]
    except TypeError:
        return "Any"
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is types.UnionType or origin is typing.Union:
        texts = [annotation_text(part) for part in parts]
        return "Any" if "Any" in texts else " | ".join(texts)
    if origin in (tuple, list, dict):
        texts = ["..." if part is Ellipsis else annotation_text(part) for part in parts]
        return f"{origin.__name__}[{', '.join(texts)}]"
    name = getattr(origin, "__name__", "")
    if name == "Sequence":
        return f"Sequence[{', '.join(annotation_text(part) for part in parts)}]"
    return "Callable[..., Any]" if name == "Callable" else "Any"


Generator = _C.Generator


def python_text(name: str, function: Callable[..., Any]) -> str:
    """The signature of a function in Python."""
    parts, starred = [], False
    parameters = list(inspect.signature(function).parameters.values())
    for i, p in enumerate(parameters):
        kind = annotation_text(p.annotation) if p.annotation is not p.empty else "Any"
        stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        if p.kind is p.KEYWORD_ONLY and not starred:
            parts.append("*")
        starred |= p.kind in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)
        default = "" if p.default is p.empty else " = ..."
        parts.append("self" if p.name == "self" else f"{stars}{p.name}: {kind}{default}")
        if p.kind is p.POSITIONAL_ONLY and parameters[i + 1 : i + 2] != []:
            if parameters[i + 1].kind is not p.POSITIONAL_ONLY:
                parts.append("/")
    result = inspect.signature(function).return_annotation
    text = "Any" if result is inspect.Signature.empty else annotation_text(result)
    return f"def {name}({', '.join(parts)}) -> {text}: ..."


# --- the files -----------------------------------------------------------------------------------


def functions_stub(what: str, functions: dict[str, Any], public: list[str]) -> str:
    """A module of ops and Python functions."""
    ops = {name: f for name, f in functions.items() if hasattr(f, "schemas")}
    lines = [HEAD.format(what=what), "__all__ = ["]
    lines += [f'    "{name}",' for name in sorted(public)] + ["]"]
    lines += result_classes(ops)
    for name in sorted(functions):
        if name in ops:
            lines += op_text(name, functions[name], False)
        else:
            lines.append(python_text(name, functions[name]))
    return "\n".join(lines) + "\n"


def ops_stub() -> str:
    found = {}
    for place in ("ops", "functions.nn", "functions."):
        found.update(_C.places[place])
    return functions_stub("The ops as functions.", found, list(_C.places["functions."]))


def linalg_names_stub() -> str:
    named = {name: getattr(_linalg_names, name) for name in _linalg_names.__all__}
    return functions_stub("Names of linear algebra at the top.", named, list(named))


def window_writes_stub() -> str:
    named = {name: getattr(_window_writes, name) for name in _window_writes.__all__}
    return functions_stub("Writes through windows, and views as copies.", named, list(named))


def special_stub() -> str:
    named = {name: getattr(special, name, None) for name in dir(special)}
    named = {name: f for name, f in named.items() if callable(f) and not name.startswith("_")}
    return functions_stub("Special functions.", named, list(named))


def members() -> Iterator[str]:
    """The attributes of Tensor but for those written by hand."""
    for name, member in sorted(vars(kagari.Tensor).items()):
        special_name = name.startswith("__") and name not in _tensor.METHODS
        if special_name or (name.startswith("_") and not name.startswith("__")):
            continue
        if hasattr(member, "schemas"):
            yield from op_text(name, member, True)
        elif isinstance(behind := getattr(member, "__wrapped__", member), types.FunctionType):
            yield python_text(name, behind)
        elif isinstance(member, bool):
            yield f"{name}: _bool"
        elif isinstance(member, property):
            result = inspect.signature(member.fget).return_annotation
            yield f"@property\ndef {name}(self) -> {annotation_text(result)}: ..."
            if member.fset:
                yield f"@{name}.setter\ndef {name}(self, value: Any) -> None: ..."


MARK = "    # --- written by cmake/write_stubs.py; do not edit ---\n"


def extension_stub() -> str:
    """What is written by hand, then the methods of Tensor, then what stands on it."""
    by_hand = (PACKAGE / "_C.pyi").read_text().split(MARK)[0]
    methods = {n: m for n, m in vars(kagari.Tensor).items() if hasattr(m, "schemas")}
    lines = ["    " + line.replace("\n", "\n    ") for line in members()]
    lines += result_classes(methods)
    for name in _tensor.legacy_types():
        lines.append(f"\nclass {name}(Tensor):")
        lines.append("    def __init__(self, *args: Any, device: Any = None) -> None: ...")
    lines += ["", *(f"{name}: Any" for name in _storage.legacy_types())]
    return by_hand + MARK + "\n".join(lines) + "\n"


STUBS: dict[str, Callable[[], str]] = {
    "_C.pyi": extension_stub,
    "_ops.pyi": ops_stub,
    "_linalg_names.pyi": linalg_names_stub,
    "_window_writes.pyi": window_writes_stub,
    "special.pyi": special_stub,
}


def main() -> int:
    for name, make in STUBS.items():
        (PACKAGE / name).write_text(make())
    return 0


if __name__ == "__main__":
    sys.exit(main())
