"""Pointwise loop programs as LLVM IR functions for CPUs (for GPUs see ptx.py).

The ABI is `void k(int64 n, void* const* data, const int64* strides)`: outputs first, strides in
bytes. The body exists once, for a register full of lanes. An operand is read through a pointer and
a step: a contiguous one advances, a broadcast one (stride 0) stays on a buffer filled with its
value. Short bodies have a loop over single values for the rest and for other strides; long ones
collect such values in the buffers and run the same body on them. For f16/bf16, stride 1 says: one
value, already in f32.
"""

from dataclasses import dataclass, field

from .. import dtypes
from .. import expr as e
from ..loops import Operand, Pointwise
from ..scalar.pairs import split
from ..targets import Target
from .emit import Emitter, vector_type

LONG_BODY = 24  # nodes; above this a second copy of the body costs more than collecting values
BLOCK = 8  # vectors that are collected at a time


@dataclass
class Function:
    """The text of one function and the intrinsics it needs."""

    text: str
    declarations: set[str] = field(default_factory=set)

    def exported(self) -> str:
        """The text of a function that can be looked up by name."""
        return self.text.replace("define hidden", "define", 1)


def lanes_of(program: Pointwise, nodes: list[e.Expr], target: Target) -> int:
    """A register of the widest dtype that memory or computation has (complex: of its parts)."""
    sizes = [dtypes.SIZE[dtypes.real_of(dtypes.compute_of(o.dtype))] for o in program.operands]
    for x in nodes:
        slow = x.op in ("idiv", "irem") and dtypes.SIZE[x.dtype] == 8
        if slow or (x.op == "fmod" and x.dtype == "f64" and not target.fused):
            return 1
    return target.lanes(max(sizes))


class _Lowering:
    """Writes one function. Of operand k: %p pointer, %s stride, %b buffer, %q cursor."""

    def __init__(self, program: Pointwise, target: Target, symbol: str):
        self.program = program
        self.symbol = symbol
        self.results = split(list(program.results))
        self.roots = [part for parts in self.results for part in parts]
        nodes = e.topological(self.roots)
        self.lanes = lanes_of(program, nodes, target)
        self.long = sum(bool(x.args) for x in nodes) > LONG_BODY and self.lanes > 1
        self.lines: list[str] = []
        self.allocas: list[str] = []
        self.declarations: set[str] = set()
        self.emitter = Emitter(self.lines, self.declarations, target.halves, target.fused)
        self.outputs = len(program.outputs)
        self.loops = any(x.op == "loop" for x in nodes)

    def write(self, *lines: str) -> None:
        self.lines += [line if line.endswith(":") else f"  {line}" for line in lines]

    def each(self):
        return enumerate(self.program.operands)

    def size(self, k: int) -> int:
        return dtypes.SIZE[self.program.operands[k].dtype]

    def half(self, k: int) -> bool:
        """Whether the operand may be one f32 value in place of its half type."""
        return k >= self.outputs and self.program.operands[k].dtype in dtypes.HALF

    def function(self) -> Function:
        self.prologue()
        if self.lanes == 1:
            self.write("br label %scalar")
            self.scalar("start", "0")
        elif self.long:
            self.collecting()
        else:
            self.plain()
        self.write("exit:", "ret void")
        head = f"define hidden void @{self.symbol}(i64 %n, ptr %data, ptr %strides) #0 {{"
        entry = ["entry:", *(f"  {a}" for a in self.allocas)]
        return Function("\n".join([head, *entry, *self.lines, "}"]), self.declarations)

    def prologue(self) -> None:
        """Pointers and strides; for vectors also the buffers, and whether all strides suit them."""
        self.write("%some = icmp sgt i64 %n, 0", "br i1 %some, label %start, label %exit")
        self.write("start:")
        for k, _ in self.each():
            self.write(
                f"%dp{k} = getelementptr ptr, ptr %data, i64 {k}",
                f"%p{k} = load ptr, ptr %dp{k}",
                f"%sp{k} = getelementptr i64, ptr %strides, i64 {k}",
                f"%{'t' if self.half(k) else 's'}{k} = load i64, ptr %sp{k}",
            )
            if self.half(k):
                self.write(
                    f"%h{k} = icmp eq i64 %t{k}, 1",
                    f"%s{k} = select i1 %h{k}, i64 0, i64 %t{k}",
                    f"store float 0.0, ptr %w{k}",
                    f"%hp{k} = select i1 %h{k}, ptr %p{k}, ptr %w{k}",
                    f"%x{k} = load float, ptr %hp{k}",
                )
                self.allocas.append(f"%w{k} = alloca float, align 4")
        if self.lanes > 1:
            self.buffers()

    def memory_type(self, k: int, lanes: int) -> str:
        dtype = self.program.operands[k].dtype
        if dtypes.is_complex(dtype):
            return vector_type(dtypes.real_of(dtype), 2 * lanes)
        return vector_type("i8" if dtype == "bool" else dtype, lanes)

    def buffers(self) -> None:
        """%ok: every output is contiguous, every input contiguous or broadcast."""
        suits = []
        for k, _ in self.each():
            self.write(f"%c{k} = icmp eq i64 %s{k}, {self.size(k)}")
            if k < self.outputs:
                suits.append(f"%c{k}")
                if self.long:
                    self.buffer(k)
                continue
            self.splat(k)
            self.write(f"%z{k} = icmp eq i64 %s{k}, 0", f"%cz{k} = or i1 %c{k}, %z{k}")
            suits.append(f"%cz{k}")
        ok = suits[0]
        for i, name in enumerate(suits[1:]):
            self.write(f"%ok{i} = and i1 {ok}, {name}")
            ok = f"%ok{i}"
        self.write(f"%ok = and i1 {ok}, true")
        for k, _ in self.each():
            self.write(f"%step{k} = select i1 %c{k}, i64 {self.size(k) * self.lanes}, i64 0")

    def buffer(self, k: int) -> None:
        vectors = BLOCK if self.long else 1
        wide = self.memory_type(k, self.lanes)
        self.allocas.append(f"%b{k} = alloca [{vectors} x {wide}], align 64")

    def splat(self, k: int) -> None:
        """Fill the operand's buffer with its first value."""
        scalar, wide = self.memory_type(k, 1), self.memory_type(k, self.lanes)
        dtype = self.program.operands[k].dtype
        align = dtypes.SIZE[dtypes.real_of(dtype)]
        count = int(wide[1:].split(" ")[0])
        width = count // self.lanes
        self.buffer(k)
        if self.loops:  # lanes that were never filled must not send a loop on a journey
            whole = f"[{BLOCK if self.long else 1} x {wide}]"
            self.write(f"store {whole} zeroinitializer, ptr %b{k}, align 64")
        self.write(f"%f{k} = load {scalar}, ptr %p{k}, align {align}")
        pattern = ", ".join(f"i32 {j % width}" for j in range(count))
        if width == 1:
            single = f"<1 x {scalar}>"
            self.write(f"%g{k} = insertelement {single} poison, {scalar} %f{k}, i32 0")
        else:
            single = scalar
            self.write(f"%g{k} = freeze {scalar} %f{k}")
        self.write(
            f"%l{k} = shufflevector {single} %g{k}, {single} poison, <{count} x i32> <{pattern}>",
            f"store {wide} %l{k}, ptr %b{k}, align 64",
        )

    def body(self, pointers: list[str], lanes: int) -> None:
        """Load, compute, store, for `lanes` values at the pointers."""
        values: dict[e.Expr, str] = {}
        put = self.emitter
        for k, operand in self.each():
            if k < self.outputs:
                continue
            loaded = put.load(operand.dtype, pointers[k], lanes)
            if self.half(k):
                loaded = [self.or_float(k, loaded[0], lanes)]
            for leaf, value in zip(leaves(operand), loaded, strict=True):
                values[leaf] = value
        names = put.emit(self.roots, values, lanes)
        for k, parts in enumerate(self.results):
            mine, names = names[: len(parts)], names[len(parts) :]
            put.store(self.program.outputs[k].dtype, mine, pointers[k], lanes)

    def or_float(self, k: int, loaded: str, lanes: int) -> str:
        """The f32 value that stands for the whole operand, if there is one."""
        t, value = vector_type("f32", lanes), f"%x{k}"
        if lanes > 1:
            one = self.emitter.put(f"insertelement {t} poison, float {value}, i32 0")
            value = self.emitter.put(
                f"shufflevector {t} {one}, {t} poison, <{lanes} x i32> zeroinitializer"
            )
        return self.emitter.put(f"select i1 %h{k}, {t} {value}, {t} {loaded}")

    def scalar(self, before: str, first: str) -> None:
        """One value at a time, any strides, from index `first`."""
        self.write("scalar:", f"%j = phi i64 [ {first}, %{before} ], [ %j.next, %scalar.end ]")
        pointers = []
        for k, _ in self.each():
            self.write(f"%jo{k} = mul i64 %j, %s{k}")
            self.write(f"%jp{k} = getelementptr i8, ptr %p{k}, i64 %jo{k}")
            pointers.append(f"%jp{k}")
        self.body(pointers, 1)
        self.write("br label %scalar.end", "scalar.end:")
        self.write("%j.next = add nsw i64 %j, 1", "%j.more = icmp slt i64 %j.next, %n")
        self.write("br i1 %j.more, label %scalar, label %exit")

    def plain(self) -> None:
        """Vectors while the strides allow it, then single values."""
        self.write(
            f"%whole = sdiv i64 %n, {self.lanes}",
            "%count = select i1 %ok, i64 %whole, i64 0",
            f"%done = mul i64 %count, {self.lanes}",
            "%any = icmp sgt i64 %count, 0",
            "br i1 %any, label %setup, label %rest",
            "setup:",
        )
        for k, _ in self.each():
            buffer = f"%p{k}" if k < self.outputs else f"%b{k}"
            self.write(f"%base{k} = select i1 %c{k}, ptr %p{k}, ptr {buffer}")
        self.write("br label %vector")
        self.vectors("setup", [f"%base{k}" for k, _ in self.each()], "%count")
        self.write("br i1 %i.more, label %vector, label %rest")
        self.write("rest:", "%left = icmp slt i64 %done, %n")
        self.write("br i1 %left, label %scalar, label %exit")
        self.scalar("rest", "%done")

    def vectors(self, before: str, bases: list[str], count: str, steps: str = "%step") -> None:
        """`count` times the body; ends with %i.more still to be branched on."""
        self.write("vector:", f"%i = phi i64 [ 0, %{before} ], [ %i.next, %vector.end ]")
        pointers = [f"%q{k}" for k, _ in self.each()]
        for k, _ in self.each():
            self.write(f"%q{k} = phi ptr [ {bases[k]}, %{before} ], [ %q{k}.next, %vector.end ]")
        self.body(pointers, self.lanes)
        self.write("br label %vector.end", "vector.end:")
        for k, _ in self.each():
            self.write(f"%q{k}.next = getelementptr i8, ptr %q{k}, i64 {steps}{k}")
        self.write("%i.next = add nsw i64 %i, 1", f"%i.more = icmp slt i64 %i.next, {count}")

    def collecting(self) -> None:
        """Rounds: many vectors in place, or a few of them by way of the buffers."""
        block = BLOCK * self.lanes
        self.write(
            "br label %round",
            "round:",
            "%at = phi i64 [ 0, %start ], [ %at.next, %round.end ]",
            "%left = sub i64 %n, %at",
            f"%full = icmp sge i64 %left, {self.lanes}",
            "%direct = and i1 %full, %ok",
            f"%whole = sdiv i64 %left, {self.lanes}",
            f"%many = icmp sge i64 %left, {block}",
            f"%few = select i1 %many, i64 {block}, i64 %left",
            f"%padded = add i64 %few, {self.lanes - 1}",
            f"%collected = sdiv i64 %padded, {self.lanes}",
            "%count = select i1 %direct, i64 %whole, i64 %collected",
            f"%span = mul i64 %whole, {self.lanes}",
            "%moved = select i1 %direct, i64 %span, i64 %few",
        )
        for k, _ in self.each():
            keep = "%direct" if k < self.outputs else f"%use{k}"
            if k >= self.outputs:
                self.write(f"{keep} = and i1 %direct, %c{k}")
            self.write(
                f"%off{k} = mul i64 %at, %s{k}",
                f"%here{k} = getelementptr i8, ptr %p{k}, i64 %off{k}",
                f"%base{k} = select i1 {keep}, ptr %here{k}, ptr %b{k}",
                f"%stride{k} = select i1 %direct, i64 %step{k}, i64 {self.size(k) * self.lanes}",
            )
        self.write("br i1 %direct, label %run, label %collect0")
        self.copies("collect", range(self.outputs, len(self.program.operands)), "run", into=True)
        self.write("run:", "br label %vector")
        self.vectors("run", [f"%base{k}" for k, _ in self.each()], "%count", "%stride")
        self.write("br i1 %i.more, label %vector, label %ran")
        self.write("ran:", "br i1 %direct, label %round.end, label %scatter0")
        self.copies("scatter", range(self.outputs), "round.end", into=False)
        self.write(
            "round.end:",
            "%at.next = add nsw i64 %at, %moved",
            "%again = icmp slt i64 %at.next, %n",
            "br i1 %again, label %round, label %exit",
        )

    def copies(self, label: str, operands: range, after: str, into: bool) -> None:
        """Loops that copy %few values between each operand and its buffer."""
        if not operands:
            self.write(f"{label}0:", f"br label %{after}")
        for place, k in enumerate(operands):
            here, pre = f"{label}{place}", f"%{label[0]}{k}"
            t = f"i{8 * self.size(k)}"
            align = dtypes.SIZE[dtypes.real_of(self.program.operands[k].dtype)]
            source, target = (f"{pre}m", f"{pre}b") if into else (f"{pre}b", f"{pre}m")
            done = after if place == len(operands) - 1 else f"{label}{place + 1}"
            self.write(
                f"{here}:",
                f"br label %{here}.loop",
                f"{here}.loop:",
                f"{pre}j = phi i64 [ 0, %{here} ], [ {pre}n, %{here}.loop ]",
                f"{pre}o = mul i64 {pre}j, %s{k}",
                f"{pre}m = getelementptr i8, ptr %here{k}, i64 {pre}o",
                f"{pre}b = getelementptr {t}, ptr %b{k}, i64 {pre}j",
                f"{pre}v = load {t}, ptr {source}, align {align}",
                f"store {t} {pre}v, ptr {target}, align {align}",
                f"{pre}n = add nsw i64 {pre}j, 1",
                f"{pre}l = icmp slt i64 {pre}n, %few",
                f"br i1 {pre}l, label %{here}.loop, label %{done}",
            )


def leaves(operand: Operand) -> tuple[e.Expr, ...]:
    """What stands in an expression for the loaded value(s)."""
    x = e.symbol(operand.name, operand.dtype)
    return (e.real(x), e.imag(x)) if dtypes.is_complex(x.dtype) else (x,)


def lower(program: Pointwise, target: Target, symbol: str) -> Function:
    """The program as a function named `symbol`."""
    return _Lowering(program, target, symbol).function()
