"""How linear_cross_entropy splits its batch into chunks."""

import math
from dataclasses import dataclass
from typing import Literal

import kagari

_DTYPES = (None, "float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True)
class LinearCrossEntropyOptions:
    """The chunks of `nn.functional.linear_cross_entropy`.

    Args:
        allow_retain_graph: accepted; graphs may be kept here in any case.
        batch_chunk_size: how many samples a chunk has; chosen by `chunking_method` where None.
        chunking_method: 'aspect_ratio:r' for chunks whose logits hold r times as many numbers as
            the whole input, 'auto' for r = 2, None for one chunk.
        acc_policy: 'accurate', 'balanced', 'compact' or 'auto'; accepted, all accumulate alike.
        acc_dtype: in what the losses of chunks are added; None is at least float32.

    ValueError for anything else.

    >>> kagari.nn.LinearCrossEntropyOptions(batch_chunk_size=32).rows(100, 8, 1000)
    32
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: Literal["accurate", "balanced", "compact", "auto"] = "auto"
    acc_dtype: kagari.dtype | None = None

    def __post_init__(self) -> None:
        size = self.batch_chunk_size
        if size is not None and (not isinstance(size, int) or size <= 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size}")
        if self.acc_policy not in ("accurate", "balanced", "compact", "auto"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        allowed = [None if name is None else getattr(kagari, name) for name in _DTYPES]
        if self.acc_dtype not in allowed:
            raise ValueError(f"acc_dtype must be one of {allowed}, got {self.acc_dtype!r}")
        self._ratio()

    def _ratio(self) -> float | None:
        """Numbers in the logits of a chunk for each number in the input."""
        if self.chunking_method is None:
            return None
        name, _, ratio = self.chunking_method.partition(":")
        try:
            value = 2.0 if self.chunking_method == "auto" else float(ratio)
        except ValueError:
            value = 0.0
        if not (name in ("auto", "aspect_ratio") and 0 < value < math.inf):
            raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        return value

    def rows(self, samples: int, features: int, classes: int) -> int:
        """How many samples of a batch make a chunk."""
        ratio = self._ratio()
        if self.batch_chunk_size is not None:
            return min(self.batch_chunk_size, samples)
        if ratio is None:
            return samples
        return max(1, min(samples, math.ceil(ratio * samples * features / max(classes, 1))))
