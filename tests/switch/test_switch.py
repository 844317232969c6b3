"""kagari in PyTorch's place: imports, metadata, errors, the command. Each program is a process."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"


def command(*arguments, cwd=None):
    """`python -m kagari` with these arguments."""
    return subprocess.run(
        [sys.executable, "-m", "kagari", *map(str, arguments)],
        capture_output=True, text=True, timeout=120, cwd=cwd,
    )  # fmt: skip


def run(tmp_path, text, *arguments):
    """What a program prints under `kagari run`."""
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(text))
    done = command("run", path, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_torch_is_kagari_at_any_depth(tmp_path):
    text = """
        import torch, kagari, sys
        import torch.nn.functional as F
        import torch.utils.data.dataset as dataset
        from torch import nn
        from torch.nn import init
        assert torch is kagari and F is kagari.nn.functional and nn is kagari.nn
        assert init is kagari.nn.init and dataset is kagari.utils.data.dataset
        assert torch.fft is sys.modules["torch.fft"] is kagari.fft
        assert kagari.nn.__spec__.name == kagari.nn.__name__ == "kagari.nn"
        print(torch.ones(2).sum().item())
    """
    assert run(tmp_path, text) == "2.0\n"


def test_metadata_and_find_spec(tmp_path):
    text = """
        import importlib.metadata as metadata, importlib.util as util, torch
        print(metadata.version("torch"), torch.__version__, torch.version.__version__)
        print(metadata.distribution("torch").metadata["Name"], metadata.version("pytest") != "")
        print("torch" in metadata.packages_distributions()["torch"])
        print(util.find_spec("torch") is not None, util.find_spec("torch.nn") is not None)
        print(util.find_spec("torch.fantasy"), torch.__version__ >= (2, 13))
    """
    assert run(tmp_path, text).split() == (
        "2.13.0 2.13.0 2.13.0 torch True True True True None True".split()
    )


def test_find_spec_before_the_import(tmp_path):
    text = """
        import importlib.util, sys
        assert "torch" not in sys.modules or sys.modules["torch"].__name__ == "kagari"
        print(importlib.util.find_spec("torch.optim").name)
    """
    assert "optim" in run(tmp_path, text)


@pytest.mark.parametrize(
    "statement, kind, row",
    [
        ("import torch.fantasy", "ModuleNotFoundError", "no row"),
        ("from torch import fantasy", "ImportError", "no row"),
        ("from torch.fft import fantasy", "ImportError", "no row"),
        ("torch.fantasy", "AttributeError", "no row"),
        ("torch.nn.Fantasy", "AttributeError", "no row"),
        ("import torch.fantasy.deeper", "ModuleNotFoundError", "no row"),
        ("torch.Tag", "AttributeError", "TorchScript"),
        ("from torch import Tag", "ImportError", "TorchScript"),
        ("torch.masked.MaskedTensor", "AttributeError", "prototype"),
        ("torch.SymInt", "AttributeError", "plain numbers"),
    ],
)
def test_missing_names_say_so(tmp_path, statement, kind, row):
    text = f"""
        import torch
        try:
            {statement}
        except Exception as error:
            print(type(error).__name__, error)
    """
    said = run(tmp_path, text)
    assert said.startswith(f"{kind} kagari has no torch.") and row in said, said


def test_hasattr_and_import_errors_are_plain_python(tmp_path):
    text = """
        import torch
        print(hasattr(torch, "fantasy"), getattr(torch.nn, "Fantasy", None))
        try:
            from torch.nn import Fantasy
        except ImportError:
            print("guarded")
    """
    assert run(tmp_path, text) == "False None\nguarded\n"


def test_an_unknown_tensor_method_names_its_row(tmp_path):
    path = tmp_path / "program.py"
    path.write_text("import torch\ntorch.ones(1).record_stream(None)\n")
    said = command("run", path).stderr
    assert "has no attribute 'record_stream'" in said and "there is no accelerator" in said


def test_arguments_name_and_folder(tmp_path):
    (tmp_path / "beside.py").write_text("value = 7\n")
    text = """
        import sys, beside
        if __name__ == "__main__":
            print(sys.argv[1:], __file__.endswith("program.py"), beside.value)
    """
    assert run(tmp_path, text, "--epochs", "3", "-m") == "['--epochs', '3', '-m'] True 7\n"


def test_modules_run_too(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "train.py").write_text("import sys, torch\nprint(torch.__name__, sys.argv[1:])\n")
    done = command("run", "-m", "package.train", "x", cwd=tmp_path)
    assert done.stdout == "kagari ['x']\n", done.stderr


def test_exit_status_and_errors_reach_the_caller(tmp_path):
    path = tmp_path / "program.py"
    path.write_text("raise SystemExit(3)\n")
    assert command("run", path).returncode == 3
    path.write_text("1 / 0\n")
    assert "ZeroDivisionError" in command("run", path).stderr
    assert command("run", tmp_path / "nothing.py").returncode == 2


def test_spawned_processes_are_switched(tmp_path):
    text = """
        import multiprocessing, torch

        def child(queue):
            import torch
            queue.put((torch.__name__, torch.nn.Linear(2, 2).weight.shape[0]))

        if __name__ == "__main__":
            context = multiprocessing.get_context("spawn")
            queue = context.Queue()
            process = context.Process(target=child, args=(queue,))
            process.start()
            print(*queue.get(timeout=60))
            process.join()
    """
    assert run(tmp_path, text) == "kagari 2\n"


def test_too_late_is_an_error(tmp_path):
    text = """
        import sys, types
        sys.modules["torch"] = types.ModuleType("torch")
        import kagari
        try:
            kagari.install_as_torch()
        except RuntimeError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=60
    )
    assert "already" in done.stdout, done.stderr


def test_help_suffices():
    said = command("--help").stdout
    assert "kagari run train.py" in said and "check" in said
    assert "guarded" in command("check", "--help").stdout
    assert command().returncode == 2
