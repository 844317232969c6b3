"""Note [Registries]: `_parameters`, `_buffers` and `_modules` are dictionaries that write through
into the module's own `__dict__`.

PyTorch keeps these entries out of `__dict__` and finds them in `Module.__getattr__`, a Python call
of about 0.4 us for each `self.weight`. Here an entry stands in both places, so reading it is an
ordinary attribute access. The registry remains the truth: programs that write `_parameters[name]`,
pop from it or assign a new dictionary see the attribute follow. The owner is held weakly, so that
a module is freed when its last reference goes, without waiting for the cycle collector.
"""

import weakref
from collections.abc import Iterable, Mapping
from typing import Any

_MISSING = object()


class Registry(dict[str, Any]):
    """A dictionary whose entries are also attributes of its owner. See Note [Registries]."""

    __slots__ = ("__weakref__", "_owner")

    def __init__(self, owner: Any, entries: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._owner = weakref.ref(owner)
        if entries:
            self.update(entries)

    def _attributes(self) -> dict[str, Any]:
        owner = self._owner()
        return {} if owner is None else owner.__dict__

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self._attributes()[name] = value

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._attributes().pop(name, None)

    def pop(self, name: str, default: Any = _MISSING) -> Any:  # type: ignore[override]
        """Remove an entry and return it."""
        if name not in self and default is not _MISSING:
            return default
        value = self[name]
        del self[name]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the last entry and return it."""
        name, value = super().popitem()
        self._attributes().pop(name, None)
        return name, value

    def clear(self) -> None:
        """Remove every entry."""
        for name in list(self):
            del self[name]

    def setdefault(self, name: str, default: Any = None) -> Any:
        """The entry, which is made where it is missing."""
        if name not in self:
            self[name] = default
        return self[name]

    def update(self, *others: Any, **named: Any) -> None:
        """Add or replace entries."""
        for name, value in dict(*others, **named).items():
            self[name] = value

    def __ior__(self, other: Any) -> "Registry":  # type: ignore[override,misc]
        self.update(other)
        return self

    def copy(self) -> dict[str, Any]:
        """The entries, as a plain dictionary."""
        return dict(self)

    def __reduce__(self) -> Any:
        return dict, (dict(self),)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__()


def adopt(owner: Any, kind: str) -> Registry:
    """The registry `kind` ('_parameters', ...) of `owner`; a plain dictionary is taken over."""
    entries = owner.__dict__[kind]
    if type(entries) is not Registry or entries._owner() is not owner:
        entries = Registry(owner, entries)
        owner.__dict__[kind] = entries
    return entries


def replace(owner: Any, kind: str, entries: Iterable[tuple[str, Any]] | Mapping[str, Any]) -> None:
    """Make `entries` the registry `kind` of `owner`, dropping what the old one held."""
    old = owner.__dict__.get(kind, {})
    new = dict(entries)
    for name in old:
        if name not in new:
            owner.__dict__.pop(name, None)
    owner.__dict__[kind] = Registry(owner, new)
