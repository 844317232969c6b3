"""The type stubs: up to date, whole, and believed by mypy."""

import importlib.util
import operator
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kagari

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def mypy(*files, cwd):
    """Its report on files, under its strict settings, for the package of the source tree."""
    settings = cwd / "mypy.ini"
    settings.write_text(
        f"[mypy]\nmypy_path = {ROOT / 'src'}\npython_version = 3.11\nstrict = True\n"
        "[mypy-kagari.*]\nignore_errors = True\n"
        "[mypy-numpy.*,llvmlite.*]\nfollow_imports = skip\nignore_missing_imports = True\n"
    )
    command = [sys.executable, "-m", "mypy", "--config-file", settings, "--no-error-summary"]
    command += ["--cache-dir", ROOT / "build" / "mypy_cache_of_tests"]
    found = subprocess.run([*command, *files], capture_output=True, text=True, cwd=cwd)
    assert not found.stderr, found.stderr
    return found.stdout


def writer():
    spec = importlib.util.spec_from_file_location("write_stubs", ROOT / "cmake" / "write_stubs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STUBS = writer().STUBS


@pytest.mark.parametrize("name", STUBS)
def test_stubs_are_up_to_date(name):
    written = (ROOT / "src" / "kagari" / name).read_text()
    assert written == STUBS[name](), "run `make stubs`"


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "src" / "kagari" / "py.typed").exists()


def test_a_program_is_accepted(tmp_path):
    assert mypy(HERE / "accepted.py", cwd=tmp_path) == ""


def test_wrong_programs_are_rejected(tmp_path):
    report = mypy(HERE / "rejected.py", cwd=tmp_path)
    found: dict = {}
    for line, code in re.findall(r":(\d+): error: .*\[(.*)\]", report):
        found.setdefault(int(line), set()).add(code)
    lines = enumerate((HERE / "rejected.py").read_text().splitlines(), 1)
    wanted = {n: line.split("# error: ")[1] for n, line in lines if "# error: " in line}
    assert found.keys() == wanted.keys(), report
    assert all(wanted[line] in codes for line, codes in found.items()), report


# modules that a checker cannot look into by their names at run time
PRIVATE = re.compile(r"^(_|annotations$)")


def _home(value):
    return getattr(value, "__module__", None)


def test_every_public_name_is_known(tmp_path):
    names = [name for name in dir(kagari) if not PRIVATE.match(name)]
    program = ["import kagari", "def f(x: kagari.Tensor) -> None:"]
    program += [f"    kagari.{name}" for name in names]
    program += [f"    x.{name}" for name in dir(kagari.Tensor) if not PRIVATE.match(name)]
    for space in (
        "linalg",
        "fft",
        "special",
        "array_api",
        "testing",
        "types",
        "random",
        "nn",
        "optim",
        "nn.functional",
        "nn.init",
        "autograd",
        "utils.data",
    ):
        module = operator.attrgetter(space)(kagari)
        own = [name for name, x in vars(module).items() if _home(x) == module.__name__]
        public = getattr(module, "__all__", own or dir(module))
        public = [name for name in public if hasattr(module, name) and not PRIVATE.match(name)]
        program += [f"    kagari.{space}.{name}" for name in public]
    path = tmp_path / "names.py"
    path.write_text("\n".join(program))
    assert len(program) > 1500
    report = mypy(path, cwd=tmp_path)
    assert not re.findall(r"error: .*attribute", report), report
