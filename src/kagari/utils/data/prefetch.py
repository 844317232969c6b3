"""Batches in order from workers that read ahead."""

from collections.abc import Iterator
from typing import Any, Protocol


class Pool(Protocol):
    """Workers, in processes (processes.py) or threads (threads.py)."""

    size: int
    close: Any
    passes: int  # that were begun; the last one has its attention
    serial: int  # of the next batch that it is asked for

    def send(self, worker: int, task: tuple[Any, ...]) -> None: ...
    def receive(self, timeout: float | None) -> tuple[int, Any] | None: ...


class Prefetch:
    """One pass over a dataset.

    Every batch has a serial number; batch n of a pass is read by worker n modulo their number, as
    long as none has come to its end, and handed out when its turn comes (or, with `in_order` off,
    when it is there).
    """

    def __init__(
        self, pool: Pool, batches: Iterator[Any], depth: int, timeout: float, in_order: bool,
        persistent: bool, position: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.pool, self.timeout, self.in_order = pool, timeout or None, in_order
        self._batches, self._persistent = batches, persistent
        pool.passes += 1
        self._pass = pool.passes
        self._turn = 0  # the worker that gets the next task
        self._finished: set[int] = set()
        self._given = [0] * pool.size  # batches of each worker that were handed out
        self._waiting: dict[int, int] = {}  # serials that were not, and their workers
        self._arrived: dict[int, tuple[str, Any]] = {}
        self._states: dict[int, Any] = {}
        if position is not None:
            self._go_to(position)
        for _ in range(depth * pool.size):
            self._ask()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        while self._waiting and self.pool.passes == self._pass:
            worker, kind, content = self._take()
            self._ask()
            if kind == "failure":
                content.reraise()
            if kind == "batch":
                self._given[worker] += 1
                return content
        if not self._persistent:
            self.pool.close()
        raise StopIteration

    def _ask(self) -> None:
        """Gives the next batch to the worker whose turn it is."""
        for step in range(self.pool.size):
            worker = (self._turn + step) % self.pool.size
            if worker not in self._finished:
                break
        else:
            return
        indices = next(self._batches, self)
        if indices is self:
            return
        self._turn = (worker + 1) % self.pool.size
        self._waiting[self.pool.serial] = worker
        self.pool.send(worker, ("fetch", self.pool.serial, indices))
        self.pool.serial += 1

    def _take(self) -> tuple[int, str, Any]:
        """From which worker, and what, came of the batch whose turn it is."""
        while True:
            serials = iter(self._waiting if self.in_order else self._arrived)
            serial = next(serials, None)
            if serial in self._arrived:
                return self._waiting.pop(serial), *self._arrived.pop(serial)
            self._receive()

    def _receive(self) -> None:
        received = self.pool.receive(self.timeout)
        if received is None:
            raise RuntimeError(
                f"DataLoader timed out after {self.timeout} seconds: no worker has sent a batch; "
                "raise timeout=, or look for what blocks in the dataset"
            )
        worker, (kind, serial, content) = received
        if kind == "state":
            self._states[serial] = content
        elif serial in self._waiting:  # else of a pass that was broken off
            self._arrived[serial] = kind, content
            if kind == "end":
                self._finished.add(worker)

    def position(self) -> dict[str, Any]:
        """What it takes to go on after the batches that were handed out: which worker is next,
        how many each has given, and what each was before its next one."""
        upcoming: dict[int, int] = {}
        for serial, worker in self._waiting.items():
            upcoming.setdefault(worker, serial)
        for worker, serial in upcoming.items():
            self.pool.send(worker, ("state", serial, None))
        while not set(upcoming.values()) <= self._states.keys():
            self._receive()
        states = {worker: self._states[serial] for worker, serial in upcoming.items()}
        self._states.clear()
        turn = next(iter(self._waiting.values()), self._turn)
        return {"turn": turn, "given": list(self._given), "states": states}

    def _go_to(self, position: dict[str, Any]) -> None:
        """Makes the workers what they were at a position of a pass with as many of them."""
        self._turn, self._given = position["turn"], list(position["given"])
        for worker in range(self.pool.size):
            if worker not in position["states"]:
                self._finished.add(worker)
            elif position["states"][worker] is not None:
                self.pool.send(worker, ("restore", None, position["states"][worker]))
            else:  # a stream that has no state: read it again up to here
                indices = next(self._batches)  # the same for every batch of a stream
                self.pool.send(worker, ("skip", None, [indices] * self._given[worker]))
