"""The examples in the docstrings of optimizers."""

import doctest
import importlib
import pkgutil

import pytest

import kagari

MODULES = [m.name for m in pkgutil.iter_modules(kagari.optim.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = importlib.import_module(f"kagari.optim.{name}")
    assert doctest.testmod(module, extraglobs={"kagari": kagari}).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    modules = [importlib.import_module(f"kagari.optim.{name}") for name in MODULES]
    assert sum(len(t.examples) for m in modules for t in finder.find(m)) >= 20
