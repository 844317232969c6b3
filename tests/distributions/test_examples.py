"""The examples in the docstrings of distributions."""

import doctest
import importlib
import pkgutil

import pytest

import kagari

MODULES = [m.name for m in pkgutil.iter_modules(kagari.distributions.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = importlib.import_module(f"kagari.distributions.{name}")
    found = doctest.testmod(module, extraglobs={"kagari": kagari})
    assert found.failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    modules = [importlib.import_module(f"kagari.distributions.{name}") for name in MODULES]
    assert sum(len(t.examples) for m in modules for t in finder.find(m)) >= 60
