"""examples/digits.py as a user runs it, shortened, and that it notices a model saved badly."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "digits.py"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, str]:
    """A folder with the results of four epochs, and what was printed."""
    folder = tmp_path_factory.mktemp("digits")
    done = run("--epochs", 4, "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_learns(trained):
    _, output = trained
    accuracy = float(output.split("test accuracy ")[1].split("%")[0])
    assert accuracy > 95
    assert output.count("images/s") == 4
    assert "the same predictions" in output


def test_leaves_model_and_picture(trained):
    folder, output = trained
    assert (folder / "digits.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "digits.pt").read_bytes().startswith(b"PK")
    assert str(folder / "digits.png") in output and str(folder / "digits.pt") in output


def test_a_truncated_model_is_an_error(trained, tmp_path):
    folder, _ = trained
    short = tmp_path / "short.pt"
    short.write_bytes((folder / "digits.pt").read_bytes()[:-200])
    done = run("--predict", short, tmp_path / "logits.npy")
    assert done.returncode != 0 and "Error" in done.stderr
