"""torch._check and its kin: the error classes are PyTorch's; other private names."""

import pytest
import torch

import kagari
from kagari import ao, fx, onnx
from kagari.nn.modules import utils


@pytest.mark.parametrize(
    "name", ["_check", "_check_index", "_check_value", "_check_type", "_check_not_implemented"]
)
def test_checks(name):
    ours, theirs = getattr(kagari, name), getattr(torch, name)
    assert ours(True) is theirs(True) is None
    for arguments in ((False,), (False, lambda: "said"), (1,)):
        with pytest.raises(Exception) as expected:
            theirs(*arguments)
        with pytest.raises(type(expected.value)) as got:
            ours(*arguments)
        if arguments[1:]:
            assert str(got.value) == str(expected.value) == "said"
    with pytest.raises(TypeError):
        ours(kagari.tensor(True))


def test_checks_of_tensors():
    kagari._check_tensor_all(kagari.tensor([True, True]))
    with pytest.raises(RuntimeError, match="said"):
        kagari._check_tensor_all(kagari.tensor([True, False]), lambda: "said")
    with pytest.raises(TypeError):
        kagari._check_tensor_all(kagari.ones(2))
    with pytest.raises(AssertionError, match="said"):
        kagari._assert(kagari.tensor(False), "said")
    assert kagari._shape_as_tensor(kagari.ones(2, 3)).tolist() == [2, 3]


def test_sizes_of_layers():
    assert utils._pair(3) == (3, 3) and utils._triple([1, 2, 3]) == (1, 2, 3)
    assert utils._reverse_repeat_tuple((1, 2), 2) == (2, 2, 1, 1)


def test_dispatch_keys():
    keys = kagari._C.DispatchKey
    some = kagari._C.DispatchKeySet(keys.AutocastCPU) | kagari._C.DispatchKeySet(keys.Meta)
    assert some.has(keys.Meta) and not some.has(keys.CPU)
    with pytest.raises(AttributeError, match="fantasy"):
        kagari._C.fantasy()


@pytest.mark.parametrize("make", [fx.Tracer, fx.Graph, fx.Node, fx.Proxy, fx.GraphModule])
def test_what_needs_a_tracer_refuses(make):
    with pytest.raises(NotImplementedError, match="not_supported"):
        make(kagari.nn.Linear(1, 1), None)
    assert fx.wrap(len) is len


def test_what_onnx_is_told_is_kept():
    onnx.register_custom_op_symbolic("demo::op", len, 11)
    assert onnx.symbolics["demo::op", 11] is len and not onnx.is_in_onnx_export()
    onnx.unregister_custom_op_symbolic("demo::op", 11)
    with pytest.raises(ValueError):
        onnx.register_custom_op_symbolic("op", len, 11)


def test_quantisation_stubs_pass_values_on():
    wrapped = ao.quantization.QuantWrapper(kagari.nn.Linear(2, 2).eval())
    x = kagari.ones(1, 2)
    assert kagari.equal(wrapped(x), wrapped.module(x)) and not wrapped.training
    names = list(torch.ao.quantization.QuantWrapper(torch.nn.Linear(2, 2)).state_dict())
    assert list(wrapped.state_dict()) == names


def test_cuda_without_a_device():
    with (
        kagari.cuda.device(None),
        kagari.cuda.stream(None),
        kagari.cuda.device_of(x := kagari.ones(1)),
    ):
        assert x.sum() == 1
    for absent in (kagari.cuda.CUDAGraph, kagari.cuda.Stream, lambda: kagari.cuda.device(0)):
        with pytest.raises(RuntimeError, match="CUDA"):
            absent()
    assert kagari.cuda.get_rng_state_all() == torch.cuda.get_rng_state_all() == []


def test_the_cpu_is_named_as_pytorch_names_it():
    assert kagari.backends.cpu.get_cpu_capability() == torch.backends.cpu.get_cpu_capability()


def test_tensor_split_by_name():
    for lib in (kagari, torch):
        x = lib.arange(6)
        assert [p.tolist() for p in lib.tensor_split(x, indices=(-1,), dim=0)] == [
            [0, 1, 2, 3, 4],
            [5],
        ]
        assert len(lib.tensor_split(x, sections=3)) == 3
        with pytest.raises(TypeError):
            lib.tensor_split(x)
