"""What a worker does: it seeds itself, answers tasks until they end, and tells what went wrong."""

import importlib.util
import random
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import kagari

from .dataset import IterableDataset
from .fetch import EXHAUSTED, Plan, reader_of


class WorkerInfo(NamedTuple):
    """What a worker knows of itself.

    Attributes:
        id: its number, from 0.
        num_workers: how many there are.
        seed: of this worker's random numbers: the loader's base seed + id.
        dataset: its copy of the dataset (in a thread: the dataset).
    """

    id: int
    num_workers: int
    seed: int
    dataset: Any


_here = threading.local()


def get_worker_info() -> WorkerInfo | None:
    """In a worker of a DataLoader what it knows of itself; elsewhere None."""
    return getattr(_here, "info", None)


class Duty(NamedTuple):
    """All that a worker is told at its start."""

    plan: Plan
    num_workers: int
    base_seed: int
    init: Callable[[int], None] | None
    own_process: bool  # has random generators and a thread pool of its own
    remembered: int  # batches before which its state can be asked for


class Failure(NamedTuple):
    """An exception in a worker, to be raised again where the batch is awaited."""

    kind: type[BaseException]
    text: str

    @classmethod
    def here(cls, where: str) -> "Failure":
        """The exception that is being handled."""
        kind = sys.exc_info()[0] or RuntimeError
        text = f"Caught {kind.__name__} in {where}.\nOriginal {traceback.format_exc()}"
        named = f"{kind.__module__}.{kind.__qualname__}"
        reachable = getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is kind
        return cls(kind, text) if reachable else cls(RuntimeError, f"{named}: {text}")

    def reraise(self) -> None:
        """Raises it, as its own class where that can be made of a message."""
        try:
            error = self.kind(_Text(self.text) if self.kind is KeyError else self.text)
        except Exception:  # a class that wants other arguments than a message
            raise RuntimeError(self.text) from None
        raise error


class _Text(str):
    """A message that KeyError, which shows the repr of its argument, prints in lines."""

    def __repr__(self) -> str:
        return str(self)


def seed_process(base_seed: int, worker: int) -> None:
    """Seeds the generators of Python, kagari and NumPy as PyTorch's workers do."""
    seed = base_seed + worker
    random.seed(seed)
    kagari.manual_seed(seed)
    if importlib.util.find_spec("numpy"):
        import numpy

        words = [worker, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
        numpy.random.seed(numpy.random.SeedSequence(words).generate_state(4))


def serve(duty: Duty, worker: int, tasks: Iterable[tuple[Any, ...]], send: Callable) -> None:
    """Answers tasks until they end. Tasks and answers are tuples that begin with their kind:

    ("fetch", serial, indices) -> ("batch", serial, batch), ("end", serial, None) or
                                  ("failure", serial, Failure)
    ("state", serial, None)    -> ("state", serial, what the worker was before it read that batch)
    ("restore", None, state)      sets such a state
    ("skip", None, batches)       reads that many of the dataset's batches and drops them
    ("epoch", None, None)         begins the dataset anew
    """
    where = f"DataLoader worker {'process' if duty.own_process else 'thread'} {worker}"
    serving = _Serving(duty, worker, where)
    for kind, serial, content in tasks:
        if kind == "fetch":
            _answer(send, serving.fetch(serial, content), where)
        elif kind == "state":
            send(("state", serial, serving.past.get(serial)))
        elif kind == "restore":
            serving.restore(content)
        elif kind == "skip":
            for indices in content:
                serving.fetch(-1, indices)
        else:
            serving.reader = None


def _answer(send: Callable, answer: tuple[str, int, Any], where: str) -> None:
    try:
        send(answer)
    except (BrokenPipeError, ConnectionError):
        raise
    except Exception:  # the batch cannot be pickled
        send(("failure", answer[1], Failure.here(where)))


class _Serving:
    """A worker's reader, and what it was before each of the last batches."""

    def __init__(self, duty: Duty, worker: int, where: str) -> None:
        self.duty, self.where = duty, where
        self.reader: Callable[[Any], Any] | None = None
        self.past: dict[int, Any] = {}
        self.broken: Failure | None = None
        self.dataset_has_state = hasattr(duty.plan.dataset, "state_dict")
        # a stream without a state of its own is read again from its beginning instead
        stream = isinstance(duty.plan.dataset, IterableDataset)
        self.remembers = self.dataset_has_state or not stream
        _here.info = WorkerInfo(
            worker, duty.num_workers, duty.base_seed + worker, duty.plan.dataset
        )
        try:
            if duty.own_process:
                kagari.set_num_threads(1)
                seed_process(duty.base_seed, worker)
            if duty.init is not None:
                duty.init(worker)
        except Exception:
            self.broken = Failure.here(where)

    def fetch(self, serial: int, indices: Any) -> tuple[str, int, Any]:
        if self.broken:
            return "failure", serial, self.broken
        if self.remembers:
            self.past[serial] = self.state()
            if len(self.past) > self.duty.remembered:
                self.past.pop(next(iter(self.past)))
        try:
            if self.reader is None:
                self.reader = reader_of(self.duty.plan)
            batch = self.reader(indices)
        except Exception:
            return "failure", serial, Failure.here(self.where)
        return ("end", serial, None) if batch is EXHAUSTED else ("batch", serial, batch)

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = {}
        if self.dataset_has_state:
            state["dataset"] = self.duty.plan.dataset.state_dict()
        if self.duty.own_process:
            state["python"] = random.getstate()
            state["kagari"] = kagari.get_rng_state()
            if "numpy" in sys.modules:
                state["numpy"] = sys.modules["numpy"].random.get_state()
        return state

    def restore(self, state: dict[str, Any]) -> None:
        if "dataset" in state and hasattr(self.duty.plan.dataset, "load_state_dict"):
            self.duty.plan.dataset.load_state_dict(state["dataset"])
            self.reader = None
        if self.duty.own_process and "python" in state:
            random.setstate(state["python"])
            kagari.set_rng_state(state["kagari"])
            if "numpy" in state:
                sys.modules["numpy"].random.set_state(state["numpy"])
