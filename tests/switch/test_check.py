"""`kagari check`: which names of torch a program lacks, from its text alone."""

import textwrap

import pytest

from kagari.switch.check import check, check_source, missing_part
from kagari.switch.command import main


def names(text):
    return [(use.line, use.name, use.guarded) for use in check_source(textwrap.dedent(text))]


def test_nothing_is_missing_in_a_common_program():
    text = """
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        from torch.utils.data import DataLoader, TensorDataset

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(2, 2)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return F.relu(self.layer(x)).to(torch.float32)

        optimizer = torch.optim.SGD(Net().parameters(), lr=0.1)
    """
    assert names(text) == []


@pytest.mark.parametrize(
    "text, found",
    [
        ("import torch\ntorch.fantasy(1)", [(2, "torch.fantasy", False)]),
        ("import torch.fantasy.deep", [(1, "torch.fantasy", False)]),
        ("from torch import (\n nn,\n fantasy)", [(3, "torch.fantasy", False)]),
        ("from torch.nn import *", []),
        ("from torch.fantasy import *", [(1, "torch.fantasy", False)]),
        ("import torch.nn as n\nn.Fantasy.x", [(2, "torch.nn.Fantasy", False)]),
        ("from torch import nn as n\nn.Linear.fantasy", [(2, "torch.nn.Linear.fantasy", False)]),
        ("import torch as t\nt.Tensor.fantasy", [(2, "torch.Tensor.fantasy", False)]),
        ("import torch\nx = torch.float32.fantasy", []),  # an attribute of a value
        ("from .torch import fantasy", []),
        ("import torch\n@torch.fantasy\ndef f(): pass", [(2, "torch.fantasy", False)]),
        ("import torch\nf = lambda x=torch.fantasy: x", [(2, "torch.fantasy", False)]),
        ("def f():\n import torch\n return torch.fantasy", [(3, "torch.fantasy", False)]),
        ("import torch\ndef f(torch): return torch.fantasy", []),
        ("from torch.nn import functional as F\ndef f(x):\n B, F = x\n return F.no", []),
        ("import torch\nclass A(torch.fantasy): pass", [(2, "torch.fantasy", False)]),
        ("import torch\nx = f'{torch.fantasy}'", [(2, "torch.fantasy", False)]),
    ],
)
def test_names_are_followed(text, found):
    assert names(text) == found


def test_what_a_program_asks_for_first_is_guarded():
    text = """
        import torch
        try:
            from torch import fantasy
        except ImportError:
            fantasy = torch.other
        if hasattr(torch, "third"):
            torch.third()
        try:
            torch.fourth
        except ValueError:
            pass
    """
    assert names(text) == [
        (4, "torch.fantasy", True),
        (6, "torch.other", False),
        (8, "torch.third", True),
        (10, "torch.fourth", False),
    ]


def test_files_folders_and_the_command(tmp_path, capsys):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "a.py").write_text("import torch\ntorch.fantasy\n")
    (tmp_path / "package" / "b.py").write_text("import torch\ntorch.ones\n")
    assert [use.name for use in check(str(tmp_path / "package"))] == ["torch.fantasy"]
    assert main(["check", str(tmp_path / "package")]) == 1
    said = capsys.readouterr().out
    assert f"{tmp_path}/package/a.py:2: torch.fantasy" in said and "1 missing" in said
    assert main(["check", str(tmp_path / "package" / "b.py")]) == 0
    assert main(["check", str(tmp_path / "nothing.py")]) == 2
    (tmp_path / "wrong.py").write_text("def\n")
    assert main(["check", str(tmp_path / "wrong.py")]) == 2


def test_an_installed_package_is_found_by_name():
    assert check("kagari.utils.data") == []
    assert check("mpmath") == []
    with pytest.raises(FileNotFoundError):
        check("no_such_package_here")


def test_missing_part():
    assert missing_part("torch") is None
    assert missing_part("torch.nn.utils.clip_grad_norm_") is None
    assert missing_part("torch.nn.Fantasy.more") == "torch.nn.Fantasy"
