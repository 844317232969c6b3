"""DataLoader with workers beside PyTorch's: batches, seeds, errors, death, and going on midway."""

import gc
import os
import pickle
import random
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch

import kagari
from kagari.utils import data as ours
from kagari.utils.data import worker as workers_of

theirs = torch.utils.data
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


class Squares(ours.Dataset):
    """Item i is (i², a row of floats, its name)."""

    def __init__(self, n=23, row=3):
        self.n, self.row = n, row

    def __getitem__(self, i):
        return {"square": i * i, "row": kagari.full((self.row,), float(i)), "name": f"item {i}"}

    def __len__(self):
        return self.n


def listed(batch):
    if isinstance(batch, dict):
        return {key: listed(value) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        return [listed(value) for value in batch]
    return batch.tolist() if hasattr(batch, "tolist") else batch


WAYS = [
    {"num_workers": 1}, {"num_workers": 2}, {"num_workers": 2, "persistent_workers": True},
    {"num_workers": 2, "workers": "thread"}, {"num_workers": 2, "prefetch_factor": 1},
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("row", [3, 6000])  # within the message, and in shared memory
def test_the_same_batches_as_without_workers(way, row):
    dataset = Squares(row=row)
    for options in ({"batch_size": 4}, {"batch_size": 5, "drop_last": True}, {"batch_size": None}):
        kagari.manual_seed(1)
        alone = ours.DataLoader(dataset, shuffle=True, **options)
        expected = [[listed(b) for b in alone] for _ in range(2)]
        kagari.manual_seed(1)
        loader = ours.DataLoader(dataset, shuffle=True, **options, **way)
        first = [listed(b) for b in loader]
        assert first == expected[0] and len(loader) == len(alone) == len(iter(loader))
    loader = ours.DataLoader(dataset, 4, **way)
    assert [[listed(b) for b in loader] for _ in range(3)] == [
        [listed(b) for b in ours.DataLoader(dataset, 4)]
    ] * 3


def test_spawned_workers():
    loader = ours.DataLoader(Squares(), 8, num_workers=1, multiprocessing_context="spawn")
    expected = [listed(b) for b in ours.DataLoader(Squares(), 8)]
    assert [listed(b) for b in loader] == expected


class Random:
    """Random numbers of all generators; read by both libraries."""

    def __init__(self, library):
        self.library = library

    def __getitem__(self, i):
        return [random.random(), np.random.rand(), self.library.rand(2, dtype=self.library.float64)]

    def __len__(self):
        return 12


def test_workers_are_seeded_as_pytorchs():
    drawn = []
    for library, data in ((kagari, ours), (torch, theirs)):
        library.manual_seed(3)
        loader = data.DataLoader(Random(library), 2, num_workers=2)
        drawn.append([listed(b) for b in loader] + [library.rand(1).tolist()])
    assert drawn[0] == drawn[1]


class Share(ours.IterableDataset):
    """0 ... n - 1, of which each worker yields its share."""

    def __init__(self, n, data=ours):
        self.n, self.data = n, data

    def __iter__(self):
        info = self.data.get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        return iter(range(first, self.n, step))


class TheirShare(Share, theirs.IterableDataset):
    """The same for PyTorch."""


@pytest.mark.parametrize(
    "options", [{"batch_size": 3}, {"batch_size": None}, {"batch_size": 4, "drop_last": True}]
)
@pytest.mark.parametrize("n", [0, 7, 20, 21])
def test_streams_share_their_items_as_in_pytorch(options, n):
    loaders = [
        ours.DataLoader(Share(n), num_workers=3, **options),
        theirs.DataLoader(TheirShare(n, theirs), num_workers=3, **options),
    ]
    ours_, theirs_ = ([listed(b) for b in loader] for loader in loaders)
    assert ours_ == theirs_


def test_a_stream_longer_than_it_says_is_warned_of():
    class Long(Share):
        def __iter__(self):
            return iter(range(self.n))

        def __len__(self):
            return self.n

    with pytest.warns(UserWarning, match="get_worker_info"):
        assert len(list(ours.DataLoader(Long(4), num_workers=2))) == 8


class Broken(Squares):
    def __init__(self, error):
        super().__init__(8)
        self.error = error

    def __getitem__(self, i):
        if i == 2:
            raise self.error
        return i


class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(one, two)


@pytest.mark.parametrize("way", [{"num_workers": 2}, {"num_workers": 2, "workers": "thread"}])
@pytest.mark.parametrize(
    ("error", "kind"),
    [(ValueError("bad item"), ValueError), (KeyError("gone"), KeyError), (Odd(1, 2), RuntimeError)],
)
def test_an_error_in_a_worker_comes_with_its_traceback_and_the_pass_goes_on(way, error, kind):
    iterator = iter(ours.DataLoader(Broken(error), **way))
    assert [next(iterator).item(), next(iterator).item()] == [0, 1]
    with pytest.raises(kind) as caught:
        next(iterator)
    text = str(caught.value)
    assert "DataLoader worker" in text and "__getitem__" in text and "raise self.error" in text
    assert next(iterator).item() == 3


def fails(worker):
    raise OSError(f"no disk for {worker}")


def test_errors_of_init_and_of_pickling():
    with pytest.raises(OSError, match="no disk for 0"):
        next(iter(ours.DataLoader(Squares(), num_workers=1, worker_init_fn=fails)))
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        next(iter(ours.DataLoader([1, 2], num_workers=1, collate_fn=lambda b: lambda: b)))

    def result_of_autograd(batch):
        return kagari.ones(2, requires_grad=True) * 2

    with pytest.raises(RuntimeError, match="detach"):
        next(iter(ours.DataLoader([1], num_workers=1, collate_fn=result_of_autograd)))


class Deadly(Squares):
    def __getitem__(self, i):
        if i == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return i


def test_a_killed_worker_is_an_error_soon_and_leaves_nothing():
    before = set(os.listdir("/dev/shm"))
    started = time.monotonic()
    iterator = iter(ours.DataLoader(Deadly(), num_workers=2))
    pids = [process.pid for process in iterator._reader.pool._processes]
    with pytest.raises(RuntimeError, match=r"exited unexpectedly.*SIGKILL"):
        list(iterator)
    assert time.monotonic() - started < 5
    assert not any(alive(pid) for pid in pids)
    assert set(os.listdir("/dev/shm")) <= before


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Slow(Squares):
    def __getitem__(self, i):
        time.sleep(30)


def test_timeout_and_breaking_off():
    loader = ours.DataLoader(Slow(), num_workers=1, timeout=0.3)
    with pytest.raises(RuntimeError, match="timed out after 0.3 seconds"):
        next(iter(loader))
    iterator = iter(ours.DataLoader(Squares(1000), num_workers=2))
    pids = [process.pid for process in iterator._reader.pool._processes]
    next(iterator)
    del iterator
    gc.collect()
    assert not any(alive(pid) for pid in pids)


def test_workers_end_with_a_killed_parent():
    program = """
        import os, time
        import kagari
        from kagari.utils.data import DataLoader, Dataset
        class Slow(Dataset):
            def __len__(self): return 100
            def __getitem__(self, i):
                if i: time.sleep(60)
                return os.getpid()
        iterator = iter(DataLoader(Slow(), num_workers=2))
        first = next(iterator).item()
        print(first, *(p.pid for p in iterator._reader.pool._processes), flush=True)
        os.kill(os.getpid(), 9)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, check=False
    )
    pids = [int(word) for word in done.stdout.split()]
    assert len(set(pids)) == 2
    end = time.monotonic() + 10
    while any(alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)


# --- what travels ------------------------------------------------------------------------------


class One(ours.Dataset):
    def __init__(self, item):
        self.item = item

    def __getitem__(self, i):
        return self.item

    def __len__(self):
        return 1


def first_of(batch):
    return batch[0]


@pytest.mark.parametrize("size", [2, 200])
def test_tensors_and_arrays_arrive_as_they_were(size):
    kinds = [kagari.float32, kagari.bfloat16, kagari.complex64, kagari.bool, kagari.uint16]
    sent = [kagari.arange(size * size).reshape(size, size).to(kind) for kind in kinds]
    sent += [sent[0].t(), sent[0][:, 1], sent[0][::2], kagari.empty(0, 3), kagari.tensor(2.5)]
    image = kagari.rand(2, 3, size, size).to(memory_format=kagari.channels_last)
    sent += [image, kagari.ones(size * size, requires_grad=True)]
    arrays = [np.arange(size * size), np.ones((size, size), np.float16), "text", None]
    loader = ours.DataLoader(One((sent, arrays)), num_workers=1, collate_fn=first_of)
    (received,) = list(loader)
    for a, b in zip(received[0], sent, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape and a.requires_grad == b.requires_grad
        assert kagari.equal(a, b)
    assert received[0][-2].stride() == image.stride()
    assert all(np.array_equal(a, b) for a, b in zip(received[1], arrays, strict=True))


def test_shared_memory_is_used_again_but_never_under_a_tensor():
    loader = ours.DataLoader(Squares(64, row=20000), 1, num_workers=1, collate_fn=first_of)
    kept = []
    for i, batch in enumerate(loader):
        batch["row"].add_(0.5)  # the receiver's to write
        if i % 7 == 0:
            kept.append((i, batch["row"]))
    assert all((row == i + 0.5).all() for i, row in kept)
    iterator = iter(loader)
    for _ in range(40):
        next(iterator)
    (receiver,) = iterator._reader.pool._receivers
    assert len(receiver._segments) <= 8


def test_out_of_order_batches_come_when_they_are_ready():
    class Uneven(Squares):
        def __getitem__(self, i):
            time.sleep(0.3 if i == 0 else 0)
            return i

    seen = [b.item() for b in ours.DataLoader(Uneven(8), num_workers=2, in_order=False)]
    assert sorted(seen) == list(range(8)) and seen[0] != 0


# --- going on midway ---------------------------------------------------------------------------


class Noisy(ours.Dataset):
    def __len__(self):
        return 30

    def __getitem__(self, i):
        return i + random.random() + kagari.rand(()).item() + np.random.rand()


@pytest.mark.parametrize("way", [*WAYS[:3], {"num_workers": 0}], ids=str)
@pytest.mark.parametrize("given", [1, 4, 7])
@pytest.mark.parametrize("own", [False, True])
def test_a_loader_goes_on_in_mid_pass(way, given, own):
    def made():
        generator = kagari.Generator().manual_seed(8) if own else None
        dataset = Noisy() if way["num_workers"] else Squares(30)
        return ours.DataLoader(dataset, 4, shuffle=True, generator=generator, **way)

    kagari.manual_seed(4)
    loader = made()
    list(loader)  # the second pass is the one to go on with
    iterator = iter(loader)
    for _ in range(given):
        next(iterator)
    state = pickle.loads(pickle.dumps(loader.state_dict()))
    rest = [listed(b) for b in iterator]
    assert len(rest) == 8 - given

    kagari.manual_seed(99)
    other = made()
    other.load_state_dict(state)
    assert [listed(b) for b in other] == rest
    assert loader.state_dict() == {"given": 0}  # between passes
    if not own:
        drawn = kagari.rand(1)
        kagari.manual_seed(99)
        assert kagari.equal(drawn, kagari.rand(1))  # the process' own generator is as it was


class Resumable(Share):
    """A stream that knows where it is."""

    def __init__(self, n):
        super().__init__(n)
        self.at = 0

    def __iter__(self):
        info = ours.get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        for i in range(self.at * step + first, self.n, step):
            self.at += 1
            yield i
        self.at = 0

    def state_dict(self):
        return {"at": self.at}

    def load_state_dict(self, state):
        self.at = state["at"]


@pytest.mark.parametrize("kind", [Share, Resumable])
@pytest.mark.parametrize("num_workers", [0, 1, 3])
@pytest.mark.parametrize("given", [1, 5, 9])
def test_a_stream_goes_on_in_mid_pass(kind, num_workers, given):
    loader = ours.DataLoader(kind(31), 3, num_workers=num_workers)
    iterator = iter(loader)
    for _ in range(given):
        next(iterator)
    state = loader.state_dict()
    rest = [listed(b) for b in iterator]
    other = ours.DataLoader(kind(31), 3, num_workers=num_workers)
    other.load_state_dict(state)
    assert other.state_dict()["given"] == given
    assert [listed(b) for b in other] == rest


def test_wrong_states_and_options():
    loader = ours.DataLoader(Squares(), num_workers=2)
    with pytest.raises(ValueError, match="num_workers=1"):
        loader.load_state_dict({"given": 3, "num_workers": 1})
    with pytest.raises(ValueError, match="state_dict"):
        loader.load_state_dict([])
    for wrong in (
        {"workers": "fibre"}, {"num_workers": 1, "multiprocessing_context": "none"},
        {"multiprocessing_context": "fork"}, {"num_workers": 1, "prefetch_factor": -1},
    ):  # fmt: skip
        with pytest.raises(ValueError):
            ours.DataLoader(Squares(), **wrong)
    with pytest.raises(TypeError):
        ours.DataLoader(Squares(), num_workers=1, multiprocessing_context=3)
    with pytest.warns(UserWarning, match="cores"):
        ours.DataLoader(Squares(), num_workers=1000)


def test_workers_are_not_started_where_they_have_nothing_to_run():
    data = ours.TensorDataset(kagari.arange(10))
    assert not ours.DataLoader(data, 2, num_workers=2)._needs_workers()
    for more in ({"worker_init_fn": fails}, {"collate_fn": first_of}, {"batch_size": None}):
        assert ours.DataLoader(data, num_workers=2, **more)._needs_workers()
    assert workers_of.get_worker_info() is None
