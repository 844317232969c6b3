"""Numbers and short names of dtypes."""

from math import e, inf, nan, pi

from . import _C

newaxis = None
float, double, half = _C.float32, _C.float64, _C.float16
int, long, short = _C.int32, _C.int64, _C.int16
chalf, cfloat, cdouble = _C.complex32, _C.complex64, _C.complex128
bool = _C.bool

__all__ = [
    "bool", "cdouble", "cfloat", "chalf", "double", "e", "float", "half", "inf", "int", "long",
    "nan", "newaxis", "pi", "short",
]  # fmt: skip
