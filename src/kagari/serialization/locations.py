"""Where a storage is, as a word in a file, and how it gets there again: open to other devices."""

from collections.abc import Callable
from typing import Any

import kagari

Tagger = Callable[[Any], str | None]
Restorer = Callable[[Any, str], Any]


def _tag_of_own(storage: Any) -> str | None:
    device = str(storage.device)
    return device if device in ("cpu", "meta") else None


def _restore_own(storage: Any, location: str) -> Any:
    return storage if location in ("cpu", "meta") else None


# by priority; a registration of the same priority comes behind
_registered: list[tuple[int, Tagger, Restorer]] = [(10, _tag_of_own, _restore_own)]


def register_package(priority: int, tagger: Tagger, deserializer: Restorer) -> None:
    """Teach `save` and `load` a place for storages.

    Args:
        priority: lower ones are asked first; CPU is 10.
        tagger: gives the word for where a storage is, or None if that is not its place.
        deserializer: gives a storage that has been read onto the CPU, moved to the place of that
            word; or None if the word is not its own.
    """
    _registered.append((priority, tagger, deserializer))
    _registered.sort(key=lambda entry: entry[0])


def location_tag(storage: Any) -> str:
    """The word for where a storage is.

    Raises:
        RuntimeError: no package knows its device.
    """
    for _, tagger, _ in _registered:
        if (tag := tagger(storage)) is not None:
            return tag
    raise RuntimeError(f"don't know how to determine data location of {storage.device}")


def default_restore_location(storage: Any, location: str) -> Any:
    """A storage that has been read, moved to where it was.

    Raises:
        RuntimeError: no package knows the place.
    """
    for _, _, restore in _registered:
        if (moved := restore(storage, location)) is not None:
            return moved
    raise RuntimeError(
        f"load: a tensor was saved on {location!r}, which is not there; use map_location='cpu'"
    )


def device_to_read(location: str, wanted: Any) -> Any:
    """On which device a storage is read that was at `location`, with that map_location; one of a
    registered package is read on the CPU and moved."""
    if callable(wanted):
        return kagari.device("cpu")
    place = str(target(location, wanted))
    return kagari.device("meta" if place == "meta" else "cpu")


def target(location: str, wanted: Any) -> Any:
    """Where that storage goes in the end."""
    if isinstance(wanted, dict):
        wanted = wanted.get(location)
    return location if wanted is None else wanted


def restored(storage: Any, location: str, wanted: Any) -> Any:
    """The storage, after it has been read, where map_location wants it."""
    if callable(wanted):
        moved = wanted(storage, location)
        moved = default_restore_location(storage, location) if moved is None else moved
        return getattr(moved, "_untyped_storage", moved)
    return default_restore_location(storage, str(target(location, wanted)))
