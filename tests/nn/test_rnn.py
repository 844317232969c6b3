"""Recurrent modules and packed sequences beside PyTorch's."""

import copy
import pickle
import warnings
from typing import Any

import pytest
import torch

import kagari
from tests.nn.side_by_side import assert_same, compare, scalar, to_kagari, twins
from tests.nn.test_modules import x
from tests.ops.pairs import same_error

MODULES = [
    ("RNN", (4, 5), {}, (3, 2, 4)),
    ("RNN", (4, 5, 2, "relu", False, True), {}, (3, 2, 4)),
    ("GRU", (4, 5, 2), {"bidirectional": True}, (3, 2, 4)),
    ("GRU", (4, 5), {"batch_first": True}, (3, 4)),
    ("LSTM", (4, 5, 2, False, True), {"bidirectional": True}, (3, 2, 4)),
    ("LSTM", (4, 5, 2), {"proj_size": 3, "bidirectional": True}, (3, 2, 4)),
    ("LSTM", (4, 5), {}, (3, 4)),
    ("RNNCell", (4, 5), {}, (3, 4)),
    ("RNNCell", (4, 5, False, "relu"), {}, (4,)),
    ("GRUCell", (4, 5), {}, (3, 4)),
    ("LSTMCell", (4, 5), {}, (3, 4)),
    ("LSTMCell", (4, 5, False), {}, (4,)),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), MODULES)
def test_module(name: str, args: Any, kwargs: Any, shape: Any) -> None:
    ours, theirs = twins(name, *args, **kwargs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    compare(ours, theirs, x(*shape))
    torch.manual_seed(3)
    kagari.manual_seed(3)
    made = getattr(torch.nn, name)(*args, **kwargs)
    mine = getattr(kagari.nn, name)(*args, **kwargs)
    for a, b in zip(mine.parameters(), made.parameters(), strict=True):
        assert_same(a, b, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("enforce_sorted", [True, False])
def test_packed_through_a_module(name: str, enforce_sorted: bool) -> None:
    """Packed, computed with a state, padded again: values and gradients."""
    lengths = [4, 2, 1] if enforce_sorted else [2, 4, 1]
    ours, theirs = twins(name, 3, 5, 2, bidirectional=True)
    h = x(4, 3, 5)
    states = (h, x(4, 3, 5)) if name == "LSTM" else h

    def run(lib: Any, net: Any, given: Any, state: Any) -> Any:
        rnn = lib.nn.utils.rnn
        packed = rnn.pack_padded_sequence(given, lengths, enforce_sorted=enforce_sorted)
        out, last = net(packed, state)
        assert isinstance(out, rnn.PackedSequence)
        return [*rnn.pad_packed_sequence(out, padding_value=-1.0), last]

    given = x(4, 3, 3)
    mine, my_states = to_kagari(given), to_kagari(states)
    a, b = run(kagari, ours, mine, my_states), run(torch, theirs, given, states)
    assert_same(a, b)
    scalar(a).backward()
    scalar(b).backward()
    assert_same(mine.grad, given.grad)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_same(p.grad, q.grad)


def test_packing_and_padding() -> None:
    parts = [x(n, 2, grad=False) for n in (3, 1, 4)]
    found: list[list[Any]] = []
    for lib, given in ((kagari, to_kagari(parts)), (torch, parts)):
        results: list[Any] = []
        found.append(results)
        rnn = lib.nn.utils.rnn
        for first in (True, False):
            results.append(rnn.pad_sequence(given, first, 9.0, "left"))
            padded = rnn.pad_sequence(given, first)
            copied = padded.clone()  # PyTorch's unpad_sequence turns its argument around
            results += [padded, *rnn.unpad_sequence(copied, lib.tensor([3, 1, 4]), first)]
            packed = rnn.pack_padded_sequence(padded, lib.tensor([3, 1, 4]), first, False)
            results += [*packed, *rnn.pad_packed_sequence(packed, first, -1.0, 6)]
        packed = rnn.pack_sequence(given, enforce_sorted=False)
        results += [*packed, *rnn.unpack_sequence(packed)]
        results.append(rnn.invert_permutation(lib.tensor([2, 0, 1])))
    assert_same(*found)


def test_packed_sequence() -> None:
    packed = kagari.nn.utils.rnn.pack_sequence([kagari.ones(2, 3)])
    assert packed.to(kagari.float32) is packed
    assert packed.double().data.dtype == kagari.float64
    assert packed.long().int().short().char().byte().half().float().data.dtype == kagari.float32
    assert packed.cpu() is packed
    assert not packed.is_cuda
    assert not packed.is_pinned()
    again = pickle.loads(pickle.dumps(packed))
    assert kagari.equal(again.data, packed.data)


def test_weights_are_those_of_the_moment() -> None:
    """Copied, moved, replaced or called with other parameters, the module uses what it has."""
    net, given = kagari.nn.LSTM(3, 4), kagari.ones(2, 1, 3)
    twin = copy.deepcopy(net)
    with kagari.no_grad():
        twin.weight_ih_l0.zero_()
    assert not kagari.equal(net(given)[0], twin(given)[0])
    assert net.double()(given.double())[0].dtype == kagari.float64
    zeros = {name: kagari.zeros_like(p) for name, p in net.named_parameters()}
    assert not bool(kagari.func.functional_call(net, zeros, (given.double(),))[0].any())
    assert [len(weights) for weights in net.all_weights] == [4]
    net.flatten_parameters()
    net._flat_weights = [p.detach() * 0 if p.dim() > 9 else p for p in net._flat_weights]
    assert len(pickle.loads(pickle.dumps(net)).all_weights[0]) == 4


ERRORS = {
    "bias": lambda t: t.nn.LSTM(2, 3, 1, 1),
    "input size": lambda t: t.nn.LSTM(0, 2),
    "hidden size": lambda t: t.nn.LSTM(2, 3.0),
    "layers": lambda t: t.nn.LSTM(2, 3, 0),
    "projection": lambda t: t.nn.LSTM(2, 3, proj_size=3),
    "projection of a GRU": lambda t: t.nn.GRU(2, 3, proj_size=2),
    "dropout": lambda t: t.nn.GRU(2, 3, dropout=2),
    "nonlinearity": lambda t: t.nn.RNN(2, 3, nonlinearity="x"),
    "rank": lambda t: t.nn.LSTM(2, 3)(t.zeros(1, 1, 1, 2)),
    "features": lambda t: t.nn.GRU(2, 3)(t.zeros(1, 1, 5)),
    "dtype": lambda t: t.nn.GRU(2, 3)(t.zeros(1, 1, 2).double()),
    "state": lambda t: t.nn.GRU(2, 3)(t.zeros(1, 1, 2), t.zeros(1, 1, 4)),
    "rank of states": lambda t: t.nn.LSTM(2, 3)(t.zeros(1, 2), (t.zeros(1, 1, 3), t.zeros(1, 3))),
    "cell state": lambda t: t.nn.LSTM(2, 3)(t.zeros(1, 1, 2), (t.zeros(1, 1, 3), t.zeros(1, 1, 4))),
    "no steps": lambda t: t.nn.LSTM(2, 3)(t.zeros(0, 1, 2)),
    "rank of a cell's input": lambda t: t.nn.LSTMCell(2, 3)(t.zeros(2, 5, 3)),
    "rank of a cell's state": lambda t: t.nn.GRUCell(2, 3)(t.zeros(2, 2), t.zeros(1, 1, 3)),
    "cell's nonlinearity": lambda t: t.nn.RNNCell(2, 3, nonlinearity="x")(t.zeros(2, 2)),
    "unsorted": lambda t: t.nn.utils.rnn.pack_padded_sequence(t.zeros(3, 2, 1), [1, 2]),
    "length 0": lambda t: t.nn.utils.rnn.pack_padded_sequence(t.zeros(3, 2, 1), [1, 0]),
    "count": lambda t: t.nn.utils.rnn.pack_padded_sequence(t.zeros(3, 2, 1), [1]),
    "empty": lambda t: t.nn.utils.rnn.pack_padded_sequence(t.zeros(0, 2, 1), [4, 1]),
    "no list": lambda t: t.nn.utils.rnn.pad_sequence(3),
    "nothing to pad": lambda t: t.nn.utils.rnn.pad_sequence([]),
    "shapes": lambda t: t.nn.utils.rnn.pad_sequence([t.zeros(1, 2), t.zeros(2, 3)]),
    "side": lambda t: t.nn.utils.rnn.pad_sequence([t.zeros(1, 2)], padding_side="x"),
    "total length": lambda t: t.nn.utils.rnn.pad_packed_sequence(
        t.nn.utils.rnn.pack_sequence([t.zeros(2)]), total_length=1
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same_error(ERRORS[name])


def test_a_length_beyond_the_input_is_refused() -> None:
    with pytest.raises(RuntimeError, match="a length of 4"):
        kagari.nn.utils.rnn.pack_padded_sequence(kagari.zeros(3, 2, 1), [4, 1])


def test_dropout_of_one_layer_warns() -> None:
    with pytest.warns(UserWarning, match="num_layers greater than 1"):
        kagari.nn.GRU(2, 3, dropout=0.5)
