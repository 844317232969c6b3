"""Which names of torch a program uses that kagari does not have, read from its text.

Names are followed through imports (`import torch.nn as nn`, `from torch import optim`) in the
scope where they stand; attributes of values (`x.foo()`) are not known without running.
"""

import ast
import dataclasses
import importlib
import importlib.util
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .missing import explain

_CATCHES = {"ImportError", "ModuleNotFoundError", "AttributeError", "Exception", "BaseException"}
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclasses.dataclass(frozen=True)
class Use:
    """A use of a name that is not there."""

    file: str
    line: int
    name: str
    guarded: bool

    def __str__(self) -> str:
        guarded = " (guarded)" if self.guarded else ""
        return f"{self.file}:{self.line}: {self.name}{guarded}: {explain(self.name)}"


def check(target: str) -> list[Use]:
    """The uses in a file, in a folder's files, or in an importable package's.

    Raises FileNotFoundError where there is none of these, SyntaxError where a file is not Python.

    >>> check("train.py")  # doctest: +SKIP
    [Use(file='train.py', line=3, name='torch.jit.script', guarded=False)]
    """
    return [use for path in _files(target) for use in check_source(path.read_text(), str(path))]


def check_source(text: str, file: str = "<string>") -> list[Use]:
    """The uses in a program's text.

    >>> [use.name for use in check_source("from torch import nn; nn.Linear, nn.Fantasy")]
    ['torch.nn.Fantasy']
    """
    reader = _Reader(file)
    reader.block(ast.parse(text, file).body)
    return sorted(set(reader.found), key=lambda use: (use.line, use.name))


def _files(target: str) -> Iterator[Path]:
    path = Path(target)
    if path.is_file():
        yield path
        return
    if not path.is_dir():
        top, *rest = target.split(".")
        spec = importlib.util.find_spec(top) if target.replace(".", "").isidentifier() else None
        if spec is None or spec.origin is None:
            raise FileNotFoundError("no such file, folder or package")
        path = Path(spec.origin)
        path = path.parent.joinpath(*rest) if path.name == "__init__.py" else path
        if not path.is_dir():
            yield path if path.is_file() else path.with_suffix(".py")
            return
    yield from sorted(path.rglob("*.py"))


def missing_part(name: str) -> str | None:
    """The shortest start of "torch.a.b" that kagari does not have; None if all is there.

    >>> missing_part("torch.nn.Fantasy.forward")
    'torch.nn.Fantasy'
    """
    value: Any = importlib.import_module("kagari")
    parts = name.split(".")
    for end, part in enumerate(parts[1:], 2):
        if isinstance(value, types.ModuleType):
            inside = _in_module(value, part)
        elif isinstance(value, type):
            inside = getattr(value, part, None) if hasattr(value, part) else _MISSING
        else:
            return None
        if inside is _MISSING:
            return ".".join(parts[:end])
        value = inside
    return None


_MISSING = object()


def _in_module(module: types.ModuleType, name: str) -> Any:
    try:
        return getattr(module, name)
    except AttributeError:
        pass
    inside = f"{module.__name__}.{name}"
    try:
        return importlib.import_module(inside)
    except ModuleNotFoundError as error:
        if error.name in (inside, module.__name__):
            return _MISSING
        raise


def _dotted(node: ast.expr) -> list[str] | None:
    """["torch", "nn"] for the expression torch.nn."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *parts[::-1]] if isinstance(node, ast.Name) else None


def _guards(test: ast.expr) -> bool:
    """Is this the condition of a program that asks what is there?"""
    words = ("hasattr(", "TYPE_CHECKING", "available()", "is_scripting")
    return any(word in ast.unparse(test) for word in words)


def _catches(handler: ast.ExceptHandler) -> bool:
    names = ast.walk(handler.type) if handler.type else ()
    return handler.type is None or any(getattr(n, "id", None) in _CATCHES for n in names)


def _bound(node: ast.AST) -> Iterator[str]:
    """Names that a statement or a function's arguments bind, besides imports."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name


class _Reader(ast.NodeVisitor):
    """Walks a file with the names that lead to torch, scope by scope."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Use] = []
        self.scopes: list[dict[str, str | None]] = []  # name -> dotted torch name; None: not torch
        self.guards = 0

    def block(self, body: list[ast.stmt], *extra: ast.AST) -> None:
        """A scope: what it binds is known before it is read."""
        scope: dict[str, str | None] = {}
        for node in _within(*extra, *body):
            scope.update(dict.fromkeys(_bound(node)))
        for node in _within(*body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                scope.update(_imported(node))
        self.scopes.append(scope)
        for statement in body:
            self.visit(statement)
        self.scopes.pop()

    def report(self, name: str, line: int) -> None:
        missing = missing_part(name)
        if missing:
            self.found.append(Use(self.file, line, missing, self.guards > 0))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.split(".")[0] == "torch":
                self.report(alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level == 0 and module.split(".")[0] == "torch":
            for alias in node.names:
                name = module if alias.name == "*" else f"{module}.{alias.name}"
                self.report(name, alias.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        parts = _dotted(node)
        if parts is None:
            self.visit(node.value)
            return
        start = next((scope[parts[0]] for scope in self.scopes[::-1] if parts[0] in scope), None)
        if start:
            self.report(".".join([start, *parts[1:]]), node.end_lineno or node.lineno)

    def visit_If(self, node: ast.If | ast.IfExp) -> None:
        self.visit(node.test)
        self.guarded([node.body], _guards(node.test))
        self.guarded([node.orelse], _guards(node.test))

    visit_IfExp = visit_If

    def visit_Try(self, node: ast.Try) -> None:
        self.guarded([node.body], any(_catches(handler) for handler in node.handlers))
        self.guarded([node.handlers, node.orelse, node.finalbody], False)

    def guarded(self, parts: list[Any], guarded: bool) -> None:
        self.guards += guarded
        for part in parts:
            for node in part if isinstance(part, list) else [part]:
                self.visit(node)
        self.guards -= guarded

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        for part in getattr(node, "decorator_list", []):
            self.visit(part)
        self.visit(node.args)  # defaults and annotations belong outside
        if isinstance(node, ast.Lambda):
            self.block([ast.Expr(node.body)], node.args)
            return
        if node.returns:
            self.visit(node.returns)
        self.block(node.body, node.args)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = function

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(part)
        self.block(node.body)


def _within(*nodes: ast.AST) -> Iterator[ast.AST]:
    """These nodes and what is in them, but not what is inside another scope."""
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _SCOPES):
            waiting.extend(ast.iter_child_nodes(node))


def _imported(node: ast.Import | ast.ImportFrom) -> dict[str, str | None]:
    """The names an import binds, and what of torch they lead to."""
    if isinstance(node, ast.Import):
        pairs = [(a.asname or a.name.split(".")[0], a.name if a.asname else a.name.split(".")[0])
                 for a in node.names]  # fmt: skip
    else:
        module = "." * node.level + (node.module or "")
        pairs = [(a.asname or a.name, f"{module}.{a.name}") for a in node.names]
    return {name: full if full.split(".")[0] == "torch" else None for name, full in pairs}
