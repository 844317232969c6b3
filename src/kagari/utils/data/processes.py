"""Worker processes of a DataLoader: started, spoken to, watched, and ended with their parent."""

import contextlib
import multiprocessing
import os
import queue
import selectors
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from .transport import Receiver, Sender
from .worker import Duty, serve

_LOOK = 1.0  # seconds between looks at workers that are silent
_PATIENCE = 5.0  # seconds for a worker to finish its batch when it is told to end

# The parent's ends. A forked worker closes its copies: its siblings must see their parent's end.
_parents_ends: "weakref.WeakSet[Connection]" = weakref.WeakSet()


class ProcessPool:
    """Workers in processes of their own.

    The pool ends with the iterator that owns it, with the interpreter, and, as the workers see
    their socket close, also when this process is killed.
    """

    def __init__(self, duty: Duty, context: Any) -> None:
        if context is None or isinstance(context, str):
            context = multiprocessing.get_context(context)
        self.size, self.passes, self.serial = duty.num_workers, 0, 0
        self._processes: list[Any] = []
        self._receivers: list[Receiver] = []
        self._selector = selectors.DefaultSelector()
        self._ready: list[int] = []
        state = (os.getpid(), self._processes, self._receivers, self._selector)
        self.close = weakref.finalize(self, _end, *state)
        for worker in range(duty.num_workers):
            self._start(context, duty, worker)

    def _start(self, context: Any, duty: Duty, worker: int) -> None:
        ours, theirs = multiprocessing.Pipe()
        _parents_ends.add(ours)
        forked = context.get_start_method() == "fork"
        process = context.Process(
            target=_main, args=(duty, worker, theirs, os.getpid(), forked), daemon=True
        )
        process.start()
        theirs.close()
        self._processes.append(process)
        self._receivers.append(Receiver(ours))
        self._selector.register(ours, selectors.EVENT_READ, worker)

    def send(self, worker: int, task: tuple[Any, ...]) -> None:
        """Gives a worker a task; it is taken at once, whatever the worker is doing."""
        receiver = self._receivers[worker]
        try:
            receiver.connection.send((task, receiver.returned()))
        except (BrokenPipeError, ConnectionError):
            self._report(worker)

    def receive(self, timeout: float | None) -> tuple[int, Any] | None:
        """The next answer and whose it is; None when there was none for `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self._ready:
            left = _LOOK if end is None else min(_LOOK, max(end - time.monotonic(), 0))
            self._ready = [key.data for key, _ in self._selector.select(left)]
            if self._ready:
                break
            for worker, process in enumerate(self._processes):
                if not process.is_alive():
                    self._report(worker)
            if end is not None and time.monotonic() >= end:
                return None
        worker = self._ready.pop(0)
        try:
            return worker, self._receivers[worker].receive()
        except (EOFError, ConnectionError):
            self._report(worker)

    def _report(self, worker: int) -> NoReturn:
        """Raises what there is to say of a worker that ended by itself."""
        process = self._processes[worker]
        process.join(_PATIENCE)
        code, pid = process.exitcode, process.pid
        self.close()
        how = f"exit code {code}"
        if code is not None and code < 0:
            how = f"killed by {signal.Signals(-code).name}"
        hint = ""
        if code == -signal.SIGKILL:
            hint = "; often the system does so when memory is short: try fewer workers"
        raise RuntimeError(
            f"DataLoader worker (pid(s) {pid}) exited unexpectedly: worker {worker}, {how}{hint}"
        )


def _end(pid: int, processes: list[Any], receivers: list[Receiver], selector: Any) -> None:
    if os.getpid() != pid:  # a fork's copy
        return
    selector.close()
    for receiver in receivers:
        receiver.connection.close()
    limit = time.monotonic() + _PATIENCE
    for process in processes:
        process.join(max(limit - time.monotonic(), 0))
    for process in processes:
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
    processes.clear()
    receivers.clear()


# --- in the worker -----------------------------------------------------------------------------


def _main(duty: Duty, worker: int, connection: Connection, parent: int, forked: bool) -> None:
    if forked:
        for other in list(_parents_ends):
            other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C is the parent's to answer
    sender = Sender(connection)
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_take, args=(connection, tasks, parent), daemon=True).start()
    with contextlib.suppress(BrokenPipeError, ConnectionError):
        serve(duty, worker, _tasks(tasks, sender), sender.send)


def _take(connection: Connection, tasks: "queue.SimpleQueue[Any]", parent: int) -> None:
    """Takes tasks from the socket while the worker works, so that neither side can wait for the
    other to read; ends the worker at once when its parent is gone."""
    with contextlib.suppress(EOFError, ConnectionError, OSError):
        while True:
            if connection.poll(_PATIENCE):
                tasks.put(connection.recv())
            elif os.getppid() != parent:
                break
    tasks.put(None)  # finish the batch
    while os.getppid() == parent:
        time.sleep(_LOOK / 10)
    os._exit(1)  # nobody waits for it


def _tasks(tasks: "queue.SimpleQueue[Any]", sender: Sender) -> Iterator[tuple[Any, ...]]:
    while (entry := tasks.get()) is not None:
        task, returned = entry
        sender.give_back(returned)
        yield task
