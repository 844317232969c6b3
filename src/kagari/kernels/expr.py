"""Scalar expressions: immutable, hash-consed nodes that carry their dtype.

Used by way of `from . import expr as e`. Python operators and the functions below build them; equal
expressions are the same object, so common subexpressions are shared by construction, and constants
are folded as they meet. What a node means is left to scalar/semantics.py, its derivative to
scalar/diff.py, its machine code to lowering/emit.py. Half types do not occur here: their values are
loaded as f32.
"""

import ctypes
import math
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from . import dtypes

COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


class Unsupported(TypeError):
    """The operation does not exist for this dtype."""


def _operators(op: str) -> tuple[Callable, Callable]:
    """The method for `self op other` and the one for `other op self`."""
    return lambda self, other: binary(op, self, other), lambda self, other: binary(op, other, self)


class Expr:
    """A node: `op` applied to `args`, giving a `dtype`. `data` holds what is not an expression."""

    __slots__ = ("__weakref__", "args", "data", "dtype", "op")

    op: str
    args: tuple["Expr", ...]
    dtype: str
    data: Any

    def __setattr__(self, name, value):
        raise AttributeError(f"expressions are immutable: cannot set {name}")

    def __bool__(self):
        raise TypeError("an expression has no truth value: use e.where(condition, a, b)")

    __hash__ = object.__hash__

    __add__, __radd__ = _operators("add")
    __sub__, __rsub__ = _operators("sub")
    __mul__, __rmul__ = _operators("mul")
    __truediv__, __rtruediv__ = _operators("div")
    __and__, __rand__ = _operators("and")
    __or__, __ror__ = _operators("or")
    __xor__, __rxor__ = _operators("xor")
    __lshift__, __rlshift__ = _operators("shl")
    __rshift__, __rrshift__ = _operators("shr")
    __lt__, __gt__ = _operators("lt")[0], _operators("gt")[0]
    __le__, __ge__ = _operators("le")[0], _operators("ge")[0]
    __eq__, __ne__ = _operators("eq")[0], _operators("ne")[0]  # type: ignore[assignment]

    def __neg__(self):
        return neg(self)

    def __invert__(self):
        return bit_not(self)

    def __repr__(self):
        from .show import formula

        return formula(self)


_interning = threading.Lock()
_interned: "weakref.WeakValueDictionary[tuple, Expr]" = weakref.WeakValueDictionary()


def node(op: str, args: tuple[Expr, ...], dtype: str, data: Any = None, key: Any = None) -> Expr:
    """The one node with these parts, as it stands: no folding. `key` identifies `data`."""
    identity = (op, dtype, data if key is None else key, *map(id, args))
    with _interning:
        found = _interned.get(identity)
        if found is None:
            found = object.__new__(Expr)
            for name, value in (("op", op), ("args", args), ("dtype", dtype), ("data", data)):
                object.__setattr__(found, name, value)
            _interned[identity] = found
        return found


# Leaves


def symbol(name: str, dtype: str) -> Expr:
    """An input of the expression."""
    return node("input", (), dtypes.compute_of(dtype), name)


def const(value: Any, dtype: "str | Expr") -> Expr:
    """`value` as a constant of a dtype (or of the dtype of an expression), rounded to it."""
    dtype = dtypes.compute_of(dtype.dtype if isinstance(dtype, Expr) else dtype)
    value = value.item() if hasattr(value, "item") else value
    if dtypes.is_complex(dtype):
        part = dtypes.real_of(dtype)
        value = complex(value)
        return node("complex", (const(value.real, part), const(value.imag, part)), dtype)
    if dtypes.is_floating(dtype):
        value = float(value)
        value = ctypes.c_float(value).value if dtype == "f32" else value
    elif dtype == "bool":
        value = bool(value)
    else:
        if isinstance(value, float) and value != int(value):
            raise Unsupported(f"{value} is not a constant of the integer dtype {dtype}")
        value = _wrap(int(value), dtype)
    return node("const", (), dtype, value, repr(value))


def _wrap(value: int, dtype: str) -> int:
    width = dtypes.bits(dtype)
    value &= (1 << width) - 1
    return value - (1 << width) if dtype in dtypes.SIGNED and value >> (width - 1) else value


def is_const(x: Expr, value: complex | None = None) -> bool:
    """Whether x is a constant (of this value: 0 and -0 differ)."""
    if x.op == "complex":
        if value is None:
            return is_const(x.args[0]) and is_const(x.args[1])
        value = complex(value)
        return is_const(x.args[0], value.real) and is_const(x.args[1], value.imag)
    if x.op != "const" or value is None:
        return x.op == "const"
    return x.data == value and math.copysign(1, x.data) == math.copysign(1, value)  # type: ignore[arg-type]


# Construction with folding


def _fold(op: str, args: tuple[Expr, ...], dtype: str) -> Expr | None:
    """The constant that the operation gives on constants."""
    if not all(a.op == "const" for a in args) or dtypes.is_complex(dtype):
        return None
    import numpy as np

    from .scalar import semantics

    values = tuple(np.array(a.data, semantics.numpy_dtype(a.dtype)) for a in args)
    return const(semantics.apply(op, dtype, values).reshape(())[()], dtype)


def _make(op: str, args: tuple[Expr, ...], dtype: str) -> Expr:
    folded = _fold(op, args, dtype)
    return node(op, args, dtype) if folded is None else folded


def _pair(op: str, a, b) -> tuple[Expr, Expr]:
    """Both operands as expressions of one dtype; a Python number takes the other's dtype."""
    if not isinstance(a, Expr):
        a = _lift(op, a, b)
    if not isinstance(b, Expr):
        b = _lift(op, b, a)
    mixed = dtypes.real_of(a.dtype) == dtypes.real_of(b.dtype) and op in (
        "add",
        "sub",
        "mul",
        "div",
    )
    if a.dtype != b.dtype and not mixed:
        raise Unsupported(f"{op}: operands are {a.dtype} and {b.dtype}; cast one of them")
    return a, b


def _lift(op: str, value, like: Expr) -> Expr:
    if not isinstance(value, (bool, int, float, complex)):
        raise TypeError(f"{op}: expected an expression or a number, got {type(value).__name__}")
    if isinstance(value, complex) and not dtypes.is_complex(like.dtype):
        raise Unsupported(f"{op}: a complex number beside {like.dtype}")
    if op in ("add", "sub", "mul", "div") and not isinstance(value, complex):
        # Beside a complex number a real one stays real: their product is no complex product.
        return const(value, dtypes.real_of(like.dtype))
    return const(value, like.dtype)


_BOOL_ARITHMETIC = {"add": "or", "mul": "and", "min": "and", "max": "or"}


def binary(op: str, a, b) -> Expr:
    """A two-operand operation by name, checked and folded."""
    a, b = _pair(op, a, b)
    wide = a.dtype if dtypes.is_complex(a.dtype) else b.dtype
    _check_binary(op, wide)
    if wide == "bool" and op in _BOOL_ARITHMETIC:
        op = _BOOL_ARITHMETIC[op]
    dtype = "bool" if op in COMPARISONS else wide
    known = _identity(op, a, b, dtype)
    return known if known is not None else _make(op, (a, b), dtype)


def _check_binary(op: str, dtype: str) -> None:
    floating = dtypes.is_floating(dtype)
    exact = not floating and not dtypes.is_complex(dtype)
    if op in ("and", "or", "xor", "idiv", "irem", "shl", "shr"):
        good = exact and (dtype != "bool" or op in ("and", "or", "xor"))
    elif op in ("div",):
        good = not exact
    elif op in ("copysign", "fmod"):
        good = floating
    elif op in ("lt", "le", "gt", "ge", "min", "max"):
        good = not dtypes.is_complex(dtype)
    else:
        good = dtype != "bool" or op in ("add", "mul", "eq", "ne")
    if not good:
        raise Unsupported(f"{op} does not exist for {dtype}")


def _identity(op: str, a: Expr, b: Expr, dtype: str) -> Expr | None:
    """What holds for every value, NaN and signed zeros included."""
    if op in ("mul", "div") and a.dtype == dtype and is_const(b, 1):
        return a
    if op == "mul" and b.dtype == dtype and is_const(a, 1):
        return b
    if op in ("add", "sub") and not dtypes.is_complex(dtype) and b.op == "const":
        zero = 0 if not dtypes.is_floating(dtype) else (-0.0 if op == "add" else 0.0)
        if is_const(b, zero):
            return a
    if op in ("and", "or", "xor", "add") and not dtypes.is_floating(dtype):
        return _bit_identity(op, a, b, dtype)
    return None


def _bit_identity(op: str, a: Expr, b: Expr, dtype: str) -> Expr | None:
    if dtypes.is_complex(dtype):
        return None
    ones = True if dtype == "bool" else (-1 if dtype in dtypes.SIGNED else _wrap(-1, dtype))
    for x, y in ((a, b), (b, a)):
        if x.op != "const":
            continue
        if op == "and" and x.data == ones or op != "and" and x.data == 0:
            return y
        if op == "and" and x.data == 0 or op == "or" and x.data == ones:
            return x
    return a if a is b and op in ("and", "or") else None


def _require(op: str, x: Expr, good: bool) -> None:
    if not isinstance(x, Expr):
        raise TypeError(f"{op}: expected an expression, got {type(x).__name__}")
    if not good:
        raise Unsupported(f"{op} does not exist for {x.dtype}")


def neg(x: Expr) -> Expr:
    _require("neg", x, x.dtype != "bool")
    return x.args[0] if x.op == "neg" else _make("neg", (x,), x.dtype)


def bit_not(x: Expr) -> Expr:
    _require("not", x, not dtypes.is_floating(x.dtype) and not dtypes.is_complex(x.dtype))
    return x.args[0] if x.op == "not" else _make("not", (x,), x.dtype)


def abs(x: Expr) -> Expr:
    """|x| of a real; of a complex number see the definitions (it needs care about overflow)."""
    _require("abs", x, not dtypes.is_complex(x.dtype))
    return x if dtypes.is_unsigned(x.dtype) or x.op == "abs" else _make("abs", (x,), x.dtype)


def sqrt(x: Expr) -> Expr:
    _require("sqrt", x, dtypes.is_floating(x.dtype))
    return _make("sqrt", (x,), x.dtype)


def _rounding(op: str) -> Callable[[Expr], Expr]:
    def build(x: Expr) -> Expr:
        _require(op, x, not dtypes.is_complex(x.dtype) and x.dtype != "bool")
        return _make(op, (x,), x.dtype) if dtypes.is_floating(x.dtype) else x

    build.__doc__ = f"{op} of a float; an integer is returned as it is."
    return build


floor = _rounding("floor")
ceil = _rounding("ceil")
trunc = _rounding("trunc")
rint = _rounding("rint")  # to nearest, ties to even


def fma(a: Expr, b: Any, c: Any) -> Expr:
    """a * b + c, rounded once where the machine can and twice where it cannot (llvm.fmuladd)."""
    a, b = _pair("fma", a, b)
    a, c = _pair("fma", a, c)
    _require("fma", a, dtypes.is_floating(a.dtype))
    return _make("fma", (a, b, c), a.dtype)


def copysign(magnitude: Any, sign: Any) -> Expr:
    return binary("copysign", magnitude, sign)


def fmod(a: Any, b: Any) -> Expr:
    """C's fmod: a - trunc(a / b) * b exactly, with the sign of a. Slow: computed bit by bit."""
    return binary("fmod", a, b)


def min(a: Any, b: Any) -> Expr:
    """where(a < b, a, b): b where either is NaN, which is what the x86 instruction does."""
    return binary("min", a, b)


def max(a: Any, b: Any) -> Expr:
    """where(a > b, a, b): b where either is NaN."""
    return binary("max", a, b)


def idiv(a: Any, b: Any) -> Expr:
    """Integer division that truncates; 0 where b is 0."""
    return binary("idiv", a, b)


def irem(a: Any, b: Any) -> Expr:
    """The remainder of idiv: it has the sign of a."""
    return binary("irem", a, b)


def shl(a: Expr, b: Any) -> Expr:
    return binary("shl", a, b)


def shr(a: Expr, b: Any) -> Expr:
    """Arithmetic for signed, logical for unsigned integers."""
    return binary("shr", a, b)


def isnan(x: Expr) -> Expr:
    """x != x; false for what is not a float."""
    if dtypes.is_complex(x.dtype):
        return isnan(real(x)) | isnan(imag(x))
    return binary("ne", x, x) if dtypes.is_floating(x.dtype) else const(False, "bool")


def where(condition: Expr, a: Any, b: Any) -> Expr:
    """a where the condition (bool) holds, else b. Both are computed."""
    a, b = _pair("where", a, b)
    _require("where", condition, condition.dtype == "bool")
    if condition.op == "const":
        return a if condition.data else b
    if a is b:
        return a
    if a.dtype == "bool" and a.op == b.op == "const":
        return condition if a.data else ~condition
    return node("where", (condition, a, b), a.dtype)


def rare(condition: Expr, a: Expr, b: Expr) -> Expr:
    """where(condition, a, b), but `a` is only computed when some lane needs it. The `b` of one
    condition must not depend on another choice on that condition."""
    chosen = where(condition, a, b)
    return node("rare", chosen.args, chosen.dtype) if chosen.op == "where" else chosen


class Loop:
    """What a loop repeats: expressions on the symbols of its state and of what is `given`."""

    __slots__ = ("condition", "given", "state", "steps")

    def __init__(self, state: tuple[Expr, ...], given: tuple[Expr, ...], condition, steps):
        self.state = state
        self.given = given
        self.condition = condition
        self.steps = steps

    def results(self, args: tuple[Expr, ...]) -> tuple[Expr, ...]:
        """One node per value of the state; backends write the loop once for all of them."""
        key = (id(self.condition), *map(id, self.steps))
        return tuple(
            node("loop", args, s.dtype, (self, k), (k, *key)) for k, s in enumerate(self.state)
        )


def loop(
    condition: Callable[..., Expr],
    step: Callable[..., tuple[Expr, ...]],
    start: tuple[Expr, ...],
    given: tuple[Expr, ...] = (),
) -> tuple[Expr, ...]:
    """The state after `state = step(*state, *given)` for as long as `condition(*state, *given)`
    holds. Both see symbols alone: what they use from outside is passed as `given`. Lanes that are
    done keep their state. It has no derivative: give the function one of its own."""
    _require("loop", start[0], not any(dtypes.is_complex(x.dtype) for x in start + given))
    state = tuple(symbol(f"state{k}", x.dtype) for k, x in enumerate(start))
    fixed = tuple(symbol(f"given{k}", x.dtype) for k, x in enumerate(given))
    steps = step(*state, *fixed)
    for k, (x, after) in enumerate(zip(state, steps, strict=True)):
        _require(f"loop: step {k} of {x.dtype}", after, after.dtype == x.dtype)
    body = Loop(state, fixed, condition(*state, *fixed), steps)
    outside = set(symbols(body.condition, *steps).values()) - {*state, *fixed}
    if outside:
        raise TypeError(f"loop: pass {sorted(map(repr, outside))} as given")
    return body.results(start + given)


def cast(x: Expr, dtype: str) -> Expr:
    """Conversion by value; to bool: x != 0; complex to real drops the imaginary part."""
    dtype = dtypes.compute_of(dtype)
    if x.dtype == dtype:
        return x
    if dtypes.is_complex(dtype):
        part = dtypes.real_of(dtype)
        if dtypes.is_complex(x.dtype):
            return complex_(cast(real(x), part), cast(imag(x), part))
        return complex_(cast(x, part), const(0, part))
    if dtype == "bool":
        if dtypes.is_complex(x.dtype):
            return (real(x) != 0) | (imag(x) != 0)
        return x != 0
    return _make("cast", (real(x) if dtypes.is_complex(x.dtype) else x,), dtype)


def bitcast(x: Expr, dtype: str) -> Expr:
    """The same bits as another real dtype of the same size."""
    good = dtypes.SIZE[x.dtype] == dtypes.SIZE[dtype]
    good = good and not dtypes.is_complex(dtype) and "bool" not in (x.dtype, dtype)
    _require(f"bitcast to {dtype}", x, good)
    if x.dtype == dtype:
        return x
    return bitcast(x.args[0], dtype) if x.op == "bitcast" else _make("bitcast", (x,), dtype)


def complex_(re: Any, im: Any) -> Expr:
    re, im = _pair("complex", re, im)
    _require("complex", re, re.dtype in ("f32", "f64"))
    if re.op == "real" and im.op == "imag" and re.args[0] is im.args[0]:
        return re.args[0]
    return node("complex", (re, im), dtypes.complex_of(re.dtype))


def real(x: Expr) -> Expr:
    if not dtypes.is_complex(x.dtype):
        return x
    return x.args[0] if x.op == "complex" else node("real", (x,), dtypes.real_of(x.dtype))


def imag(x: Expr) -> Expr:
    if not dtypes.is_complex(x.dtype):
        return const(0, x)
    return x.args[1] if x.op == "complex" else node("imag", (x,), dtypes.real_of(x.dtype))


def conj(x: Expr) -> Expr:
    if not dtypes.is_complex(x.dtype):
        return x
    if x.op == "complex":
        return complex_(x.args[0], -x.args[1])
    return x.args[0] if x.op == "conj" else node("conj", (x,), x.dtype)


# Walking


def topological(
    roots: Iterable[Expr], operands: Callable[[Expr], tuple[Expr, ...]] = lambda x: x.args
) -> list[Expr]:
    """Every node under the roots once, operands first, without recursion."""
    order: list[Expr] = []
    seen: set[Expr] = set()
    stack: list[tuple[Expr, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        x, done = stack.pop()
        if done:
            order.append(x)
        elif x not in seen:
            seen.add(x)
            stack.append((x, True))
            stack.extend((a, False) for a in reversed(operands(x)) if a not in seen)
    return order


def remake(x: Expr, args: tuple[Expr, ...]) -> Expr:
    """The same operation on other operands, folded again."""
    if all(a is b for a, b in zip(args, x.args, strict=True)):
        return x
    if x.op in _BUILDERS:
        return _BUILDERS[x.op](x, args)
    if len(args) == 2:
        return binary(x.op, *args)
    return _make(x.op, args, x.dtype)


_BUILDERS: dict[str, Callable[[Expr, tuple], Expr]] = {
    "call": lambda x, args: node("call", args, x.dtype, x.data),
    "cast": lambda x, args: cast(args[0], x.dtype),
    "bitcast": lambda x, args: bitcast(args[0], x.dtype),
    "loop": lambda x, args: x.data[0].results(args)[x.data[1]],
    "where": lambda x, args: where(*args),
    "rare": lambda x, args: rare(*args),
    "fma": lambda x, args: fma(*args),
    "complex": lambda x, args: complex_(*args),
    "real": lambda x, args: real(*args),
    "imag": lambda x, args: imag(*args),
    "conj": lambda x, args: conj(*args),
    "neg": lambda x, args: neg(*args),
    "not": lambda x, args: bit_not(*args),
}


def rewrite(roots: list[Expr], change: Callable[[Expr], Expr | None]) -> list[Expr]:
    """Rebuild bottom-up; `change` sees each rebuilt node and may return another in its place."""
    made: dict[Expr, Expr] = {}
    for x in topological(roots):
        fresh = remake(x, tuple(made[a] for a in x.args))
        other = change(fresh)
        made[x] = fresh if other is None else other
    return [made[root] for root in roots]


def substitute(roots: list[Expr], replacements: dict[Expr, Expr]) -> list[Expr]:
    """Replace whole nodes (matched before their operands are)."""
    made: dict[Expr, Expr] = dict(replacements)
    for x in topological(roots):
        if x not in made:
            made[x] = remake(x, tuple(made[a] for a in x.args))
    return [made[root] for root in roots]


def symbols(*roots: Expr) -> dict[str, Expr]:
    return {x.data: x for x in topological(roots) if x.op == "input"}
