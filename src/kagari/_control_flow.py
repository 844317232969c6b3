"""cond and while_loop: the control flow of exported programs, run eagerly as Python's own."""

from collections.abc import Callable
from typing import Any

from kagari import Tensor


def cond(
    pred: bool | int | float | Tensor,
    true_fn: Callable[..., Any],
    false_fn: Callable[..., Any],
    operands: tuple[Any, ...] | list[Any] = (),
) -> Any:
    """true_fn(*operands) or false_fn(*operands), as the predicate says.

    `pred` is a number or a tensor of one element; operands are tensors, in tuples, lists and dicts.
    RuntimeError for anything else.

    >>> kagari.cond(kagari.tensor(True), lambda x: x + 1, lambda x: x - 1, (kagari.ones(2),))
    tensor([2., 2.])
    """
    if isinstance(pred, bool | int | float):
        return true_fn(*operands) if pred else false_fn(*operands)
    if not isinstance(pred, Tensor):
        raise RuntimeError(f"cond: pred: expected a bool or a tensor, got {type(pred).__name__}")
    if pred.numel() != 1:
        raise RuntimeError(f"cond: pred: expected one element, got shape {tuple(pred.shape)}")
    if not (callable(true_fn) and callable(false_fn)):
        raise RuntimeError("cond: true_fn and false_fn: expected two functions")
    if not isinstance(operands, tuple | list) or not _only_tensors(operands):
        raise RuntimeError(
            "cond: operands: expected a tuple of tensors (or of dicts, lists, tuples)"
        )
    return true_fn(*operands) if pred else false_fn(*operands)


def _only_tensors(value: Any) -> bool:
    if isinstance(value, dict):
        return _only_tensors(list(value.values()))
    if isinstance(value, tuple | list):
        return all(_only_tensors(part) for part in value)
    return isinstance(value, Tensor)


def while_loop(
    cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: Any
) -> Any:
    """Replaces the inputs by body_fn(*inputs) as long as cond_fn(*inputs) holds; their last values.

    RuntimeError if body_fn gives another number of values than it takes.

    >>> kagari.while_loop(lambda i: i < 3, lambda i: (i + 1,), (kagari.tensor(0),))
    (tensor(3),)
    """
    if not (callable(cond_fn) and callable(body_fn)):
        raise RuntimeError("while_loop: cond_fn and body_fn: expected two functions")
    if not isinstance(carried_inputs, tuple | list):
        kind = type(carried_inputs).__name__
        raise RuntimeError(f"while_loop: carried_inputs: expected a tuple or list, got {kind}")
    values = tuple(carried_inputs)
    while cond_fn(*values):
        made = body_fn(*values)
        if not isinstance(made, tuple | list) or len(made) != len(values):
            raise RuntimeError(
                f"while_loop: body_fn: expected {len(values)} values in a tuple, got {made!r}"
            )
        values = tuple(made)
    return values


__all__ = ["cond", "while_loop"]
