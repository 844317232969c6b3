"""Row programs: what is computed along each of many rows, in as many passes as its reductions need.

    @rowwise("floating")
    def softmax(row, dtype):
        x = row.element("input", dtype)
        top = row.reduce(MAX, x)
        power = exp(x - top)
        row.store("output", dtype, power / row.reduce(SUM, power))

An element has an index in the row; a row value is one per row; a column value is one per place in
the row, the same in all rows. A reduction turns elements into a row value, which then may be used
in elements again: that is what divides a program into passes. Loops around it are left to
lowering/sweep.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from . import dtypes
from . import expr as e
from .scalar.pairs import split

State = tuple[e.Expr, ...]


@dataclass(frozen=True)
class Reduction:
    """How elements go into a state and how two states become one. `start(*elements)` gives
    constants of the state's dtypes; a state merged with the start is the state itself."""

    name: str
    start: Callable[..., State]
    step: Callable[[State, State, e.Expr], State]  # (state, elements, index in the row) -> state
    merge: Callable[[State, State], State]


@dataclass(frozen=True)
class Operand:
    """Memory of a program. `kind`: element (two strides count), row, column, scalar (none does)."""

    name: str
    dtype: str
    kind: str


@dataclass(eq=False)
class Accumulator:
    """One reduction in a program, in parts that are real numbers. `state` stands for the running
    state in `step`, `result` for the final one; `merge` is on `state` and `other`."""

    level: int
    start: list[e.Expr]
    state: list[e.Expr]
    other: list[e.Expr]
    result: list[e.Expr]
    step: list[e.Expr]
    merge: list[e.Expr]


@dataclass(eq=False)
class Store:
    operand: Operand
    parts: list[e.Expr]
    level: int
    per_row: bool


def leaves(x: e.Expr) -> tuple[e.Expr, ...]:
    """What stands for a symbol after complex numbers are split."""
    return (e.real(x), e.imag(x)) if dtypes.is_complex(x.dtype) else (x,)


def _parts(values: Sequence[e.Expr]) -> list[e.Expr]:
    return [part for parts in split(list(values)) for part in parts]


def _leaves(values: Sequence[e.Expr]) -> list[e.Expr]:
    return [leaf for v in values for leaf in leaves(v)]


@dataclass(eq=False)
class Row:
    """Traces a definition: collects operands, reductions and stores."""

    outputs: list[Operand] = field(default_factory=list)
    inputs: list[Operand] = field(default_factory=list)
    accumulators: list[Accumulator] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)
    ordered: bool = False  # a scan is among them: elements must be taken one after the other
    size: e.Expr = field(default_factory=lambda: e.symbol("row.size", "i64"))
    index: e.Expr = field(default_factory=lambda: e.symbol("row.index", "i32"))
    levels: dict[e.Expr, int] = field(default_factory=dict)
    wide: dict[e.Expr, bool] = field(default_factory=dict)

    def __post_init__(self):
        self._mark(self.size, 0, False)
        self._mark(self.index, 0, True)

    @property
    def operands(self) -> list[Operand]:
        """In the order of the kernel's arguments."""
        return self.outputs + self.inputs

    @property
    def passes(self) -> int:
        levels = [x.level for x in self.accumulators] + [s.level for s in self.stores]
        return 1 + max(levels, default=0)

    # What a definition calls

    def element(self, name: str, dtype: str) -> e.Expr:
        return self._input(name, dtype, "element")

    def per_row(self, name: str, dtype: str) -> e.Expr:
        return self._input(name, dtype, "row")

    def per_column(self, name: str, dtype: str) -> e.Expr:
        return self._input(name, dtype, "column")

    def scalar(self, name: str, dtype: str = "f64") -> e.Expr:
        return self._input(name, dtype, "scalar")

    def reduce(self, reduction: Reduction, *elements: e.Expr):
        """The final state: one expression, or a tuple if the state has several parts."""
        _, result = self._accumulate(reduction, elements)
        return result[0] if len(result) == 1 else result

    def scan(self, reduction: Reduction, *elements: e.Expr):
        """The state at each element, this one included."""
        self.ordered = True
        stepped, _ = self._accumulate(reduction, elements)
        return stepped[0] if len(stepped) == 1 else stepped

    def store(self, name: str, dtype: str, value: e.Expr) -> None:
        """An output: one value per element, or per row if no element is in `value`."""
        level, per_row = self.level(value), not self.is_wide(value)
        operand = Operand(name, dtype, "row" if per_row else "element")
        if operand not in self.outputs:
            self.outputs.append(operand)
        self.stores.append(Store(operand, _parts([value]), level, per_row))

    def keep(self, name: str, dtype: str, value: e.Expr) -> e.Expr:
        """The value for a later pass: from the output `name`, which holds it until its own store,
        or computed again where that would round it."""
        if dtypes.compute_of(dtype) != dtype:
            return value
        self.store(name, dtype, value)
        return self._mark(e.symbol(name, dtype), self.level(value) + 1, True)

    # Bookkeeping

    def _mark(self, symbol: e.Expr, level: int, wide: bool) -> e.Expr:
        for x in (symbol, *leaves(symbol)):
            self.levels[x], self.wide[x] = level, wide
        return symbol

    def _input(self, name: str, dtype: str, kind: str) -> e.Expr:
        self.inputs.append(Operand(name, dtype, kind))
        return self._mark(e.symbol(name, dtype), 0, kind in ("element", "column"))

    def _accumulate(self, reduction: Reduction, elements: Sequence[e.Expr]) -> tuple[State, State]:
        level = max(self.level(x) for x in elements)
        start, k = reduction.start(*elements), len(self.accumulators)

        def symbols(tag: str) -> State:
            return tuple(e.symbol(f"{tag}{k}.{i}", s.dtype) for i, s in enumerate(start))

        state, other, result = symbols("state"), symbols("other"), symbols("result")
        for s, r in zip(state, result, strict=True):
            self._mark(s, level, True)
            self._mark(r, level + 1, False)
        stepped = reduction.step(state, tuple(elements), self.index)
        self.accumulators.append(Accumulator(
            level, _parts(start), _leaves(state), _leaves(other), _leaves(result),
            _parts(stepped), _parts(reduction.merge(state, other)),
        ))  # fmt: skip
        return stepped, result

    def level(self, x: e.Expr) -> int:
        """The first pass in which the value is known."""
        return max((self.levels.get(y, 0) for y in e.topological([x])), default=0)

    def is_wide(self, x: e.Expr) -> bool:
        """Whether it differs from element to element."""
        return any(self.wide.get(y, False) for y in e.topological([x]))


Body = Callable[[Row, str], None]
registry: dict[str, "Rowwise"] = {}


@dataclass(frozen=True)
class Rowwise:
    """A defined row program; one kernel per dtype, named `<name>.<dtype>`."""

    name: str
    body: Body
    dtypes: tuple[str, ...]
    built: tuple[str, ...]  # compiled ahead of time; the others at first use

    def program(self, dtype: str) -> Row:
        row = Row()
        self.body(row, dtype)
        return row


def define(name: str, body: Body, supported: str, built: str | None = None) -> Rowwise:
    """Add a row program to the registry."""
    if name in registry:
        raise ValueError(f"row program {name} is defined twice")
    chosen = dtypes.select(supported)
    ahead = dtypes.select(built) if built is not None else chosen
    made = Rowwise(name, body, chosen, tuple(d for d in ahead if d in chosen))
    registry[name] = made
    return made


def rowwise(supported: str, built: str | None = None) -> Callable[[Body], Rowwise]:
    """Decorator of `define`; `built` are the dtypes compiled ahead of time, by default all."""
    return lambda body: define(body.__name__, body, supported, built)


def names() -> list[str]:
    """The kernels compiled ahead of time."""
    return [f"{p.name}.{d}" for p in registry.values() for d in p.built]


def find(name: str) -> tuple[Rowwise, str] | None:
    """The program and dtype of a kernel name; None if no row program has that name."""
    base, _, dtype = name.rpartition(".")
    found = registry.get(base)
    return (found, dtype) if found and dtype in found.dtypes else None
