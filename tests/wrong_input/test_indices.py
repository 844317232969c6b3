"""Dimensions and indices out of range: IndexError, before any write."""

import pytest

import kagari

ERRORS = (IndexError, RuntimeError, ValueError)

BY_DIMENSION = [
    "sum", "mean", "prod", "amax", "amin", "argmax", "argmin", "cumsum", "cumprod", "softmax",
    "log_softmax", "logsumexp", "sort", "argsort", "flip", "unbind", "squeeze", "unsqueeze", "all",
    "any", "var", "std", "max", "min", "topk_of", "select_of", "narrow_of", "size",
    "stride", "chunk_of", "split_of", "gather_of", "index_select_of", "transpose_of", "diagonal_of",
]  # fmt: skip


def call(name, t, dim):
    index = kagari.zeros(1, dtype=kagari.int64)
    special = {
        "topk_of": lambda: t.topk(1, dim),
        "select_of": lambda: t.select(dim, 0),
        "narrow_of": lambda: t.narrow(dim, 0, 1),
        "chunk_of": lambda: t.chunk(2, dim),
        "split_of": lambda: t.split(1, dim),
        "gather_of": lambda: t.gather(dim, kagari.zeros(2, 3, dtype=kagari.int64)),
        "index_select_of": lambda: t.index_select(dim, index),
        "transpose_of": lambda: t.transpose(0, dim),
        "diagonal_of": lambda: t.diagonal(0, 0, dim),
    }
    if name in special:
        return special[name]()
    return getattr(t, name)(dim)


@pytest.mark.parametrize("dim", [4, -4, 100, 2**31, -(2**31), 2**62, 2**63 - 1, -(2**63)])
@pytest.mark.parametrize("name", BY_DIMENSION)
def test_dimensions(name, dim):
    with pytest.raises(IndexError, match=r"(?i)dimension|range"):
        call(name, kagari.ones(2, 3), dim)


@pytest.mark.parametrize("repeated", [(0, 0), (0, -2), (1, -1)])
@pytest.mark.parametrize("name", ["sum", "mean", "amax", "var", "logsumexp", "flip"])
def test_repeated_dimensions(name, repeated):
    with pytest.raises(RuntimeError):
        getattr(kagari.ones(2, 3), name)(repeated)


INDICES = [2, -3, 100, 2**31, -(2**40), 2**62, 2**63 - 1, -(2**63)]


def gathered(t, index):
    return t.gather(0, kagari.tensor([[index, 0, 0]]))


READS = {
    "getitem": lambda t, i: t[i],
    "select": lambda t, i: t.select(0, i),
    "tensor": lambda t, i: t[kagari.tensor([0, i])],
    "two_tensors": lambda t, i: t[kagari.tensor([0, i]), kagari.tensor([0, 0])],
    "list": lambda t, i: t[[0, i]],
    "index_select": lambda t, i: t.index_select(0, kagari.tensor([i])),
    "gather": gathered,
    "take": lambda t, i: t.take(kagari.tensor([i * 3 if abs(i) < 1000 else i])),
    "embedding": lambda t, i: kagari.nn.functional.embedding(kagari.tensor([i]), t),
    "narrow": lambda t, i: t.narrow(0, i, 1),
    "take_along_dim": lambda t, i: t.take_along_dim(kagari.tensor([[i]]), 0),
}


@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("name", READS)
def test_reads(name, index):
    with pytest.raises(ERRORS):
        READS[name](kagari.ones(2, 3), index)


def one(index):
    return kagari.tensor([[index]])


WRITES = {
    "setitem": lambda t, i: t.__setitem__(i, 5.0),
    "setitem_tensor": lambda t, i: t.__setitem__(kagari.tensor([0, i]), 5.0),
    "scatter": lambda t, i: t.scatter_(0, one(i), 5.0),
    "scatter_add": lambda t, i: t.scatter_add_(0, one(i), kagari.ones(1, 1)),
    "scatter_reduce": lambda t, i: t.scatter_reduce_(0, one(i), kagari.ones(1, 1), "sum"),
    "index_add": lambda t, i: t.index_add_(0, kagari.tensor([0, i]), kagari.ones(2, 3)),
    "index_copy": lambda t, i: t.index_copy_(0, kagari.tensor([0, i]), kagari.ones(2, 3)),
    "index_fill": lambda t, i: t.index_fill_(0, kagari.tensor([0, i]), 5.0),
    "index_put": lambda t, i: t.index_put_((kagari.tensor([0, i]),), kagari.tensor(5.0)),
    "put": lambda t, i: t.put_(kagari.tensor([i * 3 if abs(i) < 1000 else i]), kagari.ones(1)),
}


@pytest.mark.parametrize("index", INDICES)
@pytest.mark.parametrize("name", WRITES)
def test_writes(name, index):
    t = kagari.zeros(2, 3)
    with pytest.raises(ERRORS):
        WRITES[name](t, index)
    assert t.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_classes_out_of_range():
    logits = kagari.zeros(2, 3)
    for bad in (3, -1, 2**40):
        target = kagari.tensor([0, bad])
        with pytest.raises((IndexError, RuntimeError)):
            kagari.nn.functional.cross_entropy(logits, target)
        with pytest.raises((IndexError, RuntimeError)):
            kagari.nn.functional.one_hot(target, 3)


@pytest.mark.parametrize(
    "index",
    ["a", 1.5, None.__class__, object(), kagari.tensor(1.5), kagari.tensor([1.5]), {}, (0, 0, 0)],
    ids=lambda v: type(v).__name__,
)
def test_what_is_no_index(index):
    with pytest.raises((IndexError, TypeError)):
        kagari.ones(2, 3)[index]
    with pytest.raises((IndexError, TypeError)):
        kagari.ones(2, 3)[index] = 1


def test_masks_of_the_wrong_shape():
    t = kagari.zeros(2, 3)
    for shape in ((3,), (2, 2), (3, 3), (2, 3, 1)):
        mask = kagari.ones(shape, dtype=kagari.bool)
        with pytest.raises(IndexError):
            t[mask]
        with pytest.raises(IndexError):
            t[mask] = 1
    assert t.sum().item() == 0


def test_values_that_do_not_fit():
    t = kagari.zeros(2, 3)
    for key in (0, slice(None), kagari.tensor([0, 1]), t == 0):
        with pytest.raises((RuntimeError, IndexError)):
            t[key] = kagari.ones(7)
    assert t.sum().item() == 0
