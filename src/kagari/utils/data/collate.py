"""Making a batch of items: tensors are stacked, containers taken apart and built again."""

from collections.abc import Mapping, MutableMapping, Sequence
from copy import copy
from typing import Any

import kagari
from kagari import Tensor


def _from_numpy(value: Any) -> bool:
    """Whether `value` is NumPy's; it is not imported for the answer."""
    return type(value).__module__.split(".")[0] == "numpy"


def _text_array(value: Any) -> bool:
    return value.dtype.kind in "SUO"


def default_convert(data: Any) -> Any:
    """NumPy arrays become tensors, also inside containers; everything else stays."""
    if isinstance(data, Tensor):
        return data
    if _from_numpy(data) and hasattr(data, "dtype"):
        return data if data.ndim and _text_array(data) else kagari.as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _sequence(data, [default_convert(value) for value in data])
    return data


def _mapping(like: Any, entries: dict[Any, Any]) -> Any:
    """A mapping of the type of `like` with these entries, or else a dictionary."""
    try:
        if isinstance(like, MutableMapping):
            made = copy(like)
            made.update(entries)
            return made
        return type(like)(entries)  # type: ignore[call-arg]
    except TypeError:
        return entries


def _sequence(like: Any, values: list[Any]) -> Any:
    """A sequence of the type of `like` with these values, or else a list."""
    try:
        return type(like)(values)
    except TypeError:
        return values


def collate(batch: Sequence[Any], *, collate_fn_map: Any = None) -> Any:
    """Make a batch; `collate_fn_map` says how for types it names, and wins over the rest."""
    first = batch[0]
    for kind, fn in (collate_fn_map or {}).items():
        if isinstance(first, kind):
            return fn(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Tensor):
        return kagari.stack(list(batch), 0)
    if _from_numpy(first) and hasattr(first, "dtype"):
        return _collate_numpy(batch)
    if isinstance(first, float):
        return kagari.tensor(list(batch), dtype=kagari.float64)
    if isinstance(first, int):
        return kagari.tensor(list(batch))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        columns = {
            key: collate([item[key] for item in batch], collate_fn_map=collate_fn_map)
            for key in first
        }
        return _mapping(first, columns)
    if isinstance(first, Sequence):
        return _collate_sequences(batch, collate_fn_map)
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{type(first)}"
    )


def _collate_numpy(batch: Sequence[Any]) -> Any:
    if batch[0].ndim == 0:
        return kagari.as_tensor([value.item() for value in batch]).to(
            kagari.as_tensor(batch[0]).dtype
        )
    if _text_array(batch[0]):
        raise TypeError(
            "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
            f"found {batch[0].dtype}"
        )
    return kagari.stack([kagari.as_tensor(array) for array in batch], 0)


def _collate_sequences(batch: Sequence[Any], collate_fn_map: Any) -> Any:
    first = batch[0]
    if not all(len(item) == len(first) for item in batch):
        raise RuntimeError("each element in list of batch should be of equal size")
    columns = [
        collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch, strict=True)
    ]
    if isinstance(first, tuple):
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    return _sequence(first, columns)


def default_collate(batch: Sequence[Any]) -> Any:
    """Make a batch of items: what a DataLoader does unless told otherwise."""
    return collate(batch)
