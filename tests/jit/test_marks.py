"""jit, compiler, distributed, accelerator: what they answer is true of kagari, and PyTorch's."""

import doctest

import pytest
import torch

import kagari
from kagari import _dynamo, accelerator, compiler, distributed, jit
from kagari._dynamo import _trace_wrapped_higher_order_op as wrapped


@pytest.mark.parametrize("module", [jit, compiler, distributed, accelerator, wrapped])
def test_examples(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    "ask", ["jit.is_scripting", "jit.is_tracing", "compiler.is_compiling", "compiler.is_exporting",
            "distributed.is_initialized", "accelerator.is_available"],
)  # fmt: skip
def test_questions(ask):
    room, name = ask.split(".")
    assert getattr(getattr(kagari, room), name)() is getattr(getattr(torch, room), name)() is False


def test_marks_leave_functions_alone():
    def f(x):
        return x + 1

    for mark in (jit.ignore, jit.unused, jit.export, jit.script, jit._overload_method,
                 compiler.disable, compiler.allow_in_graph, _dynamo.disable):  # fmt: skip
        assert mark(f) is f
    assert jit.ignore(drop=True)(f) is f and compiler.disable(recursive=False)(f) is f
    assert jit.script_if_tracing(f)(1) == 2
    module = kagari.nn.Linear(2, 2)
    assert jit.script(module) is module


@pytest.mark.parametrize("kind, value, answer", [
    (list[int], [1], True), (list[int], ["a"], False), (dict[str, int], {"a": 1}, True),
    (tuple[int, str], (1, "a"), True), (tuple[int, str], (1,), False), (int | None, None, True),
    (int, "a", False), (dict[str, list[int]], {"a": ["b"]}, False),
])  # fmt: skip
def test_isinstance(kind, value, answer):
    assert jit.isinstance(value, kind) is answer


@pytest.mark.parametrize("name", ["jit.trace", "jit.save", "compiler.set_stance"])
def test_what_needs_a_compiler_is_not_there(name):
    room, _, last = name.rpartition(".")
    with pytest.raises(AttributeError):
        getattr(getattr(kagari, room) if room else kagari, last)


def test_compile_refuses():
    with pytest.raises(NotImplementedError, match="not_supported"):
        kagari.compile(kagari.nn.Linear(1, 1))
    assert kagari.compile(len, disable=True) is len


def test_devices_that_are_not_there():
    assert accelerator.current_accelerator() is None and accelerator.device_count() == 0
    with pytest.raises(RuntimeError, match="none is available"):
        accelerator.synchronize()
    with pytest.raises(RuntimeError, match="one process"):
        distributed.ProcessGroup()
