"""docs/transforms.md and the docstrings of kagari.func: their examples run."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

import kagari

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "transforms.md").read_text()


def test_the_page():
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
    assert len(blocks) >= 4
    names: dict = {}
    for block in blocks:
        exec(compile(block, "transforms.md", "exec"), names)


@pytest.mark.parametrize("name", ["mapping", "jacobian", "reverse", "stateless"])
def test_examples(name):
    module = importlib.import_module(f"kagari.func.{name}")
    names = {"kagari": kagari}
    found = doctest.testmod(module, extraglobs=names, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted and not found.failed
