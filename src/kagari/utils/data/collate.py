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
    """Make a batch; `collate_fn_map` says how for types it names, and wins over the rest.

    Raises:
        RuntimeError: tensors or sequences of different sizes; the message names the item and the
            path inside it, as in `item 3['image'][0]`.
        KeyError: a key that the first item has is missing.
        TypeError: items of a type that cannot be put together.
    """
    return _collate(batch, collate_fn_map, "")


def _collate(batch: Sequence[Any], fn_map: Any, path: str) -> Any:
    first = batch[0]
    for kind, fn in (fn_map or {}).items():
        if isinstance(first, kind):
            return fn(batch, collate_fn_map=fn_map)
    if isinstance(first, Tensor):
        _check_tensors(batch, path)
        return kagari.stack(list(batch), 0)
    if _from_numpy(first) and hasattr(first, "dtype"):
        return _collate_numpy(batch, path)
    if isinstance(first, float):
        return kagari.tensor(list(batch), dtype=kagari.float64)
    if isinstance(first, int):
        return kagari.tensor(list(batch))
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        columns = {
            key: _collate(_column(batch, key, path), fn_map, f"{path}[{key!r}]") for key in first
        }
        return _mapping(first, columns)
    if isinstance(first, Sequence):
        return _collate_sequences(batch, fn_map, path)
    raise TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{type(first)}{_at(path)}"
    )


def _at(path: str) -> str:
    return f" at item 0{path}" if path else ""


def _check_tensors(batch: Sequence[Any], path: str) -> None:
    first = batch[0]
    for i, item in enumerate(batch):
        if not isinstance(item, Tensor):
            raise TypeError(
                f"default_collate: expected Tensor as item {i}{path}, as item 0{path} is one, but "
                f"got {type(item).__name__}"
            )
        if item.shape != first.shape:
            raise RuntimeError(
                f"default_collate: stack expects each tensor to be equal size, but item 0{path} has"
                f" {list(first.shape)} and item {i}{path} has {list(item.shape)}; pad or crop them,"
                " or write a collate_fn"
            )


def _column(batch: Sequence[Any], key: Any, path: str) -> list[Any]:
    for i, item in enumerate(batch):
        if not isinstance(item, Mapping) or key not in item:
            raise KeyError(
                f"default_collate: item {i}{path} has no {key!r}, which item 0{path} has"
            )
    return [item[key] for item in batch]


def _collate_numpy(batch: Sequence[Any], path: str) -> Any:
    if batch[0].ndim == 0:
        return kagari.as_tensor([value.item() for value in batch]).to(
            kagari.as_tensor(batch[0]).dtype
        )
    if _text_array(batch[0]):
        raise TypeError(
            "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
            f"found {batch[0].dtype}{_at(path)}"
        )
    tensors = [kagari.as_tensor(array) for array in batch]
    _check_tensors(tensors, path)
    return kagari.stack(tensors, 0)


def _collate_sequences(batch: Sequence[Any], fn_map: Any, path: str) -> Any:
    first = batch[0]
    for i, item in enumerate(batch):
        if len(item) != len(first):
            raise RuntimeError(
                f"each element in list of batch should be of equal size: item 0{path} has "
                f"{len(first)} elements, item {i}{path} has {len(item)}"
            )
    columns = [
        _collate(column, fn_map, f"{path}[{place}]")
        for place, column in enumerate(zip(*batch, strict=True))
    ]
    if isinstance(first, tuple):
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    return _sequence(first, columns)


def default_collate(batch: Sequence[Any]) -> Any:
    """Make a batch of items: what a DataLoader does unless told otherwise."""
    return collate(batch)
