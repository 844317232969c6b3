"""Normalisation along rows, and the parts that batch and group normalisation are put together from.

Statistics and parameters have the dtype that is computed in, float32 for the half types.
"""

from .. import dtypes
from .. import expr as e
from ..rowwise import Reduction, Row, State, rowwise
from .reductions import MOMENTS, SUM, moments, reduction


def _mean(row: Row, x: e.Expr) -> e.Expr:
    return row.reduce(SUM, x) / e.cast(row.size, x.dtype)


def _inverse_root(row: Row, mean_square: e.Expr) -> e.Expr:
    return 1 / e.sqrt(mean_square + e.cast(row.scalar("eps"), mean_square.dtype))


def _layer_norm(row: Row, dtype: str, affine: bool) -> None:
    wide = dtypes.compute_of(dtype)
    x = row.element("input", dtype)
    weight, bias = (row.per_column(n, wide) for n in ("weight", "bias")) if affine else (None, None)
    mean = _mean(row, x)
    inverse = _inverse_root(row, _mean(row, (x - mean) * (x - mean)))
    y = (x - mean) * inverse
    row.store("output", dtype, y if weight is None else e.fma(y, weight, bias))
    row.store("mean", wide, mean)
    row.store("inverse", wide, inverse)


@rowwise("floating")
def layer_norm(row: Row, dtype: str) -> None:
    """(x - mean) / deviation * weight + bias, and the row's mean and inverse deviation."""
    _layer_norm(row, dtype, affine=True)


@rowwise("floating", built="f32")
def layer_norm_plain(row: Row, dtype: str) -> None:
    _layer_norm(row, dtype, affine=False)


@rowwise("floating")
def layer_norm_backward(row: Row, dtype: str) -> None:
    """The gradient of the input, from what the forward pass kept."""
    wide = dtypes.compute_of(dtype)
    grad, x = row.element("grad", dtype), row.element("input", dtype)
    mean, inverse = row.per_row("mean", wide), row.per_row("inverse", wide)
    g = grad * row.per_column("weight", wide)
    y = (x - mean) * inverse
    rest = g - _mean(row, g) - y * _mean(row, g * y)
    row.store("grad_input", dtype, rest * inverse)


@rowwise("floating")
def layer_norm_parameters(row: Row, dtype: str) -> None:
    """The gradients of weight and bias. Here a row is a column of the input, and what is kept per
    row of the input is a column."""
    wide = dtypes.compute_of(dtype)
    grad, x = row.element("grad", dtype), row.element("input", dtype)
    mean, inverse = row.per_column("mean", wide), row.per_column("inverse", wide)
    row.store("weight", "f64", e.cast(row.reduce(SUM, grad * ((x - mean) * inverse)), "f64"))
    row.store("bias", "f64", e.cast(row.reduce(SUM, grad), "f64"))


@rowwise("floating")
def rms_norm(row: Row, dtype: str) -> None:
    """x / root of the mean square * weight, and the inverse root."""
    wide = dtypes.compute_of(dtype)
    x, weight = row.element("input", dtype), row.per_column("weight", wide)
    inverse = _inverse_root(row, _mean(row, x * x))
    row.store("output", dtype, x * inverse * weight)
    row.store("inverse", wide, inverse)


@rowwise("floating")
def rms_norm_backward(row: Row, dtype: str) -> None:
    wide = dtypes.compute_of(dtype)
    grad, x = row.element("grad", dtype), row.element("input", dtype)
    inverse = row.per_row("inverse", wide)
    g, y = grad * row.per_column("weight", wide), x * inverse
    row.store("grad_input", dtype, (g - y * _mean(row, g * y)) * inverse)


@rowwise("floating")
def scale_shift(row: Row, dtype: str) -> None:
    """x * scale + shift, both per row."""
    wide = dtypes.compute_of(dtype)
    x = row.element("input", dtype)
    scale, shift = row.per_row("scale", wide), row.per_row("shift", wide)
    row.store("output", dtype, e.fma(x, scale, shift))


@rowwise("floating")
def scale_shift_two(row: Row, dtype: str) -> None:
    """grad * of_grad + x * of_input + shift, the three per row: the gradient of a normalisation."""
    wide = dtypes.compute_of(dtype)
    grad, x = row.element("grad", dtype), row.element("input", dtype)
    of_grad, of_input = row.per_row("of_grad", wide), row.per_row("of_input", wide)
    row.store("output", dtype, e.fma(grad, of_grad, e.fma(x, of_input, row.per_row("shift", wide))))


def _sums(row: Row, dtype: str) -> State:
    x, grad = row.element("input", dtype), row.element("grad", dtype)
    mean = row.per_row("mean", dtypes.compute_of(dtype))
    return row.reduce(SUM, grad), row.reduce(SUM, grad * (x - mean))


_PAIR = Reduction(
    "pair",
    lambda a, b: (e.const(0, a), e.const(0, b)),
    lambda s, x, i: (s[0] + x[0], s[1] + x[1]),
    lambda a, b: (a[0] + b[0], a[1] + b[1]),
)

reduction(
    "gradient_sums", "floating", part=_sums, states=lambda d: ("f64", "f64"), combine=_PAIR,
    finish=lambda row, d, *state: state, results=lambda d: ("f64", "f64"), built="f32 f64 bf16",
)  # fmt: skip
reduction(
    "mean_variance", "floating", part=moments, states=lambda d: ("f64",) * 3, combine=MOMENTS,
    finish=lambda row, d, count, mean, squares: (mean, squares / count),
    results=lambda d: ("f64", "f64"), built="f32 f64 bf16",
)  # fmt: skip
