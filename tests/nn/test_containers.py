"""Containers beside PyTorch's: the same calls on both, the same structure afterwards."""

from collections import OrderedDict

import pytest
import torch

import kagari
from kagari import nn

BOTH = pytest.mark.parametrize("m", [nn, torch.nn], ids=["kagari", "torch"])


@BOTH
def test_sequential(m):
    a, b, c = m.ReLU(), m.Tanh(), m.Sigmoid()
    net = m.Sequential(OrderedDict(first=a, second=b))
    assert net.first is a and net[-1] is b and len(net) == 2
    assert list(m.Sequential(a, b, c)[1:].named_children()) == [("1", b), ("2", c)]
    net = m.Sequential(a, b)
    net.append(c).insert(0, c)
    assert list(net) == [c, a, b, c]
    del net[1]
    assert list(net._modules) == ["0", "1", "2"]
    assert list(net + m.Sequential(a)) == [c, b, c, a]
    assert list(m.Sequential(a) * 3) == [a, a, a]
    net[0] = b
    assert net.pop(0) is b and list(net) == [b, c]
    net.extend([a])
    assert list(net) == [b, c, a]
    with pytest.raises(IndexError):
        net[5]
    with pytest.raises(ValueError, match="Non-positive"):
        net * 0


@BOTH
def test_module_list(m):
    a, b, c = m.ReLU(), m.Tanh(), m.Sigmoid()
    modules = m.ModuleList([a, b])
    modules += [c]
    modules.insert(1, c)
    assert list(modules) == [a, c, b, c]
    del modules[0:2]
    assert list(modules) == [b, c] and modules[0] is b
    assert isinstance(modules[:1], m.ModuleList)
    assert modules.pop(-1) is c and len(modules) == 1
    assert list(modules + [a]) == [b, a]
    with pytest.raises(TypeError, match="iterable"):
        modules.extend(3)


@BOTH
def test_module_dict(m):
    a, b = m.ReLU(), m.Tanh()
    modules = m.ModuleDict({"a": a})
    modules["b"] = b
    modules.update([("c", a)])
    assert list(modules) == ["a", "b", "c"] and "b" in modules and modules["b"] is b
    assert modules.pop("a") is a and list(modules.values()) == [b, a]
    del modules["c"]
    assert list(modules.items()) == [("b", b)]
    modules.clear()
    assert len(modules) == 0
    with pytest.raises(ValueError, match="length"):
        modules.update([("a",)])


@BOTH
def test_parameter_containers(m):
    library = kagari if m is nn else torch
    values = m.ParameterList([library.ones(2), m.Parameter(library.zeros(3))])
    assert all(isinstance(v, m.Parameter) for v in values) and len(list(values.parameters())) == 2
    values.append(library.ones(1))
    values[0] = m.Parameter(library.zeros(4))
    assert [tuple(v.shape) for v in values] == [(4,), (3,), (1,)] and len(values[1:]) == 2
    named = m.ParameterDict({"b": library.ones(1), "a": library.ones(2)})
    named["c"] = library.ones(3)
    assert list(named) == ["a", "b", "c"] and "a" in named
    assert named.pop("a").shape == (2,) and named.get("a") is None
    assert sorted(k for k, _ in named.named_parameters()) == ["b", "c"]
    assert list(named | m.ParameterDict({"z": library.ones(1)})) == ["b", "c", "z"]
    with pytest.raises(RuntimeError, match="should not be called"):
        values()
