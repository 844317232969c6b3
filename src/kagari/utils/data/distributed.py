"""The share of a dataset that one of several training processes reads."""

import math
from collections.abc import Iterator
from typing import Any

import kagari

from .sampler import Sampler


class DistributedSampler(Sampler):
    """The indices of replica `rank`: every `num_replicas`-th of an order that all replicas agree
    on. Indices are repeated (or, with `drop_last`, left out) so that all read equally many.

    Args:
        num_replicas, rank: how many replicas there are, and which one this is.
        shuffle: an order drawn from `seed` and the epoch; call `set_epoch` before each.

    Raises:
        RuntimeError: `num_replicas` or `rank` is not given, and there is no process group.
        ValueError: `rank` is not in [0, num_replicas).

    Example:
        >>> from kagari.utils.data.distributed import DistributedSampler
        >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
        [1, 3, 0]
    """

    def __init__(
        self, dataset: Any, num_replicas: int | None = None, rank: int | None = None,
        shuffle: bool = True, seed: int = 0, drop_last: bool = False,
    ) -> None:  # fmt: skip
        if num_replicas is None or rank is None:
            raise RuntimeError(
                "Requires distributed package to be available: DistributedSampler: give "
                "num_replicas and rank, as there is no process group to ask"
            )
        if not 0 <= rank < num_replicas:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.shuffle, self.seed, self.drop_last, self.epoch = shuffle, seed, drop_last, 0
        length = len(dataset)
        if drop_last and length % num_replicas:
            self.num_samples = math.ceil((length - num_replicas) / num_replicas)
        else:
            self.num_samples = math.ceil(length / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        order = list(range(len(self.dataset)))
        if self.shuffle:
            generator = kagari.Generator().manual_seed(self.seed + self.epoch)
            order = kagari.randperm(len(order), generator=generator).tolist()
        if not self.drop_last and order:
            order = (order * math.ceil(self.total_size / len(order)))[: self.total_size]
        return iter(order[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """The epoch, which the random order depends on."""
        self.epoch = epoch
