"""A process that holds one library and times workloads on request: JSON lines in and out."""

import gc
import importlib
import json
import math
import os
import sys
import timeit
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.functions import FUNCTIONS
from benchmarks.workloads import WORKLOADS

BATCH = 0.02  # seconds that one batch of calls should fill
BATCHES = 4


def numbers(result: Any) -> list[float] | None:
    """A few numbers of a result, to compare between the libraries."""
    while isinstance(result, (tuple, list)):
        result = result[0]
    if not hasattr(result, "detach"):
        return None
    flat = result.detach().reshape(-1)
    return flat[:: max(1, flat.shape[0] // 32) | 1].tolist()


def threads() -> dict[int, int]:
    """Nanoseconds that each thread of this process has run."""
    ran = {}
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            ran[int(task.name)] = int((task / "schedstat").read_text().split()[0])
    return ran


class Worker:
    def __init__(self, name: str, count: int) -> None:
        self.lib = importlib.import_module(name)
        for part in ("nn", "nn.functional", "optim", "utils.data"):
            importlib.import_module(f"{name}.{part}")
        self.lib.set_num_threads(count)
        self.cores = sorted(os.sched_getaffinity(0))
        self.timer: timeit.Timer | None = None
        self.calls = 1

    def prepare(self, name: str) -> dict[str, Any]:
        """Build a workload, find how many calls fill a batch, give each busy thread a core."""
        self.timer = None
        gc.collect()
        for thread in threads():
            self.pin(thread, set(self.cores))
        run = next(w for w in WORKLOADS + FUNCTIONS if w.name == name).build(self.lib)
        before = threads()
        values = numbers(run())
        self.timer = timeit.Timer("f()", "import gc; gc.enable()", globals={"f": run})
        spent = self.calibrate(BATCH / 2)
        ran = {thread: time - before.get(thread, 0) for thread, time in threads().items()}
        busy = sorted(ran, key=lambda thread: -ran[thread])[: len(self.cores)]
        busy = sorted(t for t in busy if ran[t] > 0.1 * max(ran.values()))
        for thread, core in zip(busy, self.cores, strict=False):
            self.pin(thread, {core})
        if spent < 2:
            self.calibrate(BATCH)
        return {"values": values}

    def calibrate(self, seconds: float) -> float:
        assert self.timer
        self.calls, spent = 1, 0.0
        while True:
            time = self.timer.timeit(self.calls)
            spent += time
            if time > 0.7 * seconds or spent > 20 * seconds:
                return spent
            self.calls = min(math.ceil(self.calls * seconds / max(time, 1e-9)), 50 * self.calls)

    def pin(self, thread: int, cores: set[int]) -> None:
        """Schedulers of some hypervisors pack threads that spin for each other onto one core."""
        with suppress(OSError):  # the thread is gone
            os.sched_setaffinity(thread, cores)

    def run(self) -> dict[str, Any]:
        """Seconds per call: the best of a few batches."""
        assert self.timer
        batches = [self.timer.timeit(self.calls)]
        while len(batches) < BATCHES and sum(batches) < 1.0:
            batches.append(self.timer.timeit(self.calls))
        return {"seconds": min(batches) / self.calls}


def main(name: str, count: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints does not mix with the answers
    worker = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            worker = worker or Worker(name, int(count))
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:120]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
