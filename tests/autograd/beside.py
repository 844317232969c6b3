"""Small programs written once and run with kagari and with PyTorch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import kagari


def plain(value: Any) -> Any:
    """Tensors as NumPy arrays, containers item by item."""
    if isinstance(value, (kagari.Tensor, torch.Tensor)):
        return np.array(value.detach().resolve_conj().tolist())
    if isinstance(value, dict):
        return [list(value), plain(list(value.values()))]
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    return value


def agree(ours: Any, theirs: Any, tolerance: float = 1e-6) -> None:
    if isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            agree(a, b, tolerance)
    elif isinstance(theirs, np.ndarray):
        assert ours is not None, "no result where PyTorch has one"
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
    else:
        assert ours == theirs


def same(program: Callable[[Any], Any], tolerance: float = 1e-6) -> Any:
    """`program(library)` gives the same with both libraries; returns kagari's result."""
    ours = program(kagari)
    agree(plain(ours), plain(program(torch)), tolerance)
    return ours


def same_error(program: Callable[[Any], Any]) -> str:
    """`program(library)` raises the same class with both; returns kagari's message."""
    raised = []
    for library in (kagari, torch):
        try:
            program(library)
        except Exception as error:
            raised.append(error)
        else:
            raise AssertionError(f"{library.__name__} raised nothing")
    ours, theirs = raised
    assert isinstance(ours, type(theirs)), f"{ours!r} where PyTorch raises {theirs!r}"
    return str(ours)
