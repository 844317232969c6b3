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
    """What a tensor's storage means. All tensors are strided; the others only have their names."""

    __slots__ = ()


class memory_format(_Constant):
    """The order in which the dimensions of a dense tensor lie in memory."""

    __slots__ = ()


def _make(cls: Any, name: str) -> Any:
    made = cls()
    made._name = name
    return made


strided = _make(layout, "strided")
sparse_coo = _make(layout, "sparse_coo")
sparse_csr = _make(layout, "sparse_csr")
sparse_csc = _make(layout, "sparse_csc")
sparse_bsr = _make(layout, "sparse_bsr")
sparse_bsc = _make(layout, "sparse_bsc")
jagged = _make(layout, "jagged")
contiguous_format = _make(memory_format, "contiguous_format")
channels_last = _make(memory_format, "channels_last")
channels_last_3d = _make(memory_format, "channels_last_3d")
preserve_format = _make(memory_format, "preserve_format")
legacy_contiguous_format = contiguous_format
layout.__module__ = memory_format.__module__ = "kagari"

RANK_OF = {channels_last: 4, channels_last_3d: 5}


def only_strided(op: str, given: Any) -> None:
    """Refuse a `layout` argument that asks for what no tensor here can be."""
    if given is None or given is strided:
        return
    if not isinstance(given, layout):
        kind = type(given).__name__
        raise TypeError(f"{op}(): argument 'layout' must be torch.layout, not {kind}")
    raise NotImplementedError(
        f"{op}: layout: expected torch.strided, got {given}; sparse and jagged tensors are not "
        "there, use a dense one"
    )


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


def dim_order(self: Any, *, ambiguity_check: bool | list[memory_format] = False) -> tuple[int, ...]:
    """The dimensions from the outermost to the innermost in memory.

    With `ambiguity_check` a RuntimeError if another order has the same strides (dimensions of size
    1 make that so); with a list of memory formats, unless exactly one of them fits.

    >>> kagari.ones(2, 3).t().dim_order()
    (1, 0)
    """
    formats = ambiguity_check if isinstance(ambiguity_check, list) else []
    if not isinstance(ambiguity_check, bool | list) or not all(
        isinstance(form, memory_format) for form in formats
    ):
        raise TypeError(
            "dim_order: ambiguity_check: expected a bool or a list of memory formats, "
            f"got {ambiguity_check!r}"
        )
    strides = self.stride()
    moving = [d for d in range(self.dim()) if strides[d] != 0]  # others stay where they are
    ordered = iter(sorted(moving, key=lambda d: -strides[d]))
    order = [next(ordered) if strides[d] else d for d in range(self.dim())]
    if ambiguity_check is True:
        steps = [strides[d] for d in order]
        ambiguous = len(set(steps)) < len(steps) or any(self.shape[d] == 1 for d in order)
    else:
        fitting = [form for form in formats if self.is_contiguous(memory_format=form)]
        ambiguous = bool(formats) and len(fitting) != 1
    if ambiguous:
        raise RuntimeError(
            "The tensor does not have unique dim order, or cannot map to exact one of the given "
            "memory formats."
        )
    return tuple(order)
