"""Schemas of custom ops: read for the names and defaults of arguments, written from annotations."""

import ast
import functools
import inspect
import operator
import re
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import kagari

_REQUIRED = inspect.Parameter.empty
_NAMES: dict[Any, str] = {
    kagari.Tensor: "Tensor", int: "SymInt", float: "float", bool: "bool", str: "str",
    kagari.dtype: "ScalarType", kagari.device: "Device", int | float | bool: "Scalar",
}  # fmt: skip


class Argument(NamedTuple):
    """One argument: its name, the value where none is given, whether only by keyword."""

    name: str
    default: Any
    keyword: bool
    written: bool


def _value(text: str) -> Any:
    """A default as schemas write them; what is no literal (`Mean`, `cpu`) stays text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False}.get(text, text)


def _split(text: str) -> list[str]:
    """At the commas that are in no brackets."""
    return [part.strip() for part in re.split(r",(?![^\[(]*[\])])", text) if part.strip()]


def parse(schema: str) -> tuple[list[Argument], int]:
    """The arguments of "(Tensor x, int n=1) -> Tensor", and how many results there are."""
    match = re.fullmatch(r"\s*[\w:.]*\s*\((.*)\)\s*->\s*(.+?)\s*", schema, re.S)
    if match is None:
        raise RuntimeError(f"library: schema: expected '(Tensor x) -> Tensor', got {schema!r}")
    arguments, keyword = [], False
    for part in _split(match[1]):
        if part == "*":
            keyword = True
            continue
        declared, _, default = part.partition("=")
        kind, _, name = declared.strip().rpartition(" ")
        value = _value(default) if default else _REQUIRED
        arguments.append(Argument(name, value, keyword, "!" in kind))
    results = match[2]
    several = results.startswith("(") and not re.match(r"\([a-z]!?\)", results)
    return arguments, len(_split(results[1:-1])) if several else 1


def infer_schema(
    prototype_function: Callable[..., Any],
    *,
    mutates_args: str | Iterable[str],
    op_name: str | None = None,
) -> str:
    """The schema that a function's annotations say; ValueError where one is missing or unknown.

    >>> def scale(x: kagari.Tensor, by: float = 2.0) -> kagari.Tensor: ...
    >>> infer_schema(scale, mutates_args=())
    '(Tensor x, float by=2.0) -> Tensor'
    """
    hints = typing.get_type_hints(prototype_function)
    signature = inspect.signature(prototype_function)
    parts, starred = [], False
    written = signature.parameters if mutates_args == "unknown" else mutates_args
    for name, parameter in signature.parameters.items():
        if name not in hints:
            raise ValueError(f"infer_schema: {name}: expected an annotation")
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        kind = _type_name(hints[name], name)
        if name in written and kind.startswith("Tensor"):
            kind = kind.replace("Tensor", f"Tensor(a{len(parts)}!)", 1)
        default = parameter.default
        text = f'"{default}"' if isinstance(default, str) else default
        parts.append(f"{kind} {name}" + ("" if default is _REQUIRED else f"={text}"))
    result = hints.get("return", type(None))
    if result is type(None):
        results = "()"
    elif typing.get_origin(result) is tuple:
        results = "(" + ", ".join(_type_name(r, "return") for r in typing.get_args(result)) + ")"
    else:
        results = _type_name(result, "return")
    return f"{op_name or ''}({', '.join(parts)}) -> {results}"


def _type_name(kind: Any, where: str) -> str:
    if kind in _NAMES:
        return _NAMES[kind]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType) and type(None) in inner:
        rest = [one for one in inner if one is not type(None)]
        return _type_name(functools.reduce(operator.or_, rest), where) + "?"
    if origin in (list, Sequence):
        return _type_name(inner[0], where) + "[]"
    raise ValueError(f"infer_schema: {where}: a schema has no type for {kind}")
