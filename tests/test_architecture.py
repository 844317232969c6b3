"""The rules that keep the tree readable, checked on its text: arrows point down, files stay small.

Every rule is a function from a source tree to its violations; the second half plants a violation
of each and demands that it is found.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("tensor", "runtime", "cpu", "autograd", "ops", "graph", "python")  # lowest first
PEERS = {"cuda": "cpu"}  # rooms beside one of those
# where ops are called by name: these grow with what calls, not with each op that is added
CALLERS = {"csrc/ops/rows.h", "csrc/python/operators.cpp"}
LONGEST_FILE = 600
LONGEST_LINE = 100
PUBLIC_HEADERS = "include"  # the C and C++ API: may be included by python/ and nothing below
SKIPPED = {"build", ".venv", ".git", "dist", "__pycache__"}
PRAGMA = re.compile(r"\s+# (type: ignore|noqa|fmt: skip).*$")  # for tools, as ruff sees it
STATEMENTS_OF_INTENT = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def sources(root: Path, *suffixes: str) -> Iterator[Path]:
    """The files that are written by hand, of these kinds."""
    for path in sorted(root.rglob("*")):
        if path.suffix in suffixes and not SKIPPED & set(path.relative_to(root).parts):
            yield path


def upward_includes(root: Path) -> list[str]:
    """`#include "room/..."` in a lower room; Python headers outside csrc/python."""
    height = {room: i for i, room in enumerate(ROOMS)}
    height |= {room: height[peer] for room, peer in PEERS.items()}
    found = []
    for path in sources(root / "csrc", ".h", ".cpp"):
        parts = path.relative_to(root / "csrc").parts
        room = parts[0] if len(parts) > 1 else None
        for include in re.findall(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', path.read_text(), re.M):
            target = include.split("/")[0]
            if room != "python" and (target == "nanobind" or include == "Python.h"):
                found.append(f"{path.relative_to(root)} includes {include}: only python/ may")
            elif room in height and target in height and height[target] > height[room]:
                found.append(f"{path.relative_to(root)} includes {include}: an upward arrow")
            elif room in height and target == "kagari" and room != "python":
                found.append(f"{path.relative_to(root)} includes the public API: {include}")
    return found


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    """(module, level) of every import statement, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level and not node.module:
                yield from ((alias.name, node.level) for alias in node.names)
            else:
                yield node.module or "", node.level


def kernel_compiler_imports(root: Path) -> list[str]:
    """What src/kagari/kernels imports of kagari besides itself."""
    package = root / "src" / "kagari" / "kernels"
    found = []
    for path in sources(package, ".py"):
        depth = len(path.relative_to(package).parts)
        for module, level in imports_of(path):
            outside = level > depth or (
                level == 0
                and module.split(".")[0] == "kagari"
                and not module.startswith("kagari.kernels")
            )
            if outside:
                found.append(f"{path.relative_to(root)} imports {'.' * level}{module}")
    return found


def switch_imports(root: Path) -> list[str]:
    """The switch stands on top: what but the command's entry and the lazy names imports it."""
    package = root / "src" / "kagari"
    return [
        f"{path.relative_to(root)} imports {module}"
        for path in sources(package, ".py")
        if "switch" not in path.relative_to(package).parts[:1]
        and str(path.relative_to(package)) not in ("__init__.py", "__main__.py")
        for module, _ in imports_of(path)
        if re.match(r"(kagari\.)?switch\b", module)
    ]


def long_files(root: Path) -> list[str]:
    found = []
    for path in sources(root, ".py", ".h", ".cpp"):
        lines = path.read_text().count("\n")
        if lines > LONGEST_FILE:
            found.append(f"{path.relative_to(root)} has {lines} lines, {LONGEST_FILE} is the most")
    return found


def long_lines(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)}:{number} has {len(line)} columns"
        for path in sources(root, ".py", ".h", ".cpp")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(PRAGMA.sub("", line)) > LONGEST_LINE
    ]


def notes_to_self(root: Path) -> list[str]:
    """Work that is not done is an issue or a page of docs/, not a comment."""
    return [
        f"{path.relative_to(root)}:{number} {line.strip()}"
        for folder in ("csrc", "src", "examples", "benchmarks", "cmake")
        for path in sources(root / folder, ".py", ".h", ".cpp", ".cmake")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if STATEMENTS_OF_INTENT.search(line)
    ]


def missing_first_lines(root: Path) -> list[str]:
    """Files that do not begin by saying what they are."""
    found = []
    for folder in ("csrc", "src", "tests", "benchmarks", "examples"):
        for path in sources(root / folder, ".py", ".h", ".cpp"):
            text = path.read_text()
            if text.strip() and not text.startswith(('"""', 'r"""', "//", "#!")):
                found.append(f"{path.relative_to(root)} does not begin by saying what it is")
    return found


def pointwise_names(root: Path) -> set[str]:
    """The names of the functions under @pointwise in the definitions."""
    names = set()
    for path in sources(root / "src" / "kagari" / "kernels" / "definitions", ".py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                for decorator in node.decorator_list:
                    if re.match(r"pointwise\b", ast.unparse(decorator)):
                        names.add(node.name)
    return names


def second_tables(root: Path, names: set[str]) -> list[str]:
    """Lists of pointwise ops in the core: four of their names as strings, close together."""
    found = []
    for path in sources(root / "csrc", ".h", ".cpp"):
        if str(path.relative_to(root)) in CALLERS:
            continue
        lines = [
            set(re.findall(r'"(\w+)"', line)) & names for line in path.read_text().splitlines()
        ]
        for start in range(len(lines)):
            near = set().union(*lines[start : start + 6])
            if len(near) >= 4:
                found.append(f"{path.relative_to(root)}:{start + 1} lists {sorted(near)[:6]}")
                break
    return found


RULES = (
    upward_includes,
    kernel_compiler_imports,
    switch_imports,
    long_files,
    long_lines,
    notes_to_self,
    missing_first_lines,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_tree_follows(rule):
    assert rule(ROOT) == []


def test_each_pointwise_op_stands_in_one_table():
    names = pointwise_names(ROOT)
    assert len(names) >= 120, "no definitions were found: this test reads the wrong place"
    assert second_tables(ROOT, names) == []


def test_kernel_compiler_stands_alone():
    """It runs while the extension is being built, so no file of it may need the extension."""
    assert list(sources(ROOT / "src" / "kagari" / "kernels", ".py"))


PLANTED = {
    "csrc/tensor/a.h": ('// A.\n#include "ops/op.h"\n', upward_includes),
    "csrc/cuda/a.h": ('// A.\n#include "autograd/node.h"\n', upward_includes),
    "csrc/graph/a.cpp": ("// A.\n#include <nanobind/nanobind.h>\n", upward_includes),
    "csrc/ops/a.cpp": ('// A.\n#include "kagari/tensor.h"\n', upward_includes),
    "src/kagari/kernels/a.py": ('"""A."""\nimport kagari.nn\n', kernel_compiler_imports),
    "src/kagari/kernels/b.py": ('"""B."""\nfrom .. import nn\n', kernel_compiler_imports),
    "src/kagari/kernels/x/c.py": (
        '"""C."""\ndef f():\n    from ... import _C\n',
        kernel_compiler_imports,
    ),
    "src/kagari/nn/a.py": ('"""A."""\nfrom ..switch import finder\n', switch_imports),
    "csrc/ops/long.cpp": ("// Long.\n" + "\n" * 601, long_files),
    "src/kagari/wide.py": ('"""Wide."""\n' + "#" * 101, long_lines),
    "csrc/ops/later.cpp": ("// Later.\n// " + "TO" + "DO: finish\n", notes_to_self),
    "tests/silent.py": ("import os\n", missing_first_lines),
}


@pytest.mark.parametrize("name", PLANTED)
def test_rules_bite(tmp_path, name):
    text, rule = PLANTED[name]
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert len(rule(tmp_path)) == 1


def test_rules_let_good_code_pass(tmp_path):
    good = {
        "csrc/ops/a.cpp": '// A.\n#include "autograd/node.h"\n#include <vector>\n',
        "csrc/python/a.cpp": '// A.\n#include <nanobind/nanobind.h>\n#include "graph/ir.h"\n',
        "src/kagari/kernels/x/a.py": '"""A."""\nfrom .. import expr\nimport kagari.kernels.expr\n',
    }
    for name, text in good.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert [violation for rule in RULES for violation in rule(tmp_path)] == []


def test_second_tables_bite(tmp_path):
    (tmp_path / "csrc").mkdir()
    (tmp_path / "csrc" / "list.cpp").write_text(
        '// L.\nconst char* names[] = {"exp", "log",\n  "sin", "cos"};\n'
    )
    assert len(second_tables(tmp_path, {"exp", "log", "sin", "cos", "tan"})) == 1
    assert second_tables(tmp_path, {"exp", "tan"}) == []
