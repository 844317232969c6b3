"""LLVM IR text for scalar expressions, for one value or for a vector of lanes.

Where the operands come from and where results go is left to pointwise.py and sweep.py. The machine
may be told to do without half-precision instructions (x86-64-v2): conversions are then integer
arithmetic.
"""

import struct

from .. import dtypes
from .. import expr as e

_SCALAR = {
    "bool": "i1", "u8": "i8", "i8": "i8", "i16": "i16", "u16": "i16", "i32": "i32", "u32": "i32",
    "i64": "i64", "u64": "i64", "f16": "half", "bf16": "i16", "f32": "float", "f64": "double",
}  # fmt: skip
_FLOAT_OP = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv", "fmod": "frem"}
_INT_OP = {"add": "add", "sub": "sub", "mul": "mul", "and": "and", "or": "or", "xor": "xor"}
_UNARY_INTRINSIC = ("sqrt", "floor", "ceil", "trunc", "rint")


def scalar_type(dtype: str) -> str:
    return _SCALAR[dtype]


def vector_type(dtype: str, lanes: int) -> str:
    scalar = _SCALAR[dtype]
    return scalar if lanes == 1 else f"<{lanes} x {scalar}>"


def literal(value, dtype: str, lanes: int = 1) -> str:
    """A constant in IR: floats by their bits, the same in every lane."""
    if dtypes.is_floating(dtype):
        text = f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
    elif dtype == "bool":
        text = "true" if value else "false"
    else:
        text = str(int(value))
    return text if lanes == 1 else f"splat ({_SCALAR[dtype]} {text})"


def _usual_operands(x: e.Expr) -> tuple[e.Expr, ...]:
    """What has to be known before a node is emitted."""
    return (x.args[0], x.args[2]) if x.op == "rare" else x.args


class Emitter:
    """Appends instructions to `lines`; `declarations` collects the intrinsics that were used."""

    def __init__(
        self, lines: list[str], declarations: set[str], halves: bool = True, fused: bool = False
    ):
        self.lines = lines
        self.declarations = declarations
        self.halves = halves
        self.fused = fused
        self.lanes = 1
        self.count = 0

    def name(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def put(self, text: str) -> str:
        name = self.name()
        self.lines.append(f"  {name} = {text}")
        return name

    def type(self, dtype: str) -> str:
        return vector_type(dtype, self.lanes)

    def literal(self, value, dtype: str) -> str:
        return literal(value, dtype, self.lanes)

    def intrinsic(self, name: str, dtype: str, *args: str, extra: str = "") -> str:
        t = self.type(dtype)
        suffix = ("" if self.lanes == 1 else f"v{self.lanes}") + (
            dtype if dtypes.is_floating(dtype) else f"i{dtypes.bits(dtype)}"
        )
        full = f"@llvm.{name}.{suffix}"
        kinds = ", ".join([t] * len(args) + (["i1"] if extra else []))
        self.declarations.add(f"declare {t} {full}({kinds})")
        passed = ", ".join([f"{t} {a}" for a in args] + ([extra] if extra else []))
        return self.put(f"call {t} {full}({passed})")

    def select(self, condition: str, dtype: str, a: str, b: str) -> str:
        t = self.type(dtype)
        return self.put(f"select {self.type('bool')} {condition}, {t} {a}, {t} {b}")

    def compare(self, op: str, dtype: str, a: str, b: str) -> str:
        if dtypes.is_floating(dtype):
            code = "fcmp " + ("une" if op == "ne" else f"o{op}")
        elif op in ("eq", "ne"):
            code = f"icmp {op}"
        else:
            code = f"icmp {'u' if dtypes.is_unsigned(dtype) else 's'}{op}"
        return self.put(f"{code} {self.type(dtype)} {a}, {b}")

    def emit(self, roots: list[e.Expr], values: dict[e.Expr, str], lanes: int) -> list[str]:
        """Instructions for the roots; `values` has the leaves and gains all nodes."""
        self.lanes = lanes
        order = e.topological(roots, _usual_operands)
        for x in order:
            if x in values or x.op == "input":
                continue
            if x.op == "rare":
                self.rare([y for y in order if y.op == "rare" and y.args[0] is x.args[0]], values)
                continue
            if x.op == "loop":
                self.loop(x, values)
                continue
            args = [values[a] for a in x.args if a in values]
            values[x] = self.node(x, args)
        return [values[root] for root in roots]

    def any(self, condition: str) -> str:
        """Whether the condition holds in some lane."""
        if self.lanes == 1:
            return condition
        bits = self.put(f"bitcast {self.type('bool')} {condition} to i{self.lanes}")
        return self.put(f"icmp ne i{self.lanes} {bits}, 0")

    def loop(self, x: e.Expr, values: dict[e.Expr, str]) -> None:
        """Until no lane goes on; gives all results of the loop to `values`."""
        loop, place = x.data[0], f"loop{self.name()[1:]}"
        start, count = [values[a] for a in x.args], len(loop.state)
        inside = dict(zip(loop.given, start[count:], strict=True))
        inside.update((s, f"%{place}.s{k}") for k, s in enumerate(loop.state))
        self.lines += [f"  br label %{place}", f"{place}:", f"  br label %{place}.at"]
        self.lines.append(f"{place}.at:")
        for k, s in enumerate(loop.state):
            ways = f"[ {start[k]}, %{place} ], [ %{place}.n{k}, %{place}.end ]"
            self.lines.append(f"  %{place}.s{k} = phi {self.type(s.dtype)} {ways}")
        going = self.emit([loop.condition], inside, self.lanes)[0]
        some = self.any(going)
        self.lines += [f"  br label %{place}.go", f"{place}.go:"]
        self.lines += [f"  br i1 {some}, label %{place}.in, label %{place}.done", f"{place}.in:"]
        steps = self.emit(list(loop.steps), inside, self.lanes)
        bools = self.type("bool")
        for k, (s, after) in enumerate(zip(loop.state, steps, strict=True)):
            t = self.type(s.dtype)
            kept = f"select {bools} {going}, {t} {after}, {t} %{place}.s{k}"
            self.lines.append(f"  %{place}.n{k} = {kept}")
        self.lines += [f"  br label %{place}.end", f"{place}.end:", f"  br label %{place}.at"]
        self.lines.append(f"{place}.done:")
        for k, y in enumerate(loop.results(x.args)):
            values[y] = f"%{place}.s{k}"

    def rare(self, group: list[e.Expr], values: dict[e.Expr, str]) -> None:
        """Choices on one condition: a branch around what is rare."""
        condition, place = values[group[0].args[0]], f"rare{self.name()[1:]}"
        usual = self.emit([x.args[2] for x in group], values, self.lanes)
        self.lines += [f"  br label %{place}", f"{place}:"]
        some = self.any(condition)
        self.lines += [f"  br i1 {some}, label %{place}.in, label %{place}.done", f"{place}.in:"]
        inside = self.emit([x.args[1] for x in group], dict(values), self.lanes)
        chosen = [
            self.select(condition, x.dtype, a, b)
            for x, a, b in zip(group, inside, usual, strict=True)
        ]
        self.lines += [f"  br label %{place}.out", f"{place}.out:"]
        self.lines += [f"  br label %{place}.done", f"{place}.done:"]
        for x, a, b in zip(group, chosen, usual, strict=True):
            t = self.type(x.dtype)
            values[x] = self.put(f"phi {t} [ {b}, %{place} ], [ {a}, %{place}.out ]")

    def node(self, x: e.Expr, args: list[str]) -> str:
        method = getattr(self, f"_{x.op}", None)
        if method is not None:
            return method(x, *args)
        source = x.args[0].dtype
        if x.op in e.COMPARISONS:
            return self.compare(x.op, source, *args)
        if x.op in _UNARY_INTRINSIC:
            return self.intrinsic(x.op, x.dtype, *args)
        table = _FLOAT_OP if dtypes.is_floating(x.dtype) else _INT_OP
        if x.op not in table:
            raise e.Unsupported(f"no machine code for {x.op} of {x.dtype}")
        return self.put(f"{table[x.op]} {self.type(x.dtype)} {args[0]}, {args[1]}")

    def _const(self, x):
        return self.literal(x.data, x.dtype)

    def _neg(self, x, a):
        t = self.type(x.dtype)
        if dtypes.is_floating(x.dtype):
            return self.put(f"fneg {t} {a}")
        return self.put(f"sub {t} {self.literal(0, x.dtype)}, {a}")

    def _not(self, x, a):
        ones = True if x.dtype == "bool" else -1
        return self.put(f"xor {self.type(x.dtype)} {a}, {self.literal(ones, x.dtype)}")

    def _abs(self, x, a):
        if dtypes.is_floating(x.dtype):
            return self.intrinsic("fabs", x.dtype, a)
        return self.intrinsic("abs", x.dtype, a, extra="i1 false")

    def _copysign(self, x, a, b):
        return self.intrinsic("copysign", x.dtype, a, b)

    def _fma(self, x, a, b, c):
        return self.intrinsic("fmuladd", x.dtype, a, b, c)

    def _min(self, x, a, b):
        return self.select(self.compare("lt", x.dtype, a, b), x.dtype, a, b)

    def _max(self, x, a, b):
        return self.select(self.compare("gt", x.dtype, a, b), x.dtype, a, b)

    def _where(self, x, condition, a, b):
        return self.select(condition, x.dtype, a, b)

    def _bitcast(self, x, a):
        t, source = self.type(x.dtype), self.type(x.args[0].dtype)
        return a if t == source else self.put(f"bitcast {source} {a} to {t}")

    def _fmod(self, x, a, b):
        """Vectors with a small quotient q have |a| - q * |b| exactly: by a fused multiply-add, or
        for f32 in doubles. Other vectors take the C library's function, lane by lane."""
        dtype, t = x.dtype, self.type(x.dtype)
        wide = dtype == "f32" and not self.fused
        if self.lanes == 1 or not (wide or self.fused):
            return self.put(f"frem {t} {a}, {b}")
        place = f"fmod{self.count}"
        self.lines += [f"  br label %{place}", f"{place}:"]
        top, bottom = self.intrinsic("fabs", dtype, a), self.intrinsic("fabs", dtype, b)
        quotient = self.intrinsic("trunc", dtype, self.put(f"fdiv {t} {top}, {bottom}"))
        rest = self._rest(dtype, top, bottom, quotient, wide)
        # A finite number by an infinite one leaves the number; its product with 0 is NaN.
        smaller = self.compare("lt", dtype, top, bottom)
        rest = self.select(smaller, dtype, top, rest)
        fast = self.intrinsic("copysign", dtype, rest, a)
        large = self.compare("ge", dtype, quotient, self.literal(2.0**22, dtype))
        bits = self.put(f"bitcast {self.type('bool')} {large} to i{self.lanes}")
        some = self.put(f"icmp ne i{self.lanes} {bits}, 0")
        self.lines += [
            f"  br i1 {some}, label %{place}.slow, label %{place}.done",
            f"{place}.slow:",
        ]
        slow = self.put(f"frem {t} {a}, {b}")
        self.lines += [f"  br label %{place}.done", f"{place}.done:"]
        return self.put(f"phi {t} [ {fast}, %{place} ], [ {slow}, %{place}.slow ]")

    def _rest(self, dtype: str, top: str, bottom: str, quotient: str, wide: bool) -> str:
        """top - quotient * bottom; the quotient may have been rounded up to one too many."""
        kind = "f64" if wide else dtype
        if wide:
            top, bottom, quotient = (self.convert(v, dtype, kind) for v in (top, bottom, quotient))
        t = self.type(kind)
        minus = self.put(f"fneg {t} {quotient}")
        rest = self.intrinsic("fmuladd" if wide else "fma", kind, minus, bottom, top)
        negative = self.compare("lt", kind, rest, self.literal(0.0, kind))
        rest = self.select(negative, kind, self.put(f"fadd {t} {rest}, {bottom}"), rest)
        return self.convert(rest, kind, dtype) if wide else rest

    def _idiv(self, x, a, b):
        """No input may trap: division by 0 gives 0, and smallest / -1 wraps around."""
        dtype, t = x.dtype, self.type(x.dtype)
        one, zero = self.literal(1, dtype), self.literal(0, dtype)
        is_zero = self.compare("eq", dtype, b, zero)
        safe = self.select(is_zero, dtype, one, b)
        if dtype in dtypes.SIGNED:
            is_minus = self.compare("eq", dtype, b, self.literal(-1, dtype))
            safe = self.select(is_minus, dtype, one, safe)
        quotient = self._quotient(dtype, a, safe)
        if dtype in dtypes.SIGNED:
            negated = self.put(f"sub {t} {zero}, {a}")
            quotient = self.select(is_minus, dtype, negated, quotient)
        return self.select(is_zero, dtype, zero, quotient)

    def _quotient(self, dtype: str, a: str, b: str) -> str:
        """Vectors of up to 32 bits divide as doubles: the truncated quotient is exact."""
        signed = dtype in dtypes.SIGNED
        if self.lanes == 1 or dtypes.SIZE[dtype] > 4:
            return self.put(f"{'s' if signed else 'u'}div {self.type(dtype)} {a}, {b}")
        top, bottom = (self.convert(v, dtype, "f64") for v in (a, b))
        ratio = self.put(f"fdiv {self.type('f64')} {top}, {bottom}")
        return self.convert(ratio, "f64", dtype)

    def _irem(self, x, a, b):
        t = self.type(x.dtype)
        whole = self.put(f"mul {t} {self._idiv(x, a, b)}, {b}")
        rest = self.put(f"sub {t} {a}, {whole}")
        is_zero = self.compare("eq", x.dtype, b, self.literal(0, x.dtype))
        return self.select(is_zero, x.dtype, self.literal(0, x.dtype), rest)

    def _shl(self, x, a, b):
        return self._shift("shl", x, a, b)

    def _shr(self, x, a, b):
        return self._shift("ashr" if x.dtype in dtypes.SIGNED else "lshr", x, a, b)

    def _shift(self, code: str, x: e.Expr, a: str, b: str) -> str:
        """Shifting by the width or more gives what shifting one by one would."""
        dtype, t, width = x.dtype, self.type(x.dtype), dtypes.bits(x.dtype)
        amount = x.args[1]
        if amount.op == "const" and 0 <= amount.data < width:
            return self.put(f"{code} {t} {a}, {b}")
        inside = self.put(f"icmp ult {t} {b}, {self.literal(width, dtype)}")
        last = width - 1 if code == "ashr" else 0
        safe = self.select(inside, dtype, b, self.literal(last, dtype))
        shifted = self.put(f"{code} {t} {a}, {safe}")
        return (
            shifted
            if code == "ashr"
            else self.select(inside, dtype, shifted, self.literal(0, dtype))
        )

    def _cast(self, x, a):
        return self.convert(a, x.args[0].dtype, x.dtype)

    def convert(self, a: str, source: str, target: str) -> str:
        """By value, between the dtypes that values are computed in."""
        from_float, to_float = dtypes.is_floating(source), dtypes.is_floating(target)
        if from_float and to_float:
            return self._convert("fpext" if target == "f64" else "fptrunc", a, source, target)
        if from_float:
            return self._float_to_int(a, source, target)
        if to_float:
            code = "uitofp" if dtypes.is_unsigned(source) else "sitofp"
            return self._convert(code, a, source, target)
        narrow, wide = dtypes.SIZE[target], dtypes.SIZE[source]
        if source == "bool" or narrow > wide:
            code = "zext" if dtypes.is_unsigned(source) else "sext"
            return self._convert(code, a, source, target)
        return a if narrow == wide else self._convert("trunc", a, source, target)

    def _float_to_int(self, a: str, source: str, target: str) -> str:
        """Small integers go through a wider signed one, as C compilers do: they wrap around."""
        if target in ("i32", "i64"):
            return self._convert("fptosi", a, source, target)
        if target == "u64":
            return self._convert("fptoui", a, source, target)
        middle = "i64" if target == "u32" else "i32"
        return self._convert("trunc", self._convert("fptosi", a, source, middle), middle, target)

    def _convert(self, code: str, a: str, source: str, target: str) -> str:
        return self.put(f"{code} {self.type(source)} {a} to {self.type(target)}")

    # Between memory and values

    def load(self, dtype: str, pointer: str, lanes: int) -> list[str]:
        """The value (two for a complex number) at `pointer`, in its computing dtype."""
        self.lanes = lanes
        if dtypes.is_complex(dtype):
            return self._load_pair(dtypes.real_of(dtype), pointer)
        stored = "i8" if dtype == "bool" else dtype
        align = dtypes.SIZE[dtype]
        raw = self.put(f"load {self.type(stored)}, ptr {pointer}, align {align}")
        return [self.unpack(dtype, raw)]

    def unpack(self, dtype: str, raw: str) -> str:
        if dtype == "bool":
            return self.compare("ne", "i8", raw, self.literal(0, "i8"))
        if dtype == "bf16":
            wide = self._convert("zext", raw, "u16", "i32")
            high = self.put(f"shl {self.type('i32')} {wide}, {self.literal(16, 'i32')}")
            return self._convert("bitcast", high, "i32", "f32")
        if dtype == "f16":
            return self._half_to_float(raw)
        return raw

    def _load_pair(self, part: str, pointer: str) -> list[str]:
        lanes, align = self.lanes, dtypes.SIZE[part]
        self.lanes = 2 * lanes
        both, t = self.put(f"load {self.type(part)}, ptr {pointer}, align {align}"), self.type(part)
        self.lanes = lanes
        if lanes == 1:
            return [self.put(f"extractelement {t} {both}, i32 {i}") for i in (0, 1)]
        picks = [", ".join(f"i32 {2 * j + i}" for j in range(lanes)) for i in (0, 1)]
        return [
            self.put(f"shufflevector {t} {both}, {t} poison, <{lanes} x i32> <{p}>") for p in picks
        ]

    def store(self, dtype: str, values: list[str], pointer: str, lanes: int) -> None:
        self.lanes = lanes
        if dtypes.is_complex(dtype):
            part = dtypes.real_of(dtype)
            raw, stored, align = self._join(part, values), part, dtypes.SIZE[part]
            t = vector_type(stored, 2 * lanes)
        else:
            raw = self.pack(dtype, values[0])
            stored, align = ("i8" if dtype == "bool" else dtype), dtypes.SIZE[dtype]
            t = vector_type(stored, lanes)
        self.lines.append(f"  store {t} {raw}, ptr {pointer}, align {align}")

    def _join(self, part: str, values: list[str]) -> str:
        t, lanes = self.type(part), self.lanes
        if lanes == 1:
            first = self.put(f"insertelement <2 x {t}> poison, {t} {values[0]}, i32 0")
            return self.put(f"insertelement <2 x {t}> {first}, {t} {values[1]}, i32 1")
        order = ", ".join(f"i32 {j + i * lanes}" for j in range(lanes) for i in (0, 1))
        mask = f"<{2 * lanes} x i32> <{order}>"
        return self.put(f"shufflevector {t} {values[0]}, {t} {values[1]}, {mask}")

    def pack(self, dtype: str, value: str) -> str:
        if dtype == "bool":
            return self._convert("zext", value, "bool", "i8")
        if dtype == "bf16":
            return self._float_to_bfloat(value)
        if dtype == "f16":
            return self._float_to_half(value)
        return value

    def _int(self, code: str, a: str, b, dtype: str = "i32") -> str:
        b = self.literal(b, dtype) if isinstance(b, int) else b
        return self.put(f"{code} {self.type(dtype)} {a}, {b}")

    def _float_to_bfloat(self, value: str) -> str:
        """To nearest, ties to even; a NaN stays one."""
        bits = self._convert("bitcast", value, "f32", "i32")
        odd = self._int("and", self._int("lshr", bits, 16), 1)
        rounded = self._int("add", self._int("add", bits, 0x7FFF), odd)
        is_nan = self.put(f"fcmp uno {self.type('f32')} {value}, {value}")
        chosen = self.select(is_nan, "i32", self.literal(0x7FC00000, "i32"), rounded)
        return self._convert("trunc", self._int("lshr", chosen, 16), "i32", "u16")

    def _half_to_float(self, raw: str) -> str:
        if self.halves:
            return self._convert("fpext", raw, "f16", "f32")
        raw = self.put(f"bitcast {self.type('f16')} {raw} to {self.type('u16')}")
        wide = self._convert("zext", raw, "u16", "i32")
        # Exponent and mantissa in place, then scaled by 2^112: subnormals come out right as well.
        moved = self._convert(
            "bitcast", self._int("shl", self._int("and", wide, 0x7FFF), 13), "i32", "f32"
        )
        scaled = self.put(f"fmul {self.type('f32')} {moved}, {self.literal(2.0**112, 'f32')}")
        bits = self._convert("bitcast", scaled, "f32", "i32")
        special = self.put(f"fcmp oge {self.type('f32')} {scaled}, {self.literal(65536.0, 'f32')}")
        bits = self.select(special, "i32", self._int("or", bits, 0x7F800000), bits)
        bits = self._int("or", bits, self._int("shl", self._int("and", wide, 0x8000), 16))
        return self._convert("bitcast", bits, "i32", "f32")

    def _float_to_half(self, value: str) -> str:
        if self.halves:
            return self._convert("fptrunc", value, "f32", "f16")
        t = self.type("f32")
        bits = self._convert("bitcast", value, "f32", "i32")
        sign = self._int("lshr", self._int("and", bits, -0x80000000), 16)
        size = self._int("and", bits, 0x7FFFFFFF)
        # Subnormal results: the addition of 0.5 rounds at the right place.
        magnitude = self._convert("bitcast", size, "i32", "f32")
        shifted = self.put(f"fadd {t} {magnitude}, {self.literal(0.5, 'f32')}")
        small = self._int("sub", self._convert("bitcast", shifted, "f32", "i32"), 0x3F000000)
        odd = self._int("and", self._int("lshr", size, 13), 1)
        normal = self._int("add", self._int("sub", size, 0x38000000 - 0xFFF), odd)
        normal = self._int("lshr", normal, 13)
        is_small = self._int("icmp ult", size, 0x38800000)
        is_huge = self._int("icmp uge", size, 0x47800000)
        is_nan = self._int("icmp ugt", size, 0x7F800000)
        result = self.select(is_small, "i32", small, normal)
        result = self.select(is_huge, "i32", self.literal(0x7C00, "i32"), result)
        result = self.select(is_nan, "i32", self.literal(0x7E00, "i32"), result)
        short = self._convert("trunc", self._int("or", result, sign), "i32", "u16")
        return self.put(f"bitcast {self.type('u16')} {short} to {self.type('f16')}")
