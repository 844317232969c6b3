"""Older name of hub.load_state_dict_from_url."""

from typing import Any

from kagari import hub
from kagari.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]


def __getattr__(name: str) -> Any:
    return getattr(hub, name)
