"""Reading one batch of a dataset, by index or from a stream. Who asks, and where, is left to
loader.py (this process) and worker.py (another one)."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .collate import default_collate
from .dataset import IterableDataset, gathered, items_of

EXHAUSTED = object()  # what a reader returns when its dataset has no more


class Plan(NamedTuple):
    """What it takes to read batches: all that a worker is told of its loader."""

    dataset: Any
    by_batch: bool  # indices come in lists; else one by one
    collate: Callable[[Any], Any]
    drop_last: bool


def reader_of(plan: Plan) -> Callable[[Any], Any]:
    """A function from the indices of a batch to the batch, or to EXHAUSTED."""
    if isinstance(plan.dataset, IterableDataset):
        return _StreamReader(plan)
    return lambda indices: _read_items(plan, indices)


def _read_items(plan: Plan, indices: Any) -> Any:
    if not plan.by_batch:
        return plan.collate(plan.dataset[indices])
    if plan.collate is default_collate:
        batch = gathered(plan.dataset, indices)
        if batch is not None:
            return batch
    return plan.collate(items_of(plan.dataset, indices))


class _StreamReader:
    """Batches of what an iterable dataset yields; a short batch is the last."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.items: Iterator[Any] = iter(plan.dataset)
        self.ended = False

    def __call__(self, indices: Any) -> Any:
        if self.ended:
            return EXHAUSTED
        if not self.plan.by_batch:
            item = next(self.items, EXHAUSTED)
            return item if item is EXHAUSTED else self.plan.collate(item)
        batch = list(itertools.islice(self.items, len(indices)))
        self.ended = len(batch) < len(indices)
        if not batch or (self.ended and self.plan.drop_last):
            return EXHAUSTED
        return self.plan.collate(batch)
