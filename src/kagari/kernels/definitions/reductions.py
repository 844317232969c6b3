"""Reductions: a state, how elements enter it, how states merge, and what is made of it at the end.

From one definition come three row programs: `sum` reduces rows to results, `sum.part` to states in
memory, and `sum.merge` rows of states to results, which is how a long reduction is cut into blocks
and how one over several dimensions is done in two steps. States are wider than what they are made
of: float32 sums are kept in float64 between blocks.
"""

from collections.abc import Callable

from .. import dtypes
from .. import expr as e
from ..math import exp, log
from ..rowwise import Reduction, Row, State, define

NUMBERS = "integral floating complex"
HOT = "f32 f64 bf16 f16 i64"

# States


def _zero(x: e.Expr) -> State:
    return (e.const(0, x),)


SUM = Reduction("sum", _zero, lambda s, x, i: (s[0] + x[0],), lambda a, b: (a[0] + b[0],))
PROD = Reduction(
    "prod",
    lambda x: (e.const(1, x),),
    lambda s, x, i: (s[0] * x[0],),
    lambda a, b: (a[0] * b[0],),
)
ANY = Reduction(
    "any",
    lambda x: (e.const(False, "bool"),),
    lambda s, x, i: (s[0] | x[0],),
    lambda a, b: (a[0] | b[0],),
)
ALL = Reduction(
    "all",
    lambda x: (e.const(True, "bool"),),
    lambda s, x, i: (s[0] & x[0],),
    lambda a, b: (a[0] & b[0],),
)


def bounds(dtype: str) -> tuple:
    """The smallest and the largest value."""
    if dtypes.is_floating(dtype):
        return float("-inf"), float("inf")
    if dtype == "bool":
        return False, True
    n = dtypes.bits(dtype)
    return (0, (1 << n) - 1) if dtypes.is_unsigned(dtype) else (-(1 << n - 1), (1 << n - 1) - 1)


def _greater(a: e.Expr, b: e.Expr) -> e.Expr:
    """a > b, where NaN is above everything."""
    if a.dtype == "bool":
        return a & ~b
    return (a > b) | e.isnan(a) if dtypes.is_floating(a.dtype) else a > b


def _less(a: e.Expr, b: e.Expr) -> e.Expr:
    if a.dtype == "bool":
        return ~a & b
    return (a < b) | e.isnan(a) if dtypes.is_floating(a.dtype) else a < b


def _extreme(name: str, first: Callable, side: int) -> Reduction:
    def choose(a, b):
        return (e.where(first(b[0], a[0]), b[0], a[0]),)

    return Reduction(
        name, lambda x: (e.const(bounds(x.dtype)[side], x),), lambda s, x, i: choose(s, x), choose
    )


MAX = _extreme("max", _greater, 0)
MIN = _extreme("min", _less, 1)

NOWHERE = {"i32": 2**31 - 1, "i64": 2**63 - 1}


def _beats(first: Callable, a: e.Expr, b: e.Expr) -> e.Expr:
    """Strictly: a NaN does not beat a NaN."""
    better = first(a, b)
    return better & ~e.isnan(b) if dtypes.is_floating(a.dtype) else better


def _arg(name: str, first: Callable, side: int) -> Reduction:
    """Value and index of the first extreme element. No element beats the start where all are the
    smallest possible: the index then stays NOWHERE, and stands for 0."""

    def start(x, at=None):
        index = "i32" if at is None else at.dtype
        return e.const(bounds(x.dtype)[side], x), e.const(NOWHERE[index], index)

    def step(s, x, i):
        better = _beats(first, x[0], s[0])
        at = x[1] if len(x) > 1 else i
        if len(x) > 1:
            better = better | (_same(x[0], s[0]) & (at < s[1]))
        return e.where(better, x[0], s[0]), e.where(better, at, s[1])

    def merge(a, b):
        better = _beats(first, b[0], a[0]) | (_same(a[0], b[0]) & (b[1] < a[1]))
        return e.where(better, b[0], a[0]), e.where(better, b[1], a[1])

    return Reduction(name, start, step, merge)


def _same(a: e.Expr, b: e.Expr) -> e.Expr:
    return (a == b) | (e.isnan(a) & e.isnan(b)) if dtypes.is_floating(a.dtype) else a == b


ARGMAX = _arg("argmax", _greater, 0)
ARGMIN = _arg("argmin", _less, 1)


def _merge_moments(a: State, b: State) -> State:
    """Count, mean and sum of squared deviations of two sets together (Chan et al.)."""
    count = a[0] + b[0]
    share = e.where(count == 0, e.const(0, count), b[0] / count)
    delta = b[1] - a[1]
    mean = e.where(b[0] == 0, a[1], a[1] + delta * share)
    return (
        count,
        mean,
        a[2] + b[2] + e.where(b[0] == 0, e.const(0, count), delta * delta * a[0] * share),
    )


MOMENTS = Reduction(
    "moments",
    lambda n, m, s: (e.const(0, n), e.const(0, m), e.const(0, s)),
    lambda s, x, i: _merge_moments(s, x),
    _merge_moments,
)


def _merge_logsumexp(a: State, b: State) -> State:
    """Largest element, and the sum of exp(x - largest)."""
    top = MAX.merge(a[:1], b[:1])[0]
    finite = shift(top)
    return top, a[1] * exp(shift(a[0]) - finite) + b[1] * exp(shift(b[0]) - finite)


def shift(top: e.Expr) -> e.Expr:
    """What is subtracted before exp: an infinite maximum is not."""
    return e.where(e.abs(top) == float("inf"), e.const(0, top), top)


LOGSUMEXP = Reduction(
    "logsumexp",
    lambda t, s: (e.const(bounds(t.dtype)[0], t), e.const(0, s)),
    lambda s, x, i: _merge_logsumexp(s, x),
    _merge_logsumexp,
)

# Definitions


def wide(dtype: str) -> str:
    """The dtype of a state between blocks."""
    widened = {"f16": "f64", "bf16": "f64", "f32": "f64", "c64": "c128"}
    return widened.get(dtype, dtype)


def reduction(
    name: str,
    supported: str,
    *,
    part: Callable[[Row, str], State],
    states: Callable[[str], tuple[str, ...]],
    combine: Reduction,
    finish: Callable[..., State],
    results: Callable[[str], tuple[str, ...]],
    fold: Callable[[Row, State], State] | None = None,
    built: str = HOT,
) -> None:
    """`part` reduces the elements of a row; `states` are the dtypes in memory; `finish(row, dtype,
    *state)` makes the results; `fold` adjusts a state that is read back (a block's indices)."""

    def put(row: Row, kinds: tuple[str, ...], values: State, tag: str) -> None:
        for i, (kind, value) in enumerate(zip(kinds, values, strict=True)):
            row.store(f"{tag}{i}", kind, _cast(value, kind))

    def whole(row: Row, dtype: str) -> None:
        put(row, results(dtype), finish(row, dtype, *part(row, dtype)), "result")

    def to_state(row: Row, dtype: str) -> None:
        put(row, states(dtype), part(row, dtype), "state")

    def gathered(row: Row, dtype: str) -> State:
        parts = tuple(row.element(f"part{i}", d) for i, d in enumerate(states(dtype)))
        found = row.reduce(combine, *(fold(row, parts) if fold else parts))
        return found if isinstance(found, tuple) else (found,)

    def merge(row: Row, dtype: str) -> None:
        put(row, results(dtype), finish(row, dtype, *gathered(row, dtype)), "result")

    define(name, whole, supported, built)
    define(f"{name}.part", to_state, supported, built)
    define(f"{name}.merge", merge, supported, built)


def _cast(value: e.Expr, dtype: str) -> e.Expr:
    return e.cast(value, dtypes.compute_of(dtype))


def _summed(dtype: str) -> str:
    """Integers add up in int64."""
    return dtype if dtype in dtypes.FLOATING + dtypes.COMPLEX else "i64"


def _folded(combine: Reduction, change: Callable[[e.Expr], e.Expr]):
    def part(row: Row, dtype: str) -> State:
        return (row.reduce(combine, change(row.element("input", dtype))),)

    return part


def _plain(row: Row, dtype: str, *state: e.Expr) -> State:
    return state


def _to_sum(x: e.Expr) -> e.Expr:
    return e.cast(x, _summed(x.dtype))


def _sum_like(name: str, supported: str, change, finish=_plain, result=_summed, built: str = HOT):
    reduction(
        name, supported, part=_folded(SUM, change), states=lambda d: (wide(result(d)),),
        combine=SUM, finish=finish, results=lambda d: (result(d),), built=built,
    )  # fmt: skip


def _not_nan(x: e.Expr) -> e.Expr:
    return e.where(e.isnan(x), e.const(0, x), x)


def _square(x: e.Expr) -> e.Expr:
    if dtypes.is_complex(x.dtype):
        return e.real(x) * e.real(x) + e.imag(x) * e.imag(x)
    return x * x


_sum_like("sum", "bool " + NUMBERS, _to_sum, built=HOT + " bool i32")
_sum_like("nansum", NUMBERS + " bool", lambda x: _to_sum(_not_nan(x)), built="f32")
_sum_like("count_nonzero", NUMBERS + " bool", lambda x: e.cast(e.cast(x, "bool"), "i64"),
          result=lambda d: "i64", built="f32 i64 bool")  # fmt: skip
_sum_like("norm", "floating complex", _square, finish=lambda row, d, s: (e.sqrt(s),),
          result=dtypes.real_of, built="f32 f64")  # fmt: skip


def _mean(row: Row, dtype: str, total: e.Expr) -> State:
    count = row.scalar("count")
    return (total / e.cast(count, dtypes.real_of(total.dtype)),)


_sum_like("mean", "floating complex", lambda x: x, finish=_mean, built="f32 f64 bf16 f16")

reduction(
    "prod", "bool " + NUMBERS,
    part=_folded(PROD, _to_sum), states=lambda d: (wide(_summed(d)),),
    combine=PROD, finish=_plain, results=lambda d: (_summed(d),), built="f32 f64 i64",
)  # fmt: skip

for _name, _extreme_of in (("amax", MAX), ("amin", MIN)):
    reduction(
        _name, "real", part=_folded(_extreme_of, lambda x: x), states=lambda d: (d,),
        combine=_extreme_of, finish=_plain, results=lambda d: (d,), built=HOT + " i32 u8",
    )  # fmt: skip

for _name, _logical in (("any", ANY), ("all", ALL)):
    reduction(
        _name, "bool " + NUMBERS, part=_folded(_logical, lambda x: e.cast(x, "bool")),
        states=lambda d: ("bool",), combine=_logical, finish=_plain,
        results=lambda d: ("u8" if d == "u8" else "bool",), built="bool f32 u8 i64",
    )  # fmt: skip


def _indexed(combine: Reduction):
    def part(row: Row, dtype: str) -> State:
        value, at = row.reduce(combine, row.element("input", dtype))
        return value, e.cast(e.where(at == NOWHERE["i32"], e.const(0, at), at), "i64")

    return part


def _block_index(row: Row, state: State) -> State:
    """Indices within blocks of `block` elements become indices within the row."""
    block = row.scalar("block", "i64")
    return state[0], state[1] + e.cast(row.index, "i64") * block


def _index_only(row: Row, dtype: str, value: e.Expr, at: e.Expr) -> State:
    return (at,)


for _name, _arg_of in (("max", ARGMAX), ("min", ARGMIN)):
    _shared = {"part": _indexed(_arg_of), "states": lambda d: (d, "i64"), "combine": _arg_of,
               "fold": _block_index, "built": "f32 f64 i64 bf16"}  # fmt: skip
    reduction(f"arg{_name}", "real", finish=_index_only, results=lambda d: ("i64",), **_shared)
    reduction(f"{_name}_with_index", "real", finish=_plain, results=lambda d: (d, "i64"), **_shared)


def moments(row: Row, dtype: str) -> State:
    """Two passes: deviations from the mean itself, so nothing cancels."""
    x = row.element("input", dtype)
    count = e.cast(row.size, dtypes.real_of(x.dtype))
    mean = row.reduce(SUM, x) / count
    return count, mean, row.reduce(SUM, (x - mean) * (x - mean))


def _variance(row: Row, dtype: str, count: e.Expr, mean: e.Expr, squares: e.Expr) -> e.Expr:
    """Divided by count - correction; by 0 from there down, as PyTorch does."""
    free = e.cast(count, "f64") - row.scalar("correction")
    free = e.where(free > 0.0, free, e.const(0, "f64"))
    return squares / e.cast(free, squares.dtype)


def _moments_reduction(name: str, finish: Callable, pair: bool, built: str) -> None:
    reduction(
        name, "floating", part=moments, states=lambda d: ("f64",) * 3, combine=MOMENTS,
        finish=finish, results=lambda d: (d, d) if pair else (d,), built=built,
    )  # fmt: skip


_moments_reduction("var", lambda row, d, *s: (_variance(row, d, *s),), False, "f32")
_moments_reduction("std", lambda row, d, *s: (e.sqrt(_variance(row, d, *s)),), False, "f32")
_moments_reduction("var_mean", lambda row, d, *s: (_variance(row, d, *s), s[1]), True, "f32 f64")
_moments_reduction(
    "std_mean", lambda row, d, *s: (e.sqrt(_variance(row, d, *s)), s[1]), True, "f32"
)


def _exp_sum(row: Row, dtype: str) -> State:
    x = row.element("input", dtype)
    top = row.reduce(MAX, x)
    return top, row.reduce(SUM, exp(x - shift(top)))


reduction(
    "logsumexp", "floating", part=_exp_sum, states=lambda d: ("f64", "f64"), combine=LOGSUMEXP,
    finish=lambda row, d, top, total: (log(total) + shift(top),),
    results=lambda d: (d,), built="f32 f64",
)  # fmt: skip


def _squared_error(row: Row, dtype: str) -> State:
    difference = row.element("input", dtype) - row.element("target", dtype)
    return (row.reduce(SUM, difference * difference),)


reduction(
    "squared_error", "floating", part=_squared_error, states=lambda d: ("f64",), combine=SUM,
    finish=_mean, results=lambda d: (d,), built="f32",
)  # fmt: skip
