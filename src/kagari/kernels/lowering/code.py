"""Instructions with structured control flow, stack slots, and memory with masked lanes.

What is computed is left to sweep.py.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from .. import dtypes
from ..targets import Target
from .emit import Emitter, vector_type


def memory_type(dtype: str, lanes: int) -> str:
    if dtypes.is_complex(dtype):
        return vector_type(dtypes.real_of(dtype), 2 * lanes)
    return vector_type("i8" if dtype == "bool" else dtype, lanes)


class Code:
    """Instructions with structured control flow."""

    def __init__(self, target: Target):
        self.lines: list[str] = []
        self.entry: list[str] = []
        self.declarations: set[str] = set()
        self.register = target.register
        self.emitter = Emitter(self.lines, self.declarations, target.halves)
        self.put = self.emitter.put
        self._labels = 0

    def say(self, *lines: str) -> None:
        self.lines += [line if line.endswith(":") else f"  {line}" for line in lines]

    def label(self) -> str:
        self._labels += 1
        return f"l{self._labels}"

    def slot(self, type_: str, align: int = 64) -> str:
        """Stack memory of the function."""
        name = f"%slot{len(self.entry)}"
        self.entry.append(f"  {name} = alloca {type_}, align {align}")
        return name

    def at(self, pointer: str, offset: str) -> str:
        return self.put(f"getelementptr i8, ptr {pointer}, i64 {offset}")

    def op(self, name: str, a: str, b: str | int) -> str:
        """64-bit integer arithmetic."""
        return self.put(f"{name} i64 {a}, {b}")

    @contextmanager
    def loop(self, start: str, stop: str, step: int = 1) -> Iterator[str]:
        """Index from start below stop."""
        counter = self.slot("i64", 8)
        body, done = self.label(), self.label()
        self.say(f"store i64 {start}, ptr {counter}")
        some = self.put(f"icmp slt i64 {start}, {stop}")
        self.say(f"br i1 {some}, label %{body}, label %{done}", f"{body}:")
        index = self.put(f"load i64, ptr {counter}")
        yield index
        following = self.op("add nsw", index, step)
        self.say(f"store i64 {following}, ptr {counter}")
        more = self.put(f"icmp slt i64 {following}, {stop}")
        self.say(f"br i1 {more}, label %{body}, label %{done}", f"{done}:")

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        body, done = self.label(), self.label()
        self.say(f"br i1 {condition}, label %{body}, label %{done}", f"{body}:")
        yield
        self.say(f"br label %{done}", f"{done}:")

    def all(self, conditions: Iterable[str]) -> str:
        found = "true"
        for c in conditions:
            found = self.put(f"and i1 {found}, {c}")
        return found

    # Lanes past the end are neither read nor written

    def masks(self, dtype: str) -> bool:
        """Whether the machine has masked loads of this dtype: AVX2 of 4 and 8 bytes, AVX-512."""
        if dtypes.is_complex(dtype):
            return False
        return self.register >= 64 or (self.register == 32 and dtypes.SIZE[dtype] >= 4)

    def masked_load(self, dtype: str, pointer: str, mask: str, lanes: int) -> list[str]:
        t, name = self._masked("load", dtype, lanes)
        self.declarations.add(f"declare {t} @{name}(ptr, i32 immarg, <{lanes} x i1>, {t})")
        align = dtypes.SIZE[dtype]
        raw = self.put(
            f"call {t} @{name}(ptr {pointer}, i32 {align}, <{lanes} x i1> {mask}, "
            f"{t} zeroinitializer)"
        )
        self.emitter.lanes = lanes
        return [self.emitter.unpack(dtype, raw)]

    def masked_store(self, dtype: str, value: str, pointer: str, mask: str, lanes: int) -> None:
        t, name = self._masked("store", dtype, lanes)
        self.declarations.add(f"declare void @{name}({t}, ptr, i32 immarg, <{lanes} x i1>)")
        self.emitter.lanes = lanes
        raw = self.emitter.pack(dtype, value)
        align = dtypes.SIZE[dtype]
        self.say(f"call void @{name}({t} {raw}, ptr {pointer}, i32 {align}, <{lanes} x i1> {mask})")

    def _masked(self, op: str, dtype: str, lanes: int) -> tuple[str, str]:
        t = memory_type(dtype, lanes)
        element = t.split(" x ")[1].rstrip(">")
        suffix = {"float": "f32", "double": "f64", "half": "f16"}.get(element, element)
        return t, f"llvm.masked.{op}.v{lanes}{suffix}.p0"
