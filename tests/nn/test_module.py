"""Module: registration, walking, moving, copying, pickling, printing, the note on errors."""

import copy
import gc
import pickle
import weakref

import pytest
import torch

import kagari
from kagari import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear1 = nn.Linear(4, 8)
        self.scale = nn.Parameter(kagari.ones(8))
        self.register_buffer("seen", kagari.zeros(()))
        self.register_buffer("scratch", kagari.zeros(2), persistent=False)
        self.nothing = None
        self.register_parameter("bias", None)

    def forward(self, x, times=1):
        return self.linear1(x) * self.scale * times


def nested():
    return nn.Sequential(Block(), nn.Sequential(nn.ReLU(), Block()))


def names(pairs):
    return [name for name, _ in pairs]


def test_names():
    net = nested()
    assert names(net.named_parameters()) == [
        "0.scale", "0.linear1.weight", "0.linear1.bias",
        "1.1.scale", "1.1.linear1.weight", "1.1.linear1.bias",
    ]  # fmt: skip
    assert names(net.named_buffers()) == ["0.seen", "0.scratch", "1.1.seen", "1.1.scratch"]
    assert names(net.named_modules()) == ["", "0", "0.linear1", "1", "1.0", "1.1", "1.1.linear1"]
    assert names(net.named_children()) == ["0", "1"]
    assert names(Block().named_parameters(prefix="a", recurse=False)) == ["a.scale"]
    assert net.get_submodule("1.1.linear1") is net[1][1].linear1
    assert net.get_parameter("0.scale") is net[0].scale
    assert net.get_buffer("0.seen") is net[0].seen
    with pytest.raises(AttributeError, match="has no attribute `2`"):
        net.get_submodule("1.2")
    net.set_submodule("1.0", nn.Tanh())
    assert isinstance(net[1][0], nn.Tanh)


def test_shared_parameters_are_listed_once():
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    net = nn.ModuleList([first, second, first])
    assert len(list(net.parameters())) == 3
    assert names(net.named_parameters(remove_duplicate=False)).count("1.weight") == 1
    assert len(list(net.named_parameters(remove_duplicate=False))) == 6
    assert len(list(net.modules())) == 3


def test_assignment_registers_and_replaces():
    block = Block()
    block.linear1 = nn.Identity()
    assert isinstance(block._modules["linear1"], nn.Identity)
    block.linear1 = None
    assert block.linear1 is None and "linear1" in block._modules
    with pytest.raises(TypeError, match="cannot assign .* as child module 'linear1'"):
        block.linear1 = 3
    with pytest.raises(TypeError, match="as parameter 'scale'"):
        block.scale = kagari.ones(3)
    with pytest.raises(TypeError, match="as buffer 'seen'"):
        block.seen = 3
    block.seen = kagari.ones(2)
    assert block._buffers["seen"] is block.seen
    block.seen = nn.Parameter(kagari.ones(2))
    assert "seen" in block._parameters and "seen" not in block._buffers
    block.bias = nn.Parameter(kagari.ones(1))
    assert block.bias is block._parameters["bias"]
    del block.bias
    assert not hasattr(block, "bias")
    block.marked = nn.Buffer(kagari.ones(1), persistent=False)
    assert "marked" in dict(block.named_buffers()) and "marked" not in block.state_dict()


def test_attributes_follow_the_registries():
    block = Block()
    new = nn.Parameter(kagari.zeros(8))
    block._parameters["scale"] = new
    assert block.scale is new
    block._parameters.pop("scale")
    assert not hasattr(block, "scale")
    block._modules = {"other": nn.Identity()}
    assert isinstance(block.other, nn.Identity) and not hasattr(block, "linear1")
    block._buffers.update(seen=kagari.ones(3))
    assert block.seen.numel() == 3
    block.__dict__["_parameters"] = {"late": new}  # behind the module's back
    assert block.late is new


def test_registration_errors():
    block = Block()
    with pytest.raises(KeyError, match="already exists"):
        block.register_parameter("linear1", None)
    with pytest.raises(KeyError, match="contain"):
        block.register_buffer("a.b", None)
    with pytest.raises(KeyError, match="empty string"):
        block.add_module("", nn.Identity())
    with pytest.raises(TypeError, match="not a Module subclass"):
        block.add_module("a", 3)
    with pytest.raises(TypeError, match="required"):
        block.register_parameter("a", kagari.ones(1))

    class Early(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match="before Module.__init__"):
        Early()
    with pytest.raises(AttributeError, match="object has no attribute 'missing'"):
        block.missing  # noqa: B018
    with pytest.raises(TypeError, match="unexpected arguments"):
        nn.Module(3)
    with pytest.raises(NotImplementedError, match="forward"):
        nn.Module()()


def test_modules_are_freed_without_the_cycle_collector():
    gc.disable()
    try:
        net = nested()
        watch = weakref.ref(net[1][1])
        del net
        assert watch() is None
    finally:
        gc.enable()


def test_copying_and_pickling():
    net = nested()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert names(other.named_parameters()) == names(net.named_parameters())
        for a, b in zip(other.parameters(), net.parameters(), strict=True):
            assert a is not b and isinstance(a, nn.Parameter) and bool((a == b).all())
        other[0].scale = nn.Parameter(kagari.zeros(8))
        assert other[0]._parameters["scale"] is other[0].scale is not net[0].scale
    shallow = copy.copy(net[0])
    assert shallow.scale is net[0].scale
    shallow.extra = nn.Identity()
    assert not hasattr(net[0], "extra")


def test_conversion_keeps_the_parameters():
    net = nested()
    before = list(net.parameters())
    net.double()
    assert all(a is b for a, b in zip(net.parameters(), before, strict=True))
    assert all(p.dtype is kagari.float64 for p in net.parameters())
    net.to(kagari.float16)
    assert net[0].seen.dtype is kagari.float16
    net.to("meta")
    assert all(p.is_meta for p in net.parameters())
    batch_norm = nn.BatchNorm1d(3).half()
    assert batch_norm.num_batches_tracked.dtype is kagari.int64
    with pytest.raises(TypeError, match="floating point or complex"):
        net.to(kagari.int64)
    with pytest.raises(TypeError, match="unexpected keyword"):
        net.to(place="cpu")


def test_gradients_move_along_and_are_cleared():
    net = nn.Linear(3, 2)
    net(kagari.ones(1, 3)).sum().backward()
    net.double()
    assert net.weight.grad.dtype is kagari.float64
    net.zero_grad(set_to_none=False)
    assert float(net.weight.grad.abs().sum()) == 0
    net.zero_grad()
    assert net.weight.grad is None
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())


def test_train_eval_apply():
    net = nested()
    assert net.eval() is net and not any(m.training for m in net.modules())
    assert net.train() is net and all(m.training for m in net.modules())
    with pytest.raises(ValueError, match="boolean"):
        net.train(1)
    seen = []
    net.apply(seen.append)
    assert seen[-1] is net and len(seen) == 7


def test_printing():
    def make(m):
        return m.Sequential(
            m.Conv2d(1, 2, 3, padding=1, bias=False), m.BatchNorm2d(2),
            m.ModuleList([m.Linear(2, 2), m.Linear(2, 2), m.ReLU(inplace=True)]),
            m.ModuleDict({"a": m.Dropout(0.2)}), m.Module(), m.ModuleList(),
            m.ParameterList([make_parameter(m)]), m.Embedding(3, 4, padding_idx=0),
        )  # fmt: skip

    def make_parameter(m):
        return m.Parameter((kagari if m is nn else torch).ones(2, 3))

    assert repr(make(nn)) == repr(make(torch.nn))
    assert {"scale", "seen", "linear1", "forward"} <= set(dir(Block()))


def test_an_error_says_where_it_happened():
    net = nn.ModuleDict({"encoder": nn.Sequential(nn.Linear(3, 5), nn.ReLU(), Block())})

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net["encoder"](x)

    with pytest.raises(RuntimeError) as caught:
        Whole()(kagari.ones(2, 3))
    note = "in net.encoder.2.linear1: Linear(4 -> 8), input (2, 5)"
    assert caught.value.__notes__ == [note]
    with pytest.raises(RuntimeError) as caught:
        nn.Linear(4, 8)(kagari.ones(3))
    assert caught.value.__notes__ == ["in Linear(4 -> 8), input (3,)"]


def test_an_error_caught_inside_keeps_no_module_alive():
    net = nested()
    watch = weakref.ref(net)
    try:
        net(kagari.ones(1, 3))
    except RuntimeError as error:
        kept = error.with_traceback(None)
        kept.__context__ = None
    del net
    gc.collect()
    assert watch() is None and kept.__notes__
