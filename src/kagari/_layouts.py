"""The constants that name how a tensor lies in memory, and the strides they stand for."""

from collections.abc import Sequence
from typing import Any


class _Constant:
    """One named object per value: compared by identity, pickled by name."""

    __slots__ = ("_name",)
    _name: str

    def __repr__(self) -> str:
        return f"torch.{self._name}"

    def __reduce__(self) -> str:
        return self._name

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self


class layout(_Constant):
    """What a tensor's storage means; all are strided so far."""

    __slots__ = ()


class memory_format(_Constant):
    """The order in which the dimensions of a dense tensor lie in memory."""

    __slots__ = ()


def _make(cls: Any, name: str) -> Any:
    made = cls()
    made._name = name
    return made


strided = _make(layout, "strided")
contiguous_format = _make(memory_format, "contiguous_format")
channels_last = _make(memory_format, "channels_last")
channels_last_3d = _make(memory_format, "channels_last_3d")
preserve_format = _make(memory_format, "preserve_format")
for _constant in (strided, contiguous_format, channels_last, channels_last_3d, preserve_format):
    type(_constant).__module__ = "kagari"

RANK_OF = {channels_last: 4, channels_last_3d: 5}


def strides_for(sizes: Sequence[int], form: memory_format, op: str) -> list[int]:
    """The strides of a dense tensor in a memory format."""
    order = list(range(len(sizes)))
    if form in RANK_OF:
        if len(sizes) != RANK_OF[form]:
            raise RuntimeError(
                f"{op}: memory_format: required rank {RANK_OF[form]} tensor to use the "
                f"{str(form).removeprefix('torch.')} format, got shape {tuple(sizes)}"
            )
        order = [0, *range(2, len(sizes)), 1]
    strides, step = [0] * len(sizes), 1
    for d in reversed(order):
        strides[d] = step
        step *= max(sizes[d], 1)
    return strides
