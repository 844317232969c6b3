"""Row programs as LLVM IR functions for CPUs.

The ABI is `void k(int64 n, void* const* data, const int64* strides)`: n rows, outputs first;
strides[0] is the size of a row, then each operand has two in bytes: from row to row and along the
row. One function walks in one of two ways. Along: lanes are neighbours in a row; contiguous rows
are read in place, others are collected in buffers. Across: lanes are rows, for operands in which
rows are neighbours (a column-wise reduction). Lanes past the end are masked out of the
accumulators. Counters and accumulators are stack slots, which LLVM turns into registers.
"""

from collections.abc import Callable

from .. import dtypes
from .. import expr as e
from ..rowwise import Accumulator, Operand, Row, Store, leaves
from ..targets import Target
from .code import Code, memory_type
from .emit import literal, scalar_type, vector_type
from .pointwise import Function

LIGHT = 14  # nodes of a pass up to which it is unrolled
UNROLL = 4
ACROSS_BYTES = 4096  # of accumulators that one group of rows has, in a program of one pass

Values = dict[e.Expr, str]


class Pass:
    """What one pass over the elements does, and which row values it needs."""

    def __init__(self, row: Row, level: int):
        self.accumulators = [a for a in row.accumulators if a.level == level]
        self.stores = [s for s in row.stores if s.level == level and not s.per_row]
        roots = [x for a in self.accumulators for x in a.step]
        roots += [x for s in self.stores for x in s.parts]
        nodes = e.topological(roots)
        wide: dict[e.Expr, bool] = {}
        for x in nodes:
            wide[x] = row.wide.get(x, False) or any(wide[a] for a in x.args)
        used = {a for x in nodes if wide[x] for a in x.args} | set(roots)
        hoisted = [x for x in nodes if x in used and not wide[x] and x.op != "const"]
        # Row values are computed once per row; in the loop each is a symbol.
        self.hoisted = {x: e.symbol(f"hoisted{i}", x.dtype) for i, x in enumerate(hoisted)}
        self.roots = e.substitute(roots, self.hoisted)
        nodes = e.topological(self.roots)
        self.present = present = set(nodes)
        self.reads = [
            o for o in row.operands if o.kind in ("element", "column")
            and any(leaf in present for leaf in leaves(e.symbol(o.name, o.dtype)))
        ]  # fmt: skip
        size = sum(bool(x.args) for x in nodes)
        self.light = size <= LIGHT and bool(self.accumulators) and not self.stores
        self.sizes = [dtypes.SIZE[x.dtype] for x in nodes if x.op != "const" and x.dtype != "bool"]
        self.sizes += [dtypes.SIZE[dtypes.real_of(dtypes.compute_of(o.dtype))] for o in self.reads]


class _Lowering:
    def __init__(self, row: Row, target: Target, symbol: str):
        self.row = row
        self.symbol = symbol
        self.target = target
        self.code = Code(target)
        self.passes = [Pass(row, level) for level in range(row.passes)]
        self.lanes = min(64, target.lanes(max(s for p in self.passes for s in [*p.sizes, 1])))
        self.number = {o.name: k for k, o in enumerate(row.operands)}
        self.uniform: Values = {}
        self.rest_mask = ""  # of the last, partial vector of rows
        self._arrays: dict[tuple, str] = {}

    def function(self) -> Function:
        code = self.code
        self.prologue()
        across = self.row_stride_is_unit()
        along = self.place_stride_is_unit()
        if self.lanes == 1:
            self.along(along)
        else:
            narrow = code.put(f"icmp slt i64 %n, {self.lanes // 2}")
            across = code.all([across, code.put(f"xor i1 {along}, true"),
                               code.put(f"xor i1 {narrow}, true")])  # fmt: skip
            by_rows, by_lanes = code.label(), code.label()
            code.say(f"br i1 {across}, label %{by_lanes}, label %{by_rows}", f"{by_lanes}:")
            self.across()
            code.say("br label %exit", f"{by_rows}:")
            self.along(along)
        code.say("br label %exit", "exit:", "ret void")
        head = f"define hidden void @{self.symbol}(i64 %n, ptr %data, ptr %strides) #0 {{"
        return Function("\n".join([head, "entry:", *code.entry, *code.lines, "}"]),
                        code.declarations)  # fmt: skip

    # Arguments

    def prologue(self) -> None:
        code = self.code
        code.say("%some = icmp sgt i64 %n, 0", "br i1 %some, label %start, label %exit", "start:")
        code.say("%m = load i64, ptr %strides")
        self.uniform[self.row.size] = "%m"
        for k, o in enumerate(self.row.operands):
            code.say(
                f"%dp{k} = getelementptr ptr, ptr %data, i64 {k}",
                f"%p{k} = load ptr, ptr %dp{k}",
                f"%op{k} = getelementptr i64, ptr %strides, i64 {1 + 2 * k}",
                f"%o{k} = load i64, ptr %op{k}",
                f"%ip{k} = getelementptr i64, ptr %strides, i64 {2 + 2 * k}",
                f"%s{k} = load i64, ptr %ip{k}",
            )
            if o.kind == "scalar":
                self.bind(self.uniform, o, f"%p{k}", 1)

    def bind(self, values: Values, o: Operand, pointer: str, lanes: int) -> None:
        """Load an operand."""
        loaded = self.code.emitter.load(o.dtype, pointer, lanes)
        values.update(zip(leaves(e.symbol(o.name, o.dtype)), loaded, strict=True))

    def _unit(self, stride: str, kinds: tuple[str, ...]) -> str:
        code = self.code
        return code.all(
            code.put(f"icmp eq i64 %{stride}{k}, {dtypes.SIZE[o.dtype]}")
            for k, o in enumerate(self.row.operands)
            if o.kind in kinds
        )

    def place_stride_is_unit(self) -> str:
        return self._unit("s", ("element", "column"))

    def row_stride_is_unit(self) -> str:
        return self._unit("o", ("element", "row"))

    def emit(self, roots: list[e.Expr], values: Values, lanes: int) -> list[str]:
        return self.code.emitter.emit(roots, values, lanes)

    def splat(self, value: str, dtype: str, lanes: int) -> str:
        if lanes == 1:
            return value
        t = vector_type(dtype, lanes)
        if value[0] != "%":
            return f"splat ({scalar_type(dtype)} {value})"
        one = self.code.put(f"insertelement {t} poison, {scalar_type(dtype)} {value}, i32 0")
        return self.shuffle(t, one, [0] * lanes)

    def shuffle(self, t: str, value: str, order: list[int]) -> str:
        mask = f"<{len(order)} x i32> <{', '.join(f'i32 {i}' for i in order)}>"
        return self.code.put(f"shufflevector {t} {value}, {t} poison, {mask}")

    def buffer(self, o: Operand) -> str:
        key = ("buffer", o.name)
        if key not in self._arrays:
            self._arrays[key] = self.code.slot(memory_type(o.dtype, self.lanes))
        return self._arrays[key]

    def copy(self, o: Operand, memory: str, stride: str, count: str, into: bool) -> None:
        """`count` values between strided memory and the operand's buffer."""
        code, size = self.code, dtypes.SIZE[o.dtype]
        t, align = f"i{8 * size}", dtypes.SIZE[dtypes.real_of(o.dtype)]
        buffer = self.buffer(o)
        with code.loop("0", count) as lane:
            outside = code.at(memory, code.op("mul", lane, stride))
            inside = code.at(buffer, code.op("mul", lane, size))
            source, target = (outside, inside) if into else (inside, outside)
            value = code.put(f"load {t}, ptr {source}, align {align}")
            code.say(f"store {t} {value}, ptr {target}, align {align}")

    def index_vector(self, first: str, lanes: int) -> str:
        """first, first + 1, ... as the row's index dtype."""
        code = self.code
        low = code.put(f"trunc i64 {first} to i32")
        if lanes == 1:
            return low
        t = f"<{lanes} x i32>"
        count = f"<{', '.join(f'i32 {i}' for i in range(lanes))}>"
        return code.put(f"add {t} {self.splat(low, 'i32', lanes)}, {count}")

    # Along the row

    def along(self, unit: str) -> None:
        code, w = self.code, 1 if self.row.ordered else self.lanes
        count = code.op("sdiv", "%m", w)
        vectors = code.put(f"select i1 {unit}, i64 {count}, i64 0")
        with code.loop("0", "%n") as i:
            bases = {}
            values = dict(self.uniform)
            for k, o in enumerate(self.row.operands):
                start = f"%p{k}"
                if o.kind in ("element", "row"):
                    start = code.at(start, code.op("mul", i, f"%o{k}"))
                bases[o.name] = start
                if o.kind == "row" and o in self.row.inputs:
                    self.bind(values, o, start, 1)
            for one in self.passes:
                self.pass_along(one, bases, values, unit, vectors, w)
            for s in (s for s in self.row.stores if s.per_row):
                parts = self.emit(s.parts, values, 1)
                code.emitter.store(s.operand.dtype, parts, bases[s.operand.name], 1)

    def pass_along(
        self, one: Pass, bases: dict, values: Values, unit: str, vectors: str, w: int
    ) -> None:
        if not one.accumulators and not one.stores:
            return
        hoisted = self.emit(list(one.hoisted), values, 1)
        wide = {
            x: self.splat(v, x.dtype, w) for x, v in zip(one.hoisted.values(), hoisted, strict=True)
        }
        states = self.start(one, w, UNROLL if one.light and w > 1 else 1)
        if w == 1:
            with self.code.loop("0", "%m") as j:
                self.body_along(one, bases, wide, states[0], j, 1)
            self.finish(one, values, states[0], 1)
            return
        done = self.direct(one, bases, wide, states, vectors)
        operands = [*one.reads, *(s.operand for s in one.stores)]
        if all(self.code.masks(o.dtype) for o in operands):
            code = self.code
            with code.when(code.all([unit, code.put(f"icmp slt i64 {done}, %m")])):
                self.masked(one, bases, wide, states[0], done)
            done = code.put(f"select i1 {unit}, i64 %m, i64 0")
        with self.code.loop(done, "%m", w) as j:
            self.collected(one, bases, wide, states[0], j)
        self.finish(one, values, states[0], w)

    def start(self, one: Pass, lanes: int, copies: int) -> list[dict[e.Expr, str]]:
        """Slots with the initial state, by the symbol of the state."""
        made = []
        for _ in range(copies):
            slots = {}
            for a in one.accumulators:
                for symbol, start in zip(a.state, a.start, strict=True):
                    t = vector_type(symbol.dtype, lanes)
                    slots[symbol] = self.code.slot(t)
                    value = literal(start.data, symbol.dtype, lanes)
                    self.code.say(f"store {t} {value}, ptr {slots[symbol]}")
            made.append(slots)
        return made

    def direct(self, one: Pass, bases, wide: Values, states, vectors: str) -> str:
        """Whole vectors in place; returns the first index that is left."""
        code, w, copies = self.code, self.lanes, len(states)
        groups = "0"
        if copies > 1:
            groups = code.op("sdiv", vectors, copies)
            with code.loop("0", groups) as g:
                first = code.op("mul", g, w * copies)
                for c, slots in enumerate(states):
                    self.body_along(one, bases, wide, slots, code.op("add", first, c * w), w)
            with code.when(code.put(f"icmp sgt i64 {groups}, 0")):
                self.gather_copies(one, states)
            groups = code.op("mul", groups, copies)
        with code.loop(groups, vectors) as v:
            self.body_along(one, bases, wide, states[0], code.op("mul", v, w), w)
        return code.op("mul", vectors, w)

    def gather_copies(self, one: Pass, states) -> None:
        step = 1
        while step < len(states):
            for c in range(0, len(states), 2 * step):
                self.merge_slots(one, states[c], states[c + step])
            step *= 2

    def merge_slots(self, one: Pass, target: dict, source: dict) -> None:
        for a in one.accumulators:
            values = self.read(a.state, target, self.lanes)
            others = self.read(a.state, source, self.lanes)
            values.update(zip(a.other, others.values(), strict=True))
            self.write_state(a, self.emit(a.merge, values, self.lanes), target, self.lanes)

    def read(self, symbols: list[e.Expr], slots: dict, lanes: int) -> Values:
        return {
            s: self.code.put(f"load {vector_type(s.dtype, lanes)}, ptr {slots[s]}") for s in symbols
        }

    def write_state(self, a: Accumulator, parts: list[str], slots: dict, lanes: int) -> None:
        for s, part in zip(a.state, parts, strict=True):
            self.code.say(f"store {vector_type(s.dtype, lanes)} {part}, ptr {slots[s]}")

    def pointers_along(self, one: Pass, bases: dict, j: str) -> dict[str, str]:
        found = {}
        for o in [*one.reads, *(s.operand for s in one.stores)]:
            offset = self.code.op("mul", j, f"%s{self.number[o.name]}")
            found[o.name] = self.code.at(bases[o.name], offset)
        return found

    def body_along(self, one: Pass, bases, wide: Values, slots, j: str, lanes: int) -> None:
        values = dict(wide)
        pointers = self.pointers_along(one, bases, j)
        for o in one.reads:
            self.bind(values, o, pointers[o.name], lanes)
        if self.row.index in one.present:
            values[self.row.index] = self.index_vector(j, lanes)
        self.compute(one, values, slots, lanes, pointers)

    def compute(
        self, one: Pass, values: Values, slots, lanes: int, pointers: dict, mask: str | None = None,
        in_place: bool = False,
    ) -> None:  # fmt: skip
        """The arithmetic of the pass: new states into the slots, results to the pointers. `mask`:
        the lanes that count; `in_place`: and are written."""
        for a in one.accumulators:
            values.update(self.read(a.state, slots, lanes))
        parts = self.emit(one.roots, values, lanes)
        for a in one.accumulators:
            mine, parts = parts[: len(a.step)], parts[len(a.step) :]
            if mask is not None:
                mine = [
                    self.code.emitter.select(mask, s.dtype, p, values[s])
                    for s, p in zip(a.state, mine, strict=True)
                ]
            self.write_state(a, mine, slots, lanes)
        for s in one.stores:
            mine, parts = parts[: len(s.parts)], parts[len(s.parts) :]
            o, pointer = s.operand, pointers[s.operand.name]
            if mask is not None and in_place:
                self.code.masked_store(o.dtype, mine[0], pointer, mask, lanes)
            else:
                self.code.emitter.store(o.dtype, mine, pointer, lanes)

    def first_lanes(self, count: str) -> str:
        """The mask of the first `count` lanes."""
        limit = self.splat(self.code.put(f"trunc i64 {count} to i32"), "i32", self.lanes)
        lanes = self.index_vector("0", self.lanes)
        return self.code.put(f"icmp slt <{self.lanes} x i32> {lanes}, {limit}")

    def masked(self, one: Pass, bases, wide: Values, slots, j: str) -> None:
        """The last, partial vector of a contiguous row, in place."""
        code, w = self.code, self.lanes
        mask = self.first_lanes(code.op("sub", "%m", j))
        pointers = self.pointers_along(one, bases, j)
        values = dict(wide)
        for o in one.reads:
            loaded = code.masked_load(o.dtype, pointers[o.name], mask, w)
            values.update(zip(leaves(e.symbol(o.name, o.dtype)), loaded, strict=True))
        if self.row.index in one.present:
            values[self.row.index] = self.index_vector(j, w)
        self.compute(one, values, slots, w, pointers, mask, in_place=True)

    def collected(self, one: Pass, bases, wide: Values, slots, j: str) -> None:
        """Up to a vector of values by way of the buffers."""
        code, w = self.code, self.lanes
        left = code.op("sub", "%m", j)
        count = code.put(f"select i1 {code.put(f'icmp slt i64 {left}, {w}')}, i64 {left}, i64 {w}")
        pointers = self.pointers_along(one, bases, j)
        values = dict(wide)
        for o in one.reads:
            self.copy(o, pointers[o.name], f"%s{self.number[o.name]}", count, into=True)
            self.bind(values, o, self.buffer(o), w)
        if self.row.index in one.present:
            values[self.row.index] = self.index_vector(j, w)
        buffers = {s.operand.name: self.buffer(s.operand) for s in one.stores}
        self.compute(one, values, slots, w, buffers, self.first_lanes(count))
        for s in one.stores:
            o = s.operand
            self.copy(o, pointers[o.name], f"%s{self.number[o.name]}", count, into=False)

    def finish(self, one: Pass, values: Values, slots, lanes: int) -> None:
        """Lanes are merged by halves; the results are row values."""
        for a in one.accumulators:
            state = self.read(a.state, slots, lanes)
            half = lanes // 2
            while half:
                both = dict(state)
                for s, o in zip(a.state, a.other, strict=True):
                    order = [*range(half, lanes), *range(half)]
                    both[o] = self.shuffle(vector_type(s.dtype, lanes), state[s], order)
                state = dict(zip(a.state, self.emit(a.merge, both, lanes), strict=True))
                half //= 2
            for s, r in zip(a.state, a.result, strict=True):
                t = vector_type(s.dtype, lanes)
                values[r] = (
                    self.code.put(f"extractelement {t} {state[s]}, i32 0")
                    if lanes > 1
                    else state[s]
                )

    # Across rows

    def across(self) -> None:
        code, w = self.code, self.lanes
        group = 4
        if len(self.passes) == 1:
            widest = max((dtypes.SIZE[s.dtype] for a in self.row.accumulators for s in a.state),
                         default=4)  # fmt: skip
            group = max(4, ACROSS_BYTES // (w * widest))
        self.group = group
        whole = code.op("mul", code.op("sdiv", "%n", w), w)
        with code.loop("0", whole, group * w) as i:
            left = code.op("sdiv", code.op("sub", whole, i), w)
            few = code.put(f"icmp slt i64 {left}, {group}")
            self.group_across(i, code.put(f"select i1 {few}, i64 {left}, i64 {group}"), None)
        rest = code.op("sub", "%n", whole)
        with code.when(code.put(f"icmp sgt i64 {rest}, 0")):
            self.rest_mask = self.first_lanes(rest)
            self.group_across(whole, "1", rest)

    def array(self, key: tuple, dtype: str) -> str:
        """One vector per place in the group."""
        if key not in self._arrays:
            t = "i8" if dtype == "bool" else scalar_type(dtype)
            self._arrays[key] = self.code.slot(f"[{self.group * self.lanes} x {t}]")
        return self._arrays[key]

    def place(self, key: tuple, dtype: str, v: str) -> str:
        size = self.lanes * (1 if dtype == "bool" else dtypes.SIZE[dtype])
        return self.code.at(self.array(key, dtype), self.code.op("mul", v, size))

    def get(self, key: tuple, dtype: str, v: str) -> str:
        return self.code.emitter.load(dtype, self.place(key, dtype, v), self.lanes)[0]

    def set(self, key: tuple, dtype: str, v: str, value: str) -> None:
        self.code.emitter.store(dtype, [value], self.place(key, dtype, v), self.lanes)

    def group_across(self, first: str, vectors: str, rest: str | None) -> None:
        """`vectors` vectors of rows from `first` on; `rest`: one vector with so many rows."""
        for one in self.passes:
            if one.accumulators or one.stores:
                self.pass_across(one, first, vectors, rest)
        stores = [s for s in self.row.stores if s.per_row]
        if stores:
            with self.code.loop("0", vectors) as v:
                values = self.row_values(first, v, rest)
                for s in stores:
                    parts = self.emit(s.parts, values, self.lanes)
                    self.put_across(s, parts, self.row_pointer(s.operand, first, v), rest)

    def put_across(self, s: Store, parts: list[str], pointer: str, rest: str | None) -> None:
        o = s.operand
        if rest is not None and self.code.masks(o.dtype):
            self.code.masked_store(o.dtype, parts[0], pointer, self.rest_mask, self.lanes)
            return
        target = pointer if rest is None else self.buffer(o)
        self.code.emitter.store(o.dtype, parts, target, self.lanes)
        if rest is not None:
            self.copy(o, pointer, str(dtypes.SIZE[o.dtype]), rest, into=False)

    def row_pointer(self, o: Operand, first: str, v: str) -> str:
        row = self.code.op("add", first, self.code.op("mul", v, self.lanes))
        offset = self.code.op("mul", row, dtypes.SIZE[o.dtype])
        return self.code.at(f"%p{self.number[o.name]}", offset)

    def fetch(self, values: Values, o: Operand, pointer: str, rest: str | None) -> None:
        if rest is not None and self.code.masks(o.dtype):
            loaded = self.code.masked_load(o.dtype, pointer, self.rest_mask, self.lanes)
            values.update(zip(leaves(e.symbol(o.name, o.dtype)), loaded, strict=True))
            return
        if rest is not None:
            self.copy(o, pointer, str(dtypes.SIZE[o.dtype]), rest, into=True)
            pointer = self.buffer(o)
        self.bind(values, o, pointer, self.lanes)

    def spread(self) -> Values:
        dtype = {leaf: leaf.dtype for leaf in self.uniform}
        return {x: self.splat(v, dtype[x], self.lanes) for x, v in self.uniform.items()}

    def row_values(self, first: str, v: str, rest: str | None) -> Values:
        """Everything known of the rows of one vector: scalars, row operands, results so far."""
        values = self.spread()
        for o in self.row.inputs:
            if o.kind == "row":
                self.fetch(values, o, self.row_pointer(o, first, v), rest)
        for a in self.row.accumulators:
            for s, r in zip(a.state, a.result, strict=True):
                if ("state", s) in self._arrays:
                    values[r] = self.get(("state", s), s.dtype, v)
        return values

    def pass_across(self, one: Pass, first: str, vectors: str, rest: str | None) -> None:
        code = self.code
        with code.loop("0", vectors) as v:
            if one.hoisted:
                values = self.row_values(first, v, rest)
                found = self.emit(list(one.hoisted), values, self.lanes)
                for x, value in zip(one.hoisted.values(), found, strict=True):
                    self.set(("hoisted", x), x.dtype, v, value)
            for a in one.accumulators:
                for s, start in zip(a.state, a.start, strict=True):
                    value = literal(start.data, s.dtype, self.lanes)
                    self.set(("state", s), s.dtype, v, value)
        unrolled = "0"
        if one.light and rest is None:
            unrolled = code.op("mul", code.op("sdiv", "%m", UNROLL), UNROLL)
            with code.loop("0", unrolled, UNROLL) as j:
                places = [j, *(code.op("add", j, c) for c in range(1, UNROLL))]
                self.places_across(one, places, first, vectors, rest)
        with code.loop(unrolled, "%m") as j:
            self.places_across(one, [j], first, vectors, rest)

    def places_across(self, one: Pass, places, first: str, vectors: str, rest) -> None:
        """The elements at some places of every row of the group."""
        code = self.code
        columns = [self.column_values(one, j) for j in places]
        offsets = [
            {
                o.name: code.op("mul", j, f"%s{self.number[o.name]}")
                for o in [*one.reads, *(s.operand for s in one.stores)]
            }
            for j in places
        ]
        with code.loop("0", vectors) as v:
            slots = {
                s: self.place(("state", s), s.dtype, v) for a in one.accumulators for s in a.state
            }
            state = {s: self.get(("state", s), s.dtype, v) for s in slots}
            fixed = {x: self.get(("hoisted", x), x.dtype, v) for x in one.hoisted.values()}
            for column, offset in zip(columns, offsets, strict=True):
                values = {**fixed, **column, **state}
                state = self.element_across(one, values, offset, first, v, rest)
            for s, value in state.items():
                code.emitter.store(s.dtype, [value], slots[s], self.lanes)

    def column_values(self, one: Pass, j: str) -> Values:
        code, values = self.code, {}
        for o in one.reads:
            if o.kind == "column":
                k = self.number[o.name]
                scalar: Values = {}
                self.bind(scalar, o, code.at(f"%p{k}", code.op("mul", j, f"%s{k}")), 1)
                values.update({x: self.splat(v, x.dtype, self.lanes) for x, v in scalar.items()})
        if self.row.index in one.present:
            values[self.row.index] = self.splat(self.index_vector(j, 1), "i32", self.lanes)
        return values

    def element_across(self, one: Pass, values: Values, offset, first, v, rest) -> Values:
        """One element of each row of a vector; the new state."""
        for o in one.reads:
            if o.kind == "element":
                pointer = self.code.at(self.row_pointer(o, first, v), offset[o.name])
                self.fetch(values, o, pointer, rest)
        parts = self.emit(one.roots, values, self.lanes)
        state: Values = {}
        for a in one.accumulators:
            mine, parts = parts[: len(a.step)], parts[len(a.step) :]
            state.update(zip(a.state, mine, strict=True))
        for s in one.stores:
            mine, parts = parts[: len(s.parts)], parts[len(s.parts) :]
            pointer = self.code.at(self.row_pointer(s.operand, first, v), offset[s.operand.name])
            self.put_across(s, mine, pointer, rest)
        return state


def lower(row: Row, target: Target, symbol: str) -> Function:
    """The program as a function named `symbol`."""
    return _Lowering(row, target, symbol).function()


Lower = Callable[[Row, Target, str], Function]
