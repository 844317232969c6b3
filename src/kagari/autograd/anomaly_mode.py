"""Anomaly mode: each node remembers where it was made, and a NaN in a gradient is an error."""

import sys
import traceback
import warnings
from typing import Any, Self

from .._C import _anomaly_enabled, _set_anomaly, _set_anomaly_reporter

_check_nan = True


def _note(data: dict[str, Any]) -> None:
    """Kept as text: frames would keep their variables alive."""
    frames = traceback.extract_stack(sys._getframe(1))
    data["traceback"] = "".join(traceback.format_list(frames))


def _report(name: str, data: dict[str, Any]) -> None:
    where = data.get("traceback")
    if where is None:
        text = "No forward pass information available. Enable detect anomaly during forward pass."
    else:
        text = f"Traceback of forward call that caused the error:\n{where}"
    warnings.warn(f"Error detected in {name}. {text}", stacklevel=2)


def _switch(enabled: bool, check_nan: bool) -> tuple[bool, bool]:
    global _check_nan
    before = (_anomaly_enabled(), _check_nan)
    _set_anomaly_reporter(_note, _report)
    _set_anomaly(enabled, check_nan)
    _check_nan = check_nan
    return before


class set_detect_anomaly:
    """Switch anomaly mode at once; used with `with`, until the end of the block."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = _switch(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        _switch(*self.before)


class detect_anomaly:
    """Inside, an error in backward shows the forward call that made the failing node.

    >>> with kagari.autograd.detect_anomaly():
    ...     x = kagari.ones(1, requires_grad=True)
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        self.before = (False, True)

    def __enter__(self) -> Self:
        self.before = _switch(True, self.check_nan)
        return self

    def __exit__(self, *exception: object) -> None:
        _switch(*self.before)


def is_anomaly_enabled() -> bool:
    """Is anomaly mode on?"""
    return bool(_anomaly_enabled())


def is_anomaly_check_nan_enabled() -> bool:
    """Does anomaly mode look for NaN?"""
    return _check_nan


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """Switch anomaly mode for good: set_detect_anomaly without the block."""
    _switch(mode, check_nan)
