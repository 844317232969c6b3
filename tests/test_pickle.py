"""Pickling, copying and deep-copying of tensors, subclasses and parameters."""

import copy
import pickle
import weakref

import pytest

import kagari


class Named(kagari.Tensor):
    """A subclass with an attribute."""

    label = "none"


class Slotted(kagari.Tensor):
    __slots__ = ("mark",)


SOURCES = {
    "float": lambda: kagari.tensor([[1.5, 2.0], [3.0, 4.0]]),
    "grad": lambda: kagari.tensor([1.0], requires_grad=True),
    "int": lambda: kagari.arange(5),
    "bool": lambda: kagari.tensor([True, False]),
    "bfloat16": lambda: kagari.ones(3, dtype=kagari.bfloat16),
    "complex": lambda: kagari.tensor([1j]),
    "uint64": lambda: kagari.tensor([2**64 - 1], dtype=kagari.uint64),
    "scalar": lambda: kagari.tensor(3),
    "empty": lambda: kagari.zeros(0, 3),
    "transposed": lambda: kagari.arange(6).reshape(2, 3).t(),
    "part": lambda: kagari.arange(6).reshape(2, 3)[:, 1:],
    "expanded": lambda: kagari.arange(3).expand(2, 3),
}


def same(a, b):
    return (
        type(a) is type(b)
        and repr(a) == repr(b)
        and a.dtype is b.dtype
        and a.stride() == b.stride()
        and a.requires_grad == b.requires_grad
        and a.is_leaf == b.is_leaf
    )


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", SOURCES)
def test_round_trip(name, protocol):
    source = SOURCES[name]()
    made = pickle.loads(pickle.dumps(source, protocol))
    assert same(made, source)
    assert made.numel() == 0 or made.data_ptr() != source.data_ptr()


def test_out_of_band():
    buffers = []
    source = kagari.arange(10_000)
    data = pickle.dumps(source, 5, buffer_callback=buffers.append)
    assert len(data) < 1000 and len(buffers) == 1
    assert kagari.equal(pickle.loads(data, buffers=buffers), source)


@pytest.mark.parametrize("name", SOURCES)
def test_deepcopy(name):
    source = SOURCES[name]()
    made = copy.deepcopy(source)
    assert same(made, source)
    assert made.numel() == 0 or made.data_ptr() != source.data_ptr()


def test_copy_shares_memory():
    source = kagari.ones(2)
    made = copy.copy(source)
    made[0] = 5
    assert made is not source and source.tolist() == [5, 1]


def test_deepcopy_keeps_what_is_shared_shared():
    base = kagari.zeros(4)
    views = copy.deepcopy([base, base[1:3], base])
    assert views[0] is views[2]
    views[1].fill_(7)
    assert views[0].tolist() == [0, 7, 7, 0] and base.tolist() == [0] * 4


def test_deepcopy_takes_gradients_and_attributes_along():
    source = kagari.ones(2, requires_grad=True)
    (source * 3).sum().backward()
    source.note = ["seen"]
    made = copy.deepcopy(source)
    assert made.grad.tolist() == [3, 3] and made.grad is not source.grad
    assert made.note == ["seen"] and made.note is not source.note


def test_only_leaves_are_copied():
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(kagari.ones(1, requires_grad=True) * 2)


def test_subclasses():
    source = kagari.ones(2).as_subclass(Named)
    source.label = "mine"
    for made in (pickle.loads(pickle.dumps(source)), copy.deepcopy(source), copy.copy(source)):
        assert type(made) is Named and made.label == "mine" and made.tolist() == [1, 1]
    slotted = kagari.ones(1).as_subclass(Slotted)
    slotted.mark = 3
    assert pickle.loads(pickle.dumps(slotted)).mark == 3
    assert copy.deepcopy(slotted).mark == 3


def test_attributes_of_plain_tensors():
    source = kagari.ones(1)
    source.note = "x"
    assert pickle.loads(pickle.dumps(source)).note == "x"


def test_parameters():
    source = kagari.nn.Parameter(kagari.ones(2))
    for made in (pickle.loads(pickle.dumps(source)), copy.deepcopy(source)):
        assert type(made) is kagari.nn.Parameter and made.requires_grad
        assert made.tolist() == [1, 1]


def test_meta():
    source = kagari.ones(2, 3, device="meta")
    for made in (pickle.loads(pickle.dumps(source)), copy.deepcopy(source)):
        assert made.is_meta and tuple(made.shape) == (2, 3)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: {**a, "size": (10_000,)},
        lambda a: {**a, "size": (-1,)},
        lambda a: {**a, "stride": (-1,)},
        lambda a: {**a, "stride": (2**62,)},
        lambda a: {**a, "offset": -5},
        lambda a: {**a, "offset": 2**62},
        lambda a: {**a, "size": (2**40, 2**40), "stride": (1, 1)},
        lambda a: {**a, "size": (2, 2)},
    ],
)
def test_hostile_windows_are_errors(change):
    tensor = kagari.ones(4)
    arguments = change({"offset": 0, "size": (4,), "stride": (1,)})
    rebuild = tensor.__reduce_ex__(2)[0]
    with pytest.raises((RuntimeError, TypeError)):
        rebuild(tensor.storage(), *arguments.values(), False, None)


def test_weak_references_and_attributes_survive_in_the_graph():
    leaf = kagari.ones(2, requires_grad=True)
    leaf.name_of_mine = "leaf"
    gone = weakref.ref(leaf)
    result = leaf * 2
    identity = id(leaf)
    del leaf
    kept = gone()
    assert kept is not None and id(kept) == identity and kept.name_of_mine == "leaf"
    del kept, result
    assert gone() is None
