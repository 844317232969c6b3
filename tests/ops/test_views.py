"""View ops against PyTorch: values, strides, sharing of memory, errors; in-place views."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import kagari


def base(t, shape=(2, 3, 4)):
    count = 1
    for s in shape:
        count *= s
    return t.arange(count).reshape(shape)


def shown(x):
    if isinstance(x, (tuple, list)):
        return [shown(v) for v in x]
    return tuple(x.shape), x.stride(), x.storage_offset(), x.tolist()


VIEWS = {
    "view": lambda x: x.view(4, 6),
    "view inferred": lambda x: x.view(-1, 2),
    "reshape": lambda x: x.reshape(3, 8),
    "expand": lambda x: x[:1].expand(5, 3, 4),
    "expand more": lambda x: x.expand(2, -1, -1, -1),
    "permute": lambda x: x.permute(2, 0, 1),
    "transpose": lambda x: x.transpose(0, -1),
    "t": lambda x: x[0].t(),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "unsqueeze": lambda x: x.unsqueeze(-2),
    "squeeze": lambda x: x[:, :1].squeeze(),
    "squeeze dim": lambda x: x[:, :1].squeeze(1),
    "squeeze dims": lambda x: x[:1, :1].squeeze((0, 1)),
    "flatten": lambda x: x.flatten(1),
    "unflatten": lambda x: x.unflatten(2, (2, -1)),
    "movedim": lambda x: x.movedim((0, 1), (2, 0)),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "select": lambda x: x.select(1, -1),
    "narrow": lambda x: x.narrow(2, 1, 2),
    "slice": lambda x: x[:, ::2, 1:-1],
    "diagonal": lambda x: x.diagonal(1, 1, 2),
    "diagonal below": lambda x: x.diagonal(-1, 0, 2),
    "unfold": lambda x: x.unfold(2, 3, 1),
    "as_strided": lambda x: x.as_strided((2, 2), (5, 3), 4),
    "split": lambda x: x.split(2, 1),
    "split sizes": lambda x: x.split([1, 0, 3], 2),
    "chunk": lambda x: x.chunk(3, 2),
    "tensor_split": lambda x: x.tensor_split(3, 2),
    "tensor_split at": lambda x: x.tensor_split((1, 3), 2),
    "unbind": lambda x: x.unbind(1),
    "hsplit": lambda x: x.hsplit(3),
    "view as other dtype": lambda x: x.view(x.int().dtype),
    "ravel": lambda x: x.ravel(),
}


@pytest.mark.parametrize("name", VIEWS)
def test_same_as_pytorch(name):
    assert shown(VIEWS[name](base(kagari))) == shown(VIEWS[name](base(torch)))


@pytest.mark.parametrize("name", VIEWS)
def test_memory_is_shared(name):
    x = base(kagari).clone()
    view = VIEWS[name](x)
    for v in view if isinstance(view, tuple) else [view]:
        if v.numel() == 0:
            continue
        assert v._base is x or v.dtype != x.dtype
        if 0 not in v.stride() and name != "unfold":  # those overlap themselves
            v.fill_(77)
            assert x._version == v._version > 0
            assert 77 in x.reshape(-1).tolist() or v.dtype != x.dtype


@pytest.mark.parametrize("name", VIEWS)
def test_meta_gives_the_shape(name):
    x = base(kagari)
    meta = VIEWS[name](x.to("meta"))
    real = VIEWS[name](x)
    pairs = zip(meta, real, strict=True) if isinstance(real, tuple) else [(meta, real)]
    for m, r in pairs:
        assert m.is_meta and m.shape == r.shape and m.stride() == r.stride()


@pytest.mark.parametrize(
    "program",
    [
        lambda x: x.view(5, 5),
        lambda x: x.view(-1, -1),
        lambda x: x.view(-1, 0),
        lambda x: x.permute(2, 0, 1).view(24),
        lambda x: x.reshape(-2, 12),
        lambda x: x.expand(2, 3),
        lambda x: x.expand(3, 3, 4),
        lambda x: x.permute(0, 0, 1),
        lambda x: x.permute(0, 1),
        lambda x: x.transpose(0, 3),
        lambda x: x.t(),
        lambda x: x.squeeze(5),
        lambda x: x.unsqueeze(5),
        lambda x: x.select(0, 2),
        lambda x: x.narrow(0, 1, 2),
        lambda x: x.narrow(0, 0, -1),
        lambda x: x.split([1, 1], 2),
        lambda x: x.split(-1),
        lambda x: x.chunk(0),
        lambda x: x.unfold(2, 5, 1),
        lambda x: x.unfold(2, 2, 0),
        lambda x: x.diagonal(0, 1, 1),
        lambda x: x.as_strided((5, 5), (10, 1)),
        lambda x: x.as_strided((2,), (-1,)),
        lambda x: x.as_strided((2**40, 2**40), (2**40, 1)),
        lambda x: x.movedim((0, 0), (1, 2)),
        lambda x: x.unflatten(2, (3, -1)),
        lambda x: x.flatten(2, 1),
        lambda x: x[..., 0].sum().unbind(),
    ],
)
def test_errors(program):
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        program(base(torch))
    with pytest.raises(theirs.type):
        program(base(kagari))


@given(st.data())
def test_view_of_any_layout(data):
    """view() succeeds exactly where PyTorch's does, with its strides."""
    shape = data.draw(st.lists(st.integers(0, 4), min_size=0, max_size=4))
    order = data.draw(st.permutations(range(len(shape))))
    cut = data.draw(st.integers(0, max(len(shape) - 1, 0)))
    count = 1
    for s in shape:
        count *= s
    divisors = [d for d in range(1, count + 1) if count % d == 0] or [0]
    first = data.draw(st.sampled_from(divisors))
    target = (first, count // first if first else 3) if count else (0, 3)

    def program(t):
        x = base(t, tuple(shape)).permute(order)
        if shape:
            x = x.narrow(cut, 0, x.shape[cut])
        try:
            return shown(x.view(target)), shown(x.reshape(target))
        except RuntimeError:
            return "RuntimeError", shown(x.reshape(target))

    ours, theirs = program(kagari), program(torch)
    assert ours == theirs or count == 0


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.transpose_(0, 1),
        lambda x: x.unsqueeze_(1),
        lambda x: x[:, :1].squeeze_(1),
        lambda x: x[0].t_(),
        lambda x: x.swapaxes_(0, 2),
        lambda x: x.as_strided_((2, 2), (1, 2), 1),
    ],
)
def test_in_place_views(write):
    assert shown(write(base(kagari))) == shown(write(base(torch)))


def test_in_place_view_keeps_its_history():
    def program(t):
        x = t.arange(6.0).reshape(2, 3).requires_grad_()
        y = x * 2
        y.t_()
        (y * t.arange(6.0).reshape(3, 2)).sum().backward()
        return x.grad.tolist()

    assert program(kagari) == program(torch)
