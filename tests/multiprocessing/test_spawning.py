"""multiprocessing.spawn: all end, or the first error comes with its traceback and none is left."""

import os
import signal
import time

import pytest

import kagari
from kagari import multiprocessing


def put(index, queue, factor):
    queue.put(index * factor)


def fail(index, which):
    if index == which:
        raise ValueError("said by a child")
    time.sleep(60)


def die(index):
    os.kill(os.getpid(), signal.SIGKILL)


def leave(index):
    os._exit(3)


def test_all_processes_run():
    queue = multiprocessing.get_context("fork").SimpleQueue()
    multiprocessing.start_processes(put, (queue, 10), nprocs=3, start_method="fork")
    assert sorted(queue.get() for _ in range(3)) == [0, 10, 20]


def test_an_error_ends_all():
    begin = time.monotonic()
    with pytest.raises(multiprocessing.ProcessRaisedException, match="said by a child") as error:
        multiprocessing.start_processes(fail, (1,), nprocs=2, start_method="fork")
    assert error.value.error_index == 1 and time.monotonic() - begin < 20


def test_a_killed_process_is_named():
    with pytest.raises(multiprocessing.ProcessExitedException, match="SIGKILL"):
        multiprocessing.start_processes(die, nprocs=1, start_method="fork")
    with pytest.raises(multiprocessing.ProcessExitedException, match="exit code 3"):
        multiprocessing.start_processes(leave, nprocs=1, start_method="fork")


def test_without_join():
    queue = multiprocessing.get_context("fork").SimpleQueue()
    context = multiprocessing.start_processes(
        put, (queue, 1), nprocs=2, join=False, start_method="fork"
    )
    assert len(context.pids()) == 2
    while not context.join(30):
        pass
    assert context.join() and sorted([queue.get(), queue.get()]) == [0, 1]
    with pytest.raises(ValueError, match="start_processes"):
        multiprocessing.spawn(put, start_method="fork")


def test_tensors_go_by_value():
    queue = multiprocessing.SimpleQueue()
    x = kagari.arange(3)
    queue.put(x)
    y = queue.get()
    y += 1
    assert x.tolist() == [0, 1, 2] and y.tolist() == [1, 2, 3]
