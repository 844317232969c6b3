"""The signatures of ops, parsed from the text of their schemas.

Used where programs ask for a signature and where the type stubs are written, and by no call.
"""

import inspect
import keyword
import re
from dataclasses import dataclass
from typing import Any

LITERALS = {"None": None, "True": True, "False": False, "inf": float("inf"), "[]": ()}


@dataclass(frozen=True)
class Parameter:
    """One argument of an op."""

    name: str
    type: str  # as in the schema
    keyword_only: bool
    default: Any = inspect.Parameter.empty


@dataclass(frozen=True)
class Schema:
    """An op's name, arguments and result."""

    name: str
    parameters: tuple[Parameter, ...]
    result: str

    @classmethod
    def parse(cls, text: str) -> "Schema":
        """From "name(type argument=default, ...) -> result".

        >>> [p.name for p in Schema.parse("add(Tensor input, Tensor other) -> Tensor").parameters]
        ['input', 'other']
        """
        found = re.fullmatch(r"([\w.]+)\((.*)\) -> (.*)", text)
        if found is None:
            raise ValueError(f"Schema.parse: expected name(...) -> result, got {text!r}")
        name, arguments, result = found.groups()
        parameters, keyword_only = [], False
        for part in filter(None, re.split(r", (?![^\[]*\])", arguments)):
            if part == "*":
                keyword_only = True
                continue
            declaration, _, default = part.partition("=")
            kind, argument = declaration.rsplit(" ", 1)
            value = _literal(default) if default else inspect.Parameter.empty
            argument += "_" * keyword.iskeyword(argument)  # "from" of random_
            parameters.append(Parameter(argument, kind, keyword_only, value))
        return cls(name, tuple(parameters), result)

    def signature(self) -> inspect.Signature:
        """For inspect.

        >>> Schema.parse("neg(Tensor input) -> Tensor").signature()
        <Signature (input)>
        """
        kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return inspect.Signature(
            [
                inspect.Parameter(p.name, kinds[p.keyword_only], default=p.default)
                for p in self.parameters
            ]
        )


def _literal(text: str) -> Any:
    if text in LITERALS:
        return LITERALS[text]
    if text[0] in "\"'":
        return text[1:-1]
    if text[0] == "[":
        return tuple(_literal(part) for part in text[1:-1].split(", "))
    return float(text) if re.search(r"[.e]|inf", text) else int(text)
