"""The examples in docstrings of the namespace run and print what they say."""

import doctest
import importlib

import pytest

import kagari

MODULES = "_creation _dtypes _elementwise _info _movement _reductions linalg fft".split()


@pytest.mark.parametrize("name", ["", *MODULES])
def test_examples(name):
    module = importlib.import_module(f"kagari.array_api.{name}".rstrip("."))
    result = doctest.testmod(module, extraglobs={"kagari": kagari})
    assert result.failed == 0
    assert result.attempted
