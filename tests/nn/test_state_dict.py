"""state_dict and load_state_dict: names, sharing, strictness, messages, hooks, versions."""

from collections import OrderedDict

import pytest
import torch

import kagari
from kagari import nn


def net(m=nn):
    return m.Sequential(
        OrderedDict(body=m.Sequential(m.Linear(2, 3), m.BatchNorm1d(3)), head=m.Linear(3, 1))
    )


def test_it_shares_memory_and_is_detached():
    module = net()
    state = module.state_dict()
    assert isinstance(state, OrderedDict) and list(state) == list(net(torch.nn).state_dict())
    assert state._metadata == net(torch.nn).state_dict()._metadata
    assert not state["head.weight"].requires_grad
    state["head.bias"].fill_(7)
    assert module.head.bias.tolist() == [7.0]
    assert module.state_dict(keep_vars=True)["head.bias"] is module.head.bias
    assert list(module.head.state_dict(prefix="x.")) == ["x.weight", "x.bias"]


def test_loading_copies():
    source, target = net(), net()
    weight = target.head.weight
    result = target.load_state_dict(source.state_dict())
    assert str(result) == "<All keys matched successfully>"
    assert target.head.weight is weight and bool((weight == source.head.weight).all())
    assert weight.requires_grad


def test_every_problem_is_listed():
    state = net().state_dict()
    del state["head.bias"], state["body.0.weight"]
    state["tail.weight"] = kagari.ones(1)
    state["head.extra"] = kagari.ones(1)
    state["head.weight"] = kagari.ones(5, 5)
    state["body.1.running_mean"] = 3
    with pytest.raises(RuntimeError) as caught:
        net().load_state_dict(state)
    text = str(caught.value)
    assert text.startswith("Error(s) in loading state_dict for Sequential:\n\t")
    assert 'Missing key(s) in state_dict: "body.0.weight", "head.bias". ' in text
    assert "Unexpected key(s) in state_dict: " in text
    assert '"tail.weight"' in text and '"head.extra"' in text
    assert "size mismatch for head.weight: copying a param with shape torch.Size([5, 5])" in text
    assert "expected torch.Tensor or Tensor-like" in text


def test_the_message_is_pytorchs():
    ours, theirs = net().state_dict(), net(torch.nn).state_dict()
    for state, one in ((ours, kagari.ones(1)), (theirs, torch.ones(1))):
        del state["head.bias"]
        state["tail.weight"] = one
    with pytest.raises(RuntimeError) as mine:
        net().load_state_dict(ours)
    with pytest.raises(RuntimeError) as other:
        net(torch.nn).load_state_dict(theirs)
    assert str(mine.value) == str(other.value)


def test_not_strict():
    state = net().state_dict()
    del state["head.bias"]
    state["more"] = kagari.ones(1)
    result = net().load_state_dict(state, strict=False)
    assert result.missing_keys == ["head.bias"] and result.unexpected_keys == ["more"]
    with pytest.raises(TypeError, match="dict-like"):
        net().load_state_dict([1])


def test_assign_takes_the_tensors_themselves():
    state = {k: v.double() for k, v in net().state_dict().items()}
    module = net()
    module.load_state_dict(state, assign=True)
    assert module.head.weight.dtype is kagari.float64
    assert isinstance(module.head.weight, nn.Parameter) and module.head.weight.requires_grad
    assert module.body[1].running_mean is state["body.1.running_mean"]
    module = net().to("meta")
    with pytest.warns(UserWarning, match="assign=True"):
        module.load_state_dict(net().state_dict())
    module.load_state_dict(net().state_dict(), assign=True)
    assert not module.head.weight.is_meta


class Counted(nn.Module):
    def __init__(self):
        super().__init__()
        self.count = 0

    def get_extra_state(self):
        return {"count": self.count}

    def set_extra_state(self, state):
        self.count = state["count"]


def test_extra_state():
    source, target = nn.Sequential(Counted()), nn.Sequential(Counted())
    source[0].count = 5
    assert source.state_dict() == {"0._extra_state": {"count": 5}}
    target.load_state_dict(source.state_dict())
    assert target[0].count == 5
    with pytest.raises(RuntimeError, match="_extra_state"):
        target.load_state_dict({})


def test_hooks():
    module, seen = net(), []
    module.register_state_dict_pre_hook(lambda m, prefix, keep: seen.append("pre"))

    def rename(m, state, prefix, meta):
        state["renamed"] = state.pop("head.bias")

    module.register_state_dict_post_hook(rename)
    state = module.state_dict()
    assert "renamed" in state and "head.bias" not in state and seen == ["pre"]

    def back(m, state, prefix, *rest):
        assert m is module
        state["head.bias"] = state.pop("renamed")

    module.register_load_state_dict_pre_hook(back)
    module.register_load_state_dict_post_hook(lambda m, keys: seen.append(keys))
    module.load_state_dict(state)
    assert seen[1].missing_keys == []
    module.register_load_state_dict_post_hook(lambda m, keys: 3)
    with pytest.raises(RuntimeError, match="not expected to return"):
        module.load_state_dict(module.state_dict())


def test_versions_reach_the_loading_module():
    class Old(nn.Module):
        _version = 3

        def _load_from_state_dict(self, state, prefix, meta, *rest):
            self.version = meta.get("version")

    module = nn.Sequential(Old())
    module.load_state_dict(module.state_dict())
    assert module[0].version == 3
    module.load_state_dict({})
    assert module[0].version is None


def test_batch_norm_of_before_the_count():
    module = nn.BatchNorm1d(2)
    state = OrderedDict((k, v) for k, v in module.state_dict().items() if "tracked" not in k)
    module.load_state_dict(state)
    assert int(module.num_batches_tracked) == 0


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_lazy_modules_load():
    lazy, made = nn.LazyLinear(3), nn.Linear(5, 3)
    lazy.load_state_dict(made.state_dict())
    assert tuple(lazy.weight.shape) == (3, 5)
    assert bool((lazy(kagari.ones(1, 5)) == made(kagari.ones(1, 5))).all())
