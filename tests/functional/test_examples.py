"""The examples in the docstrings of functions found late run, and every such function has one."""

import doctest
import importlib

import pytest

import kagari
from kagari import _late

PLACES = {name: f"kagari.functional.{file}" for name, file in _late.PLACES.items()}
PLACES |= {f"masked.{n}": "kagari.masked" for n in kagari.masked.__all__}
PLACES |= {f"signal.windows.{n}": "kagari.signal.windows" for n in kagari.signal.windows.__all__}
OWN = [n for n, m in PLACES.items() if m != "kagari.functional.layers"]
WITHOUT = ("masked.is_masked_tensor", "renorm_")


@pytest.mark.parametrize("name", sorted(PLACES))
def test_example(name):
    module = importlib.import_module(PLACES[name])
    function = getattr(module, name.rsplit(".", 1)[-1])
    assert function.__doc__
    found = doctest.DocTestParser().get_doctest(
        function.__doc__, {"kagari": kagari}, name, None, None
    )
    assert found.examples or name in WITHOUT or name not in OWN
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(found)
    assert runner.failures == 0


def test_they_are_found_late_and_once():
    for name in _late.FUNCTIONS:
        assert getattr(kagari, name) is getattr(kagari, name)
    for name in _late.METHODS:
        assert getattr(kagari.Tensor, name).__doc__
    with pytest.raises(AttributeError):
        kagari.no_such_function  # noqa: B018
