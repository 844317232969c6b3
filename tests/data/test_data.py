"""utils.data beside PyTorch's: the same batches in the same order from the same seed."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest
import torch

import kagari
from kagari.utils import data as ours
from tests.nn.side_by_side import assert_same

theirs = torch.utils.data
SEEDS = {ours: kagari.random.manual_seed, theirs: torch.manual_seed}
LIBRARIES = {ours: kagari, theirs: torch}
Pair = namedtuple("Pair", "left right")


def both(act, seed=5):
    """`act(data, library)` in both libraries from the same seed, and one number drawn after it."""
    results = []
    for data, library in LIBRARIES.items():
        SEEDS[data](seed)
        made = act(data, library)
        results.append([made, library.rand(2, dtype=library.float64)])
    return results


def tensors(library, n=23):
    return library.arange(2 * n).reshape(n, 2).float(), library.arange(n)


@pytest.mark.parametrize(
    "options",
    [
        {}, {"batch_size": 4}, {"batch_size": 4, "drop_last": True},
        {"batch_size": 5, "shuffle": True}, {"batch_size": None}, {"shuffle": True},
        {"batch_size": 50},
    ],
)  # fmt: skip
def test_loading_tensors(options):
    def act(data, library):
        loader = data.DataLoader(data.TensorDataset(*tensors(library)), **options)
        return [len(loader), list(loader), list(loader)]

    assert_same(*both(act))


class Items(ours.Dataset):
    """A dataset that both loaders read."""

    def __init__(self, items):
        self.items = items

    def __getitem__(self, index):
        return self.items[index]

    def __len__(self):
        return len(self.items)


def test_a_batch_is_gathered_at_once_and_equals_the_batch_of_items():
    dataset = ours.TensorDataset(*tensors(kagari))
    subset = ours.Subset(ours.Subset(dataset, range(3, 20)), [5, 1, 9, 0])
    for source in (dataset, subset):
        at_once = list(ours.DataLoader(source, 3))
        by_item = list(ours.DataLoader(source, 3, collate_fn=lambda b: ours.default_collate(b)))
        for a, b in zip(at_once, by_item, strict=True):
            assert [t.tolist() for t in a] == [t.tolist() for t in b]

    class Doubled(ours.TensorDataset):
        def __getitem__(self, index):
            return tuple(2 * t for t in super().__getitem__(index))

    batch = next(iter(ours.DataLoader(Doubled(*tensors(kagari)), 2)))
    assert batch[1].tolist() == [0, 2]


@pytest.mark.parametrize("generator", [False, True])
def test_samplers(generator):
    def act(data, library):
        source = range(40)
        made = {"generator": library.Generator().manual_seed(3)} if generator else {}
        samplers = [
            data.SequentialSampler(source), data.RandomSampler(source, **made),
            data.RandomSampler(source, num_samples=95, **made),
            data.RandomSampler(source, replacement=True, num_samples=70, **made),
            data.SubsetRandomSampler([3, 1, 4, 15, 9], **made),
            data.BatchSampler(data.SequentialSampler(range(10)), 4, False),
            data.BatchSampler(data.SequentialSampler(range(10)), 4, True),
        ]  # fmt: skip
        return [[len(s), list(s), list(s)] for s in samplers]

    assert_same(*both(act))


def test_weighted_sampler_follows_its_weights():
    SEEDS[ours](0)
    drawn = list(ours.WeightedRandomSampler([0.0, 1.0, 3.0], 4000))
    assert drawn.count(0) == 0 and 2.5 < drawn.count(2) / drawn.count(1) < 3.6
    assert sorted(ours.WeightedRandomSampler([1, 1, 1], 3, replacement=False)) == [0, 1, 2]


@pytest.mark.parametrize("lengths", [[20, 3], [0.5, 0.3, 0.2], [0.33, 0.33, 0.34]])
def test_random_split(lengths):
    def act(data, library):
        parts = data.random_split(data.TensorDataset(*tensors(library)), lengths)
        return [list(part.indices) for part in parts] + [part[0] for part in parts]

    assert_same(*both(act))


def test_datasets_made_of_others():
    def act(data, library):
        first, second = (data.TensorDataset(*tensors(library, n)) for n in (3, 5))
        whole = first + second
        stack = data.StackDataset(first, range(3))
        named = data.StackDataset(x=first, y=range(3))
        return [len(whole), whole[4], whole[-1], stack[1], named[1]["y"],
                [list(b) for b in data.DataLoader(stack, 2)],
                list(next(iter(data.DataLoader(named, 2))))]  # fmt: skip

    assert_same(*both(act))


class Counting(ours.IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        return self.n


@pytest.mark.parametrize(
    ("options", "batches"),
    [
        ({"batch_size": 3}, [[0, 1, 2], [3, 4, 5], [6]]),
        ({"batch_size": 3, "drop_last": True}, [[0, 1, 2], [3, 4, 5]]),
        ({"batch_size": 7}, [[0, 1, 2, 3, 4, 5, 6]]),
        ({"batch_size": None}, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_iterable_datasets(options, batches):
    loader = ours.DataLoader(Counting(7), **options)
    seen = [b.tolist() if isinstance(b, kagari.Tensor) else b for b in loader]
    assert seen == batches and len(loader) == len(batches)
    assert list(Counting(2) + Counting(3)) == [0, 1, 0, 1, 2]


SAMPLES = [
    [1, 2], [1.5, 2.5], [True, False], ["a", "b"], [b"a", b"b"],
    [(1, 2.0, "x"), (3, 4.0, "y")], [[1, 2], [3, 4]], [{"a": 1, "b": [2.0]}] * 2,
    [Pair(1, 2.0), Pair(3, 4.0)], [OrderedDict(a=1), OrderedDict(a=2)],
    [np.float32(1.5), np.float32(2)], [np.int64(1), np.int64(2)],
    [np.arange(3), np.arange(3)], [np.ones((2, 2), np.float32)] * 2,
]  # fmt: skip


def same_structure(a, b):
    assert type(a).__name__ == type(b).__name__
    if isinstance(b, dict):
        assert list(a) == list(b)
        a, b = list(a.values()), list(b.values())
    if isinstance(b, (list, tuple)):
        for x, y in zip(a, b, strict=True):
            same_structure(x, y)
    else:
        assert_same(a, b)


@pytest.mark.parametrize("batch", SAMPLES, ids=lambda b: type(b[0]).__name__)
def test_collate_and_convert(batch):
    same_structure(ours.default_collate(batch), theirs.default_collate(batch))
    same_structure(ours.default_convert(batch), theirs.default_convert(batch))


def test_collate_errors():
    with pytest.raises(RuntimeError, match="equal size"):
        ours.default_collate([[1], [1, 2]])
    with pytest.raises(TypeError, match="must contain tensors"):
        ours.default_collate([object(), object()])
    with pytest.raises(TypeError, match="must contain tensors"):
        ours.default_collate([np.array(["a"])])
    same, other = {"a": [kagari.ones(2)]}, {"a": [kagari.ones(3)]}
    with pytest.raises(RuntimeError, match=r"item 2\['a'\]\[0\] has \[3\]"):
        ours.default_collate([same, same, other])
    with pytest.raises(RuntimeError, match=r"item 1\['a'\] has 2"):
        ours.default_collate([same, {"a": [kagari.ones(2)] * 2}])
    with pytest.raises(KeyError, match="item 1 has no 'a'"):
        ours.default_collate([same, {}])
    with pytest.raises(TypeError, match=r"item 1\[0\].*NoneType"):
        ours.default_collate([[kagari.ones(1)], [None]])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"num_workers": -1}, ValueError),
        ({"shuffle": True, "sampler": [0]}, ValueError), ({"batch_size": 0}, ValueError),
        ({"batch_sampler": [[0]], "batch_size": 3}, ValueError),
        ({"batch_size": None, "drop_last": True}, ValueError), ({"timeout": -1}, ValueError),
        ({"prefetch_factor": 2}, ValueError), ({"persistent_workers": True}, ValueError),
    ],
)  # fmt: skip
def test_wrong_options(options, error):
    with pytest.raises(error):
        ours.DataLoader([1, 2], **options)


def test_wrong_use():
    loader = ours.DataLoader([1, 2])
    with pytest.raises(ValueError, match="should not be set"):
        loader.batch_size = 3
    with pytest.raises(ValueError, match="unspecified shuffle"):
        ours.DataLoader(Counting(3), shuffle=True)
    with pytest.raises(AssertionError, match="Size mismatch"):
        ours.TensorDataset(kagari.ones(2), kagari.ones(3))
    with pytest.raises(ValueError, match="does not equal"):
        ours.random_split([1, 2, 3], [1, 1])
    with pytest.raises(NotImplementedError):
        ours.Dataset()[0]
    with pytest.raises(IndexError):
        list(ours.DataLoader(ours.TensorDataset(kagari.ones(2)), sampler=[5]))


def test_user_samplers_and_item_datasets():
    dataset = Items([(float(i), i) for i in range(6)])
    batches = list(ours.DataLoader(dataset, 2, sampler=[5, 0, 3]))
    assert [b[1].tolist() for b in batches] == [[5, 0], [3]]
    batches = list(ours.DataLoader(dataset, batch_sampler=[[1], [2, 3]], collate_fn=list))
    assert batches == [[(1.0, 1)], [(2.0, 2), (3.0, 3)]]


@pytest.mark.parametrize("n", [0, 2, 10, 13])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_distributed_sampler(n, drop_last, shuffle):
    def act(data, library):
        made = [
            data.distributed.DistributedSampler(range(n), 4, rank, shuffle, 3, drop_last)
            for rank in range(4)
        ]
        for sampler in made:
            sampler.set_epoch(2)
        return [[len(sampler), list(sampler)] for sampler in made]

    if n == 2 and drop_last:
        pytest.skip("PyTorch's own length is then negative")
    assert_same(*both(act))


def test_distributed_sampler_wrong():
    with pytest.raises(RuntimeError, match="distributed"):
        ours.DistributedSampler(range(3))
    with pytest.raises(ValueError, match="Invalid rank 4"):
        ours.DistributedSampler(range(3), 2, 4)
