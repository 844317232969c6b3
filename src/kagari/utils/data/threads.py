"""Worker threads of a DataLoader: for datasets that release the GIL, without copies or pickling."""

import queue
import threading
import weakref
from typing import Any

from .worker import Duty, serve


class ThreadPool:
    """Workers in threads of this process."""

    def __init__(self, duty: Duty) -> None:
        self.size, self.passes, self.serial = duty.num_workers, 0, 0
        self._tasks: list[queue.SimpleQueue[Any]] = []
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.close = weakref.finalize(self, _end, self._tasks)
        for worker in range(duty.num_workers):
            tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
            self._tasks.append(tasks)
            threading.Thread(
                target=_main, args=(duty, worker, tasks, self._answers), daemon=True
            ).start()

    def send(self, worker: int, task: tuple[Any, ...]) -> None:
        """Gives a worker a task."""
        self._tasks[worker].put(task)

    def receive(self, timeout: float | None) -> tuple[int, Any] | None:
        """The next answer and whose it is; None when there was none for `timeout` seconds."""
        try:
            return self._answers.get(timeout=timeout)
        except queue.Empty:
            return None


def _main(duty: Duty, worker: int, tasks: Any, answers: Any) -> None:
    serve(duty, worker, iter(tasks.get, None), lambda answer: answers.put((worker, answer)))


def _end(tasks: list[Any]) -> None:
    for one in tasks:
        one.put(None)
