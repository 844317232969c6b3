"""The handle by which a registered hook is removed. Who calls the hooks is not its business."""

import weakref
from collections import OrderedDict
from typing import Any, Self


class RemovableHandle:
    """Removes one hook from the dictionaries it was put in; usable as a context manager."""

    next_id: int = 0
    id: int

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        extra = extra_dict if isinstance(extra_dict, list) else [extra_dict]
        self._dicts = [weakref.ref(d) for d in (hooks_dict, *extra) if d is not None]

    def remove(self) -> None:
        """Take the hook away; doing it twice is harmless."""
        for reference in self._dicts:
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self) -> tuple[Any, ...]:
        return (self.id, [reference() for reference in self._dicts])

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.id, hooks = state
        self._dicts = [weakref.ref(OrderedDict() if d is None else d) for d in hooks]
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
