"""kagari.profiler: schedules are PyTorch's; what needs a profiler refuses."""

import itertools

import pytest
import torch

from kagari import profiler
from kagari.autograd import profiler as older

WAITS = list(itertools.product([0, 2], [0, 1], [1, 2], [0, 2], [0, 3], [0, 1]))


@pytest.mark.filterwarnings("ignore:Profiler won't be using warmup")
@pytest.mark.parametrize("waits", WAITS)
def test_schedules(waits):
    names = ("wait", "warmup", "active", "repeat", "skip_first", "skip_first_wait")
    ours, theirs = (
        module.schedule(**dict(zip(names, waits))) for module in (profiler, torch.profiler)
    )
    for step in range(20):
        assert ours(step).name == theirs(step).name, (waits, step)


def test_names_of_blocks_do_nothing():
    with profiler.record_function("block"):
        pass
    assert older.record_function("function")(lambda: 3)() == 3
    assert not profiler.kineto_available() and profiler.supported_activities() == set()


@pytest.mark.parametrize("make", [
    profiler.profile, older.EventList, older.emit_nvtx,
    lambda: profiler.tensorboard_trace_handler("folder"),
])  # fmt: skip
def test_what_needs_a_profiler_refuses(make):
    with pytest.raises(NotImplementedError, match="not_supported"):
        make()
