"""The command line: `kagari run` and `kagari check`."""

import argparse
import io
import runpy
import sys
import types
from pathlib import Path
from typing import Any

from .check import check
from .finder import install_as_torch
from .missing import row_of

_RUN = """Runs a Python program with kagari in PyTorch's place: `import torch` gives kagari, in the
program and in the libraries it uses. What kagari does not have raises an error that says so."""
_CHECK = """Reads Python files without running them and reports the names of torch they use that
kagari does not have, as FILE:LINE: NAME. Exit status 1 if there are any. Names that the program
itself asks for first (hasattr, try/except) are reported with "guarded" and do not count."""


def main(arguments: list[str] | None = None) -> int:
    """The command `kagari`; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="kagari",
        description="Runs programs written for PyTorch on kagari, unmodified.",
        epilog="examples: kagari run train.py --epochs 3 | kagari run -m package.train | "
        "kagari check train.py",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run a program with kagari as torch", description=_RUN)
    run.add_argument("-m", dest="module", action="store_true", help="PROGRAM is a module's name")
    run.add_argument("program", metavar="PROGRAM", help="a script, or with -m a module")
    run.add_argument("args", metavar="ARGS", nargs=argparse.REMAINDER, help="its arguments")
    look = commands.add_parser("check", help="list what a program lacks", description=_CHECK)
    look.add_argument("targets", metavar="FILE|PACKAGE", nargs="+", help="a file, folder, package")
    options = parser.parse_args(arguments)
    if options.command == "check":
        return _report(options.targets)
    return _run(options.program, options.args, options.module)


def _run(program: str, args: list[str], module: bool) -> int:
    install_as_torch()
    sys.excepthook = _explain_attribute
    sys.argv[:] = [program, *args]
    if module:
        sys.path[0] = ""
        runpy.run_module(program, run_name="__main__", alter_sys=True)
        return 0
    if not Path(program).is_file():
        print(f"kagari run: there is no file {program}", file=sys.stderr)
        return 2
    sys.path[0] = str(Path(program).resolve().parent)
    main_module = types.ModuleType("__main__")
    main_module.__file__ = program
    main_module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = main_module
    with io.open_code(str(Path(program).resolve())) as file:
        code = compile(file.read(), program, "exec")
    exec(code, main_module.__dict__)
    return 0


def _explain_attribute(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """Shows an uncaught error; of an attribute that tensors lack, with what is known about it."""
    import kagari

    if isinstance(error, AttributeError) and error.name and not isinstance(error.obj, type(sys)):
        owner = error.obj if isinstance(error.obj, type) else type(error.obj)
        row = row_of(f"{owner.__name__}.{error.name}") if owner.__module__ else None
        if row and issubclass(owner, kagari.Tensor):
            error.add_note(f"docs/not_supported.md: {row[0]}; instead: {row[1]}")
    sys.__excepthook__(kind, error, trace)


def _report(targets: list[str]) -> int:
    missing = 0
    for target in targets:
        try:
            uses = check(target)
        except (FileNotFoundError, SyntaxError) as error:
            return _refuse(target, error)
        for use in uses:
            print(use)
        missing += sum(not use.guarded for use in uses)
    print(f"{missing} missing" if missing else "nothing missing")
    return 1 if missing else 0


def _refuse(target: str, error: Exception) -> int:
    print(f"kagari check: {target}: {error}", file=sys.stderr)
    return 2
