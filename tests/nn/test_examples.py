"""The examples in the docstrings of modules and of nn.utils run."""

import doctest
import importlib
import warnings

import pytest

import kagari

FILES = (
    "attention.backends", "attention.bias", "attention.implementations",
    "modules.multihead", "modules.rnn", "modules.rnn_cells", "modules.transformer",
    "factory", "functional.grouped", "parallel", "utils.parametrizations", "utils.parametrize",
    "utils.prune", "utils.rnn",
)  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_examples(name: str) -> None:
    module = importlib.import_module(f"kagari.nn.{name}")
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    tests = doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs={"kagari": kagari})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for test in tests:
            runner.run(test)
    assert runner.tries
    assert not runner.failures
