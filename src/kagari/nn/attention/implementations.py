"""Other implementations of attention, by name: what libraries register, and which is active.

PyTorch knows two for its GPUs; here there are those that are registered.
"""

from collections.abc import Callable
from typing import Any

__all__ = [
    "activate_flash_attention_impl",
    "current_flash_attention_impl",
    "list_flash_attention_impls",
    "register_flash_attention_impl",
    "restore_flash_attention_impl",
]

_registered: dict[str, Callable[..., Any]] = {}
_active: dict[str, Any] = {}  # the name of the active one, and the handle it gave


def register_flash_attention_impl(impl: str, *, register_fn: Callable[..., Any]) -> None:
    """Make an implementation known. `register_fn()` puts it in place, and returns None or a handle
    with a method `remove`.

    >>> register_flash_attention_impl("mine", register_fn=lambda: None)
    >>> "mine" in list_flash_attention_impls()
    True
    """
    _registered[impl] = register_fn


def activate_flash_attention_impl(impl: str) -> None:
    """Put an implementation in place of the one that is active. ValueError for an unknown name."""
    if impl not in _registered:
        raise ValueError(
            f"Unknown flash attention impl '{impl}'. Available implementations: "
            f"{list_flash_attention_impls()}"
        )
    if impl in _active:
        return
    restore_flash_attention_impl()
    _active[impl] = _registered[impl]()


def list_flash_attention_impls() -> list[str]:
    """The names that are registered, sorted."""
    return sorted(_registered)


def current_flash_attention_impl() -> str | None:
    """The name of the active one, None for kagari's own."""
    return next(iter(_active), None)


def restore_flash_attention_impl(_raise_warn: bool = True) -> None:
    """Take the active implementation away; kagari's own is in place again."""
    while _active:
        _, handle = _active.popitem()
        if handle is not None:
            handle.remove()
