"""The examples in the docstrings of linear algebra and of attention run."""

import doctest
import importlib

import pytest

import kagari

MODULES = [
    "linalg.indefinite", "linalg.lu_factors", "linalg.reflectors", "linalg.systems",
    "linalg.norms", "nn.functional.attention", "nn.functional.linear_cross_entropy",
    "nn.modules.linear_cross_entropy_options", "_products",
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = importlib.import_module(f"kagari.{name}")
    names = {"kagari": kagari}
    found = doctest.testmod(module, extraglobs=names, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted and not found.failed
