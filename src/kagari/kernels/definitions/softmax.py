"""Softmax and log-softmax along rows, and their derivatives from the output."""

from ..math import exp, log
from ..rowwise import Row, rowwise
from .reductions import MAX, SUM


@rowwise("floating")
def softmax(row: Row, dtype: str) -> None:
    """exp(x) / sum(exp(x)); the largest is subtracted first, so nothing overflows."""
    x = row.element("input", dtype)
    power = exp(x - row.reduce(MAX, x))
    total = row.reduce(SUM, power)
    row.store("output", dtype, row.keep("output", dtype, power) * (1 / total))


@rowwise("floating")
def softmax_backward(row: Row, dtype: str) -> None:
    grad, y = row.element("grad", dtype), row.element("output", dtype)
    row.store("grad_input", dtype, y * (grad - row.reduce(SUM, grad * y)))


@rowwise("floating")
def log_softmax(row: Row, dtype: str) -> None:
    """x - log(sum(exp(x)))."""
    x = row.element("input", dtype)
    top = row.reduce(MAX, x)
    total = row.reduce(SUM, exp(x - top))
    row.store("output", dtype, (x - top) - log(total))


@rowwise("floating")
def log_softmax_backward(row: Row, dtype: str) -> None:
    grad, y = row.element("grad", dtype), row.element("output", dtype)
    row.store("grad_input", dtype, grad - exp(y) * row.reduce(SUM, grad))
