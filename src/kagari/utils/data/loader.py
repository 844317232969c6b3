"""DataLoader: batches of a dataset, read in this process, by worker processes or by threads."""

import itertools
import os
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import kagari

from .collate import default_collate, default_convert
from .dataset import IterableDataset, can_gather
from .fetch import EXHAUSTED, Plan, reader_of
from .prefetch import Pool, Prefetch
from .sampler import BatchSampler, EndlessSampler, RandomSampler, SequentialSampler
from .threads import ThreadPool
from .worker import Duty

_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader:
    """Iterates over a dataset in batches.

    Args:
        dataset: with `__getitem__` and `__len__`, or an `IterableDataset`.
        batch_size: items in a batch; None for single items.
        shuffle: a new random order each time.
        sampler, batch_sampler: an order of your own, by item or by batch.
        num_workers: processes that read ahead; 0 reads in this process. A `TensorDataset` with
            the default `collate_fn` runs nobody's code, so it is read here, whatever the number.
        collate_fn: makes a batch of a list of items.
        pin_memory, pin_memory_device: accepted; there is no accelerator to pin memory for.
        drop_last: leave out a last batch that is not full.
        timeout: seconds after which a missing batch is an error; 0 waits for ever.
        worker_init_fn: called in each worker with its number, after it was seeded.
        multiprocessing_context: "fork", "spawn", "forkserver" or a context; None is Python's own
            choice.
        generator: where the random order and the workers' seeds come from.
        prefetch_factor: batches that each worker reads ahead, 2 by default.
        persistent_workers: keep the workers between passes over the dataset.
        in_order: off, batches come as they are ready.
        workers: "process", or "thread" for datasets that release the GIL: nothing is copied or
            pickled, and random numbers come from this process' generators. (Not in PyTorch.)

    `state_dict()` tells where in the dataset the last iterator stands, and a loader made in the
    same way goes on from there after `load_state_dict`: with the same batches, and, with worker
    processes, the same random numbers in them. A dataset may have these two methods as well.

    Raises:
        RuntimeError: a worker died, or sent nothing for `timeout` seconds.
        Whatever a worker raised, of the same class, with the worker's traceback as its message.

    Example:
        >>> data = kagari.utils.data.TensorDataset(kagari.arange(5))
        >>> [batch.tolist() for (batch,) in kagari.utils.data.DataLoader(data, batch_size=2)]
        [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None,
        sampler: Any = None, batch_sampler: Any = None, num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None, pin_memory: bool = False,
        drop_last: bool = False, timeout: float = 0, worker_init_fn: Any = None,
        multiprocessing_context: Any = None, generator: Any = None, *,
        prefetch_factor: int | None = None, persistent_workers: bool = False,
        pin_memory_device: str = "", in_order: bool = True, workers: str = "process",
    ) -> None:  # fmt: skip
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        _check_context(num_workers, multiprocessing_context, workers)
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        self.dataset = dataset
        self.num_workers, self.timeout, self.worker_init_fn = num_workers, timeout, worker_init_fn
        self.prefetch_factor, self.persistent_workers = prefetch_factor, persistent_workers
        self.multiprocessing_context = multiprocessing_context
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.in_order, self.generator, self.workers = in_order, generator, workers
        self._iterable = isinstance(dataset, IterableDataset)
        if self._iterable:
            _check_iterable(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, "
                    "and drop_last"
                )
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ValueError(
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )
        if sampler is None:
            sampler = self._default_sampler(bool(shuffle))
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size, self.drop_last = batch_size, drop_last
        self.sampler, self.batch_sampler = sampler, batch_sampler
        if collate_fn is None:
            collate_fn = default_collate if self._auto_collation else default_convert
        self.collate_fn = collate_fn
        self._pool: Pool | None = None  # the persistent workers
        self._latest: Callable[[], Any] = _nothing  # the last iterator, if it lives
        self._resume: dict[str, Any] | None = None
        self._initialized = True

    def _default_sampler(self, shuffle: bool) -> Any:
        if self._iterable:
            return EndlessSampler()
        if shuffle:
            return RandomSampler(self.dataset, generator=self.generator)
        return SequentialSampler(self.dataset)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and self.__dict__.get("_initialized"):
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is initialized"
            )
        super().__setattr__(name, value)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __iter__(self) -> Iterator[Any]:
        if self.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device "
                "pinned memory won't be used.",
                stacklevel=2,
            )
        resume, self._resume = self._resume, None
        iterator = _Pass(self, None) if resume is None else self._resumed(resume)
        self._latest = weakref.ref(iterator)
        return iterator

    def _resumed(self, resume: dict[str, Any]) -> "_Pass":
        """A pass that goes on where another one stood. Its order is drawn anew from the random
        state in which that one began; a generator that is not the loader's own is put back."""
        source = self.generator or kagari.default_generator
        now = source.get_state()
        source.set_state(resume["generator"])
        try:
            return _Pass(self, resume)
        finally:
            if self.generator is None:
                source.set_state(now)

    def state_dict(self) -> dict[str, Any]:
        """Where the last iterator stands. Between passes: that the next one begins at its start."""
        latest = self._latest()
        if self._resume is not None:
            return dict(self._resume)
        if latest is None or latest.over:
            return {"given": 0}
        return latest.position()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The next iterator goes on where the one of this state stood.

        Raises:
            ValueError: the state is of a loader with another number of workers.
        """
        if not isinstance(state_dict, dict) or "given" not in state_dict:
            raise ValueError(
                "DataLoader.load_state_dict: expected what state_dict() returned, a dictionary "
                f"with 'given'; got {type(state_dict).__name__}"
            )
        workers = state_dict.get("num_workers", self.num_workers)
        if workers != self.num_workers:
            raise ValueError(
                f"DataLoader.load_state_dict: the state is of a loader with num_workers={workers}, "
                f"this one has num_workers={self.num_workers}; its batches would not be the same"
            )
        self._resume = dict(state_dict) if state_dict["given"] else None

    def _plan(self) -> Plan:
        return Plan(self.dataset, self._auto_collation, self.collate_fn, self.drop_last)

    def _needs_workers(self) -> bool:
        """Whether there is code for workers to run; else reading here is quicker, and the same."""
        nothing_to_run = (
            self.collate_fn is default_collate
            and self.worker_init_fn is None
            and self._auto_collation
            and can_gather(self.dataset)
        )
        return self.num_workers > 0 and not nothing_to_run

    def _started(self, base_seed: int) -> Pool:
        """Workers: those that were kept, or new ones."""
        if self._pool is not None and self._pool.close.alive:
            for worker in range(self._pool.size):
                self._pool.send(worker, ("epoch", None, None))
            return self._pool
        processes = self.workers == "process"
        duty = Duty(
            self._plan(), self.num_workers, base_seed, self.worker_init_fn, processes,
            (self.prefetch_factor or 2) + 1,
        )  # fmt: skip
        if processes:
            from .processes import ProcessPool

            pool: Pool = ProcessPool(duty, self.multiprocessing_context)
        else:
            pool = ThreadPool(duty)
        self._pool = pool if self.persistent_workers else None
        return pool

    def __getstate__(self) -> dict[str, Any]:
        own = {"_pool": None, "_latest": _nothing}
        return {**self.__dict__, **own}

    def __len__(self) -> int:
        if not self._iterable:
            return len(self._index_sampler)
        length = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    def __class_getitem__(cls, item: Any) -> Any:
        return cls


def _nothing() -> None:
    """The reference to an iterator before there is one."""


class _Pass:
    """One pass over the dataset: the iterator that a DataLoader gives."""

    def __init__(self, loader: DataLoader, resume: dict[str, Any] | None) -> None:
        source = loader.generator or kagari.default_generator
        self._length = len(loader) if hasattr(loader.dataset, "__len__") else None
        self._begin = source.get_state()
        batches = iter(loader._index_sampler)
        # drawn, as in PyTorch, whether there are workers or not: what is drawn afterwards is the
        # same
        seed = kagari.empty((), dtype=kagari.int64).random_(generator=loader.generator)
        self._seed, self._num_workers = int(seed.item()), loader.num_workers
        self.given, self.over = 0, False
        self._warned = not loader._iterable or self._length is None
        if resume is not None:
            self.given = resume["given"]
            batches = _after(batches, 0 if loader._iterable else self.given)
        self._reader: Prefetch | _Here
        if loader._needs_workers():
            self._reader = Prefetch(
                loader._started(self._seed), batches, loader.prefetch_factor or 2, loader.timeout,
                loader.in_order, loader.persistent_workers, resume and resume["reader"],
            )  # fmt: skip
        else:
            self._reader = _Here(loader, batches, resume)

    def __iter__(self) -> "_Pass":
        return self

    def __len__(self) -> int:
        if self._length is None:
            raise TypeError("object of type 'IterableDataset' has no len()")
        return self._length

    def __next__(self) -> Any:
        try:
            batch = next(self._reader)
        except StopIteration:
            self.over = True
            raise
        self.given += 1
        if not self._warned and self.given > (self._length or 0):
            self._warned = True
            warnings.warn(
                f"the length of the IterableDataset was reported to be {self._length} batches, but "
                f"{self.given} have been read; with several workers, each has to yield its own "
                "share of the items: see get_worker_info()",
                stacklevel=2,
            )
        return batch

    def position(self) -> dict[str, Any]:
        """All that `DataLoader._resumed` needs."""
        return {
            "given": self.given,
            "generator": self._begin,
            "num_workers": self._num_workers,
            "reader": self._reader.position(),
        }


def _after(batches: Iterator[Any], count: int) -> Iterator[Any]:
    """The batches after the first `count`; one more is drawn now, so that all randomness of the
    order is."""
    taken = list(itertools.islice(batches, count + 1))
    return itertools.chain(taken[count:], batches)


class _Here:
    """Reads in this process."""

    def __init__(self, loader: DataLoader, batches: Iterator[Any], resume: Any) -> None:
        self._dataset, self._batches = loader.dataset, batches
        self._plan = loader._plan()
        self._read: Callable[[Any], Any] | None = None
        if resume is None or not loader._iterable:
            return
        if resume["reader"] is not None:
            loader.dataset.load_state_dict(resume["reader"])
        else:
            for _ in range(resume["given"]):
                next(self)

    def __next__(self) -> Any:
        if self._read is None:
            self._read = reader_of(self._plan)
        batch = self._read(next(self._batches))
        if batch is EXHAUSTED:
            raise StopIteration
        return batch

    def position(self) -> Any:
        """The state of the dataset, where it has one."""
        stateful = hasattr(self._dataset, "state_dict")
        return self._dataset.state_dict() if stateful else None


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent: bool
) -> None:
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; use num_workers=0 to disable "
            "multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 "
            "to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")
    cores = len(os.sched_getaffinity(0))
    if num_workers > cores:
        warnings.warn(
            f"This DataLoader will create {num_workers} workers; this machine has {cores} cores "
            "for them, so more are likely to slow it down.",
            stacklevel=3,
        )


def _check_context(num_workers: int, context: Any, workers: str) -> None:
    if workers not in ("process", "thread"):
        raise ValueError(f'workers option should be "process" or "thread", but got {workers!r}')
    if context is None:
        return
    if num_workers == 0:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading (num_workers > "
            f"0), but got num_workers={num_workers}"
        )
    import multiprocessing

    known = multiprocessing.get_all_start_methods()
    if isinstance(context, str) and context not in known:
        raise ValueError(
            f"multiprocessing_context option should specify a valid start method in {known}, but "
            f"got multiprocessing_context={context!r}"
        )
    if not isinstance(context, (str, multiprocessing.context.BaseContext)):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string "
            f"specifying the start method, but got multiprocessing_context={context}"
        )


def _check_iterable(shuffle: bool | None, sampler: Any, batch_sampler: Any) -> None:
    if shuffle:
        raise ValueError(
            "DataLoader with IterableDataset: expected unspecified shuffle option, but got "
            f"shuffle={shuffle}"
        )
    for name, given in (("sampler", sampler), ("batch_sampler", batch_sampler)):
        if given is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, but got "
                f"{name}={given}"
            )
