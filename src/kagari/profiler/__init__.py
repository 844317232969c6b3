"""What programs say to a profiler. There is none yet: `profile` refuses.

`record_function` names a part of a program for a profiler that runs; without one it does nothing,
in PyTorch too.
"""

import contextlib
import enum
import functools
from collections.abc import Callable
from typing import Any, NoReturn

__all__ = [
    "ProfilerAction", "ProfilerActivity", "kineto_available", "profile", "record_function",
    "schedule", "supported_activities", "tensorboard_trace_handler",
]  # fmt: skip


class ProfilerActivity(enum.Enum):
    """What a profiler watches."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(enum.Enum):
    """What a profiler does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """What it can watch: nothing."""
    return set()


def kineto_available() -> bool:
    """Is PyTorch's recorder of events there? No.

    >>> kineto_available()
    False
    """
    return False


def refuse(name: str) -> NoReturn:
    """Says that there is no profiler."""
    raise NotImplementedError(
        f"{name}: kagari has no profiler (docs/not_supported.md); Python's cProfile, perf, or "
        "utils.logging.log_ops show what runs"
    )


class profile:
    """A profiler: refuses."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        refuse("profile")


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> NoReturn:
    """Would write what a profiler saw: refuses."""
    refuse("tensorboard_trace_handler")


class record_function(contextlib.ContextDecorator):
    """Names a block, or a function, for a profiler that runs.

    >>> with record_function("load"):
    ...     pass
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args

    def __enter__(self) -> "record_function":
        return self

    def __exit__(self, *error: Any) -> None:
        pass


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0,
    skip_first_wait: int = 0,
) -> Callable[[int], ProfilerAction]:  # fmt: skip
    """What to do in each step: skip some, then in turn wait, warm up, record, `repeat` times (0:
    for ever).

    >>> [schedule(wait=1, warmup=1, active=1)(step).name for step in range(3)]
    ['NONE', 'WARMUP', 'RECORD_AND_SAVE']
    """
    return functools.partial(
        _action, wait, warmup, active, repeat, skip_first, wait if not skip_first_wait else 0
    )


def _action(
    wait: int, warmup: int, active: int, repeat: int, skip_first: int, first_wait: int, step: int
) -> ProfilerAction:
    step -= skip_first
    if step < 0:
        return ProfilerAction.NONE
    step += wait - first_wait
    turn, place = divmod(step, wait + warmup + active)
    if (repeat and turn >= repeat) or place < wait:
        return ProfilerAction.NONE
    if place < wait + warmup:
        return ProfilerAction.WARMUP
    last = place == wait + warmup + active - 1
    return ProfilerAction.RECORD_AND_SAVE if last else ProfilerAction.RECORD
