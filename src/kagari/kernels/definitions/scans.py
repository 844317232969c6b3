"""Scans: a reduction so far, at each element of a row. Sums and products run in float64."""

from .. import dtypes
from .. import expr as e
from ..math import exp, log1p
from ..rowwise import Reduction, Row, State, rowwise
from .reductions import NUMBERS, PROD, SUM, bounds

_RUNNING = {"f32": "f64", "c64": "c128"}


def _result(dtype: str) -> str:
    """Integers and bool are scanned in int64."""
    return dtype if dtype in dtypes.FLOATING + dtypes.COMPLEX else "i64"


def _running(row: Row, dtype: str, reduction: Reduction) -> None:
    wide = _RUNNING.get(dtypes.compute_of(_result(dtype)), _result(dtype))
    value = row.scan(reduction, e.cast(row.element("input", dtype), wide))
    row.store("output", _result(dtype), e.cast(value, dtypes.compute_of(_result(dtype))))


@rowwise("bool " + NUMBERS, built="f32 f64 i64")
def cumsum(row: Row, dtype: str) -> None:
    _running(row, dtype, SUM)


@rowwise("bool " + NUMBERS, built="f32 f64")
def cumprod(row: Row, dtype: str) -> None:
    _running(row, dtype, PROD)


def _latest(name: str, side: int) -> Reduction:
    """Value and index of the extreme so far, the latest of equals; a NaN stays."""

    def start(x: e.Expr) -> State:
        return e.const(bounds(x.dtype)[side], x), e.const(0, "i32")

    def step(s: State, x: State, i: e.Expr) -> State:
        if x[0].dtype == "bool":
            better = x[0] | ~s[0] if side == 0 else ~x[0] | s[0]
        else:
            better = x[0] >= s[0] if side == 0 else x[0] <= s[0]
        if dtypes.is_floating(x[0].dtype):
            better = (better & ~e.isnan(s[0])) | e.isnan(x[0])
        return e.where(better, x[0], s[0]), e.where(better, i, s[1])

    def merge(a: State, b: State) -> State:
        return b

    return Reduction(name, start, step, merge)


def _extreme(row: Row, dtype: str, reduction: Reduction) -> None:
    value, at = row.scan(reduction, row.element("input", dtype))
    row.store("values", dtype, value)
    row.store("indices", "i64", e.cast(at, "i64"))


@rowwise("real", built="f32")
def cummax(row: Row, dtype: str) -> None:
    _extreme(row, dtype, _latest("cummax", 0))


@rowwise("real", built="f32")
def cummin(row: Row, dtype: str) -> None:
    _extreme(row, dtype, _latest("cummin", 1))


def _log_add_exp(a: e.Expr, b: e.Expr) -> e.Expr:
    """log(exp(a) + exp(b)); two equal infinities stay what they are. Of complex numbers not the
    principal value: the angle goes on from that of the larger one."""
    size_a, size_b = (e.real(x) if dtypes.is_complex(x.dtype) else x for x in (a, b))
    high, low = e.where(size_a > size_b, a, b), e.where(size_a > size_b, b, a)
    same = (size_a == size_b) & (e.abs(size_a) == float("inf"))
    unordered = e.isnan(a) | e.isnan(b)
    found = high + log1p(exp(low - high))
    return e.where(same, a, e.where(unordered, a + b, found))


LOG_ADD_EXP = Reduction(
    "logcumsumexp",
    lambda x: (e.const(float("-inf"), x),),
    lambda s, x, i: (_log_add_exp(s[0], x[0]),),
    lambda a, b: (_log_add_exp(a[0], b[0]),),
)


@rowwise("floating complex", built="f32")
def logcumsumexp(row: Row, dtype: str) -> None:
    _running(row, dtype, LOG_ADD_EXP)
