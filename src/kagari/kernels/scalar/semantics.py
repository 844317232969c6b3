"""What each scalar operation means, on numpy arrays: their slow definition.

Folding of constants (expr.py) and the interpreter (interpret.py) both read it. Integers wrap
around; division by zero of integers gives 0 and never traps, in every backend.
"""

from collections.abc import Callable

import numpy as np

from .. import dtypes


def numpy_dtype(dtype: str) -> np.dtype:
    """bf16 has no numpy dtype; nothing computes in it."""
    return np.dtype(dtypes.NUMPY[dtype])


def _trunc_divide(a, b):
    safe = np.where(b == 0, np.ones_like(b), b)
    if a.dtype.kind == "u":
        quotient = a // safe
    else:
        # The one overflow, smallest / -1, wraps around like a negation.
        floor = np.where(safe == -1, np.zeros_like(a) - a, a // np.where(safe == -1, 1, safe))
        remainder = a - floor * safe
        quotient = floor + ((remainder != 0) & ((a < 0) != (safe < 0)))
    return np.where(b == 0, np.zeros_like(a), quotient).astype(a.dtype)


def _remainder(a, b):
    """The remainder of truncating division; 0 where b is 0."""
    return np.where(b == 0, np.zeros_like(a), a - _trunc_divide(a, b) * b).astype(a.dtype)


def _shift(shift):
    """Shifting by the width or more gives 0 (or the sign), as if done one by one."""

    def apply(a, b):
        width = 8 * a.dtype.itemsize
        beyond = (b < 0) | (b >= width)
        inside = shift(a, np.where(beyond, 0, b).astype(a.dtype))
        fill = np.zeros_like(a)
        if shift is np.right_shift and a.dtype.kind == "i":
            fill = np.where(a < 0, -1, 0)
        return np.where(beyond, fill, inside).astype(a.dtype)

    return apply


def _negate(a):
    return ~a if a.dtype.kind == "b" else np.negative(a)


def _fused(a, b, c):
    """Rounded once, as where the machine has the instruction (of doubles: very nearly)."""
    wide = np.float64 if a.dtype == np.float32 else np.longdouble
    return (a.astype(wide) * b.astype(wide) + c.astype(wide)).astype(a.dtype)


BINARY: dict[str, Callable] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "idiv": _trunc_divide,
    "irem": _remainder,
    "fmod": np.fmod,
    "min": lambda a, b: np.where(a < b, a, b),
    "max": lambda a, b: np.where(a > b, a, b),
    "copysign": np.copysign,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "shl": _shift(np.left_shift),
    "shr": _shift(np.right_shift),
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}

UNARY: dict[str, Callable] = {
    "neg": _negate,
    "not": np.invert,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "rint": np.rint,
    "real": np.real,
    "imag": np.imag,
    "conj": np.conj,
}

TERNARY: dict[str, Callable] = {"fma": _fused, "where": np.where, "rare": np.where}


def _cast(a, dtype: str):
    """Float to integer truncates; out of range is whatever the machine gives, but never traps."""
    target = numpy_dtype(dtype)
    if dtypes.is_complex(dtype) or a.dtype.kind != "c":
        return a.astype(target)
    return a.real.astype(target)


def apply(op: str, dtype: str, args: tuple, data=None):
    """One operation on arrays that already have their exact dtypes; the result has `dtype`."""
    with np.errstate(all="ignore"):
        if op == "cast":
            return _cast(args[0], dtype)
        if op == "bitcast":
            return np.ascontiguousarray(args[0]).view(numpy_dtype(dtype))
        if op == "complex":
            real = args[0].dtype
            out = np.empty(np.broadcast_shapes(args[0].shape, args[1].shape), numpy_dtype(dtype))
            out.real, out.imag = args[0].astype(real), args[1].astype(real)
            return out
        meaning = (UNARY, BINARY, TERNARY)[len(args) - 1][op]
        return np.asarray(meaning(*args)).astype(numpy_dtype(dtype), copy=False)
