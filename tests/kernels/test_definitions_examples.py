"""The examples in the docstrings of the definitions give what they say, digit by digit."""

import doctest

import pytest

import kagari
from kagari.kernels import define

OPS = define.load()


@pytest.mark.parametrize("name", OPS)
def test_example(name):
    example = doctest.DocTestParser().get_doctest(
        OPS[name].__doc__, {"kagari": kagari}, name, None, None
    )
    if not example.examples:
        assert OPS[name].flags == "p", "a public op needs an example"
        return
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(example, out=report.append)
    assert runner.failures == 0, "".join(report)
