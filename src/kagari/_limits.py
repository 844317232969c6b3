"""finfo and iinfo: what a dtype can represent."""

from typing import Any

import kagari

# dtype name -> bits of the exponent, bits of the fraction
FORMATS = {"float16": (5, 10), "bfloat16": (8, 7), "float32": (8, 23), "float64": (11, 52)}
# decimal digits that survive a round trip
DIGITS = {"float16": 3, "bfloat16": 2, "float32": 6, "float64": 15}


def _name(dtype: Any) -> str:
    return str(dtype).rsplit(".", 1)[-1]


class finfo:
    """The limits of a floating dtype (of its parts, for a complex one)."""

    def __init__(self, type: Any = None) -> None:
        dtype = kagari.get_default_dtype() if type is None else type
        if not isinstance(dtype, kagari.dtype):
            raise TypeError(f"finfo(): type: expected a dtype, got {dtype!r}")
        real = dtype.to_real() if dtype.is_complex else dtype
        if not real.is_floating_point:
            raise TypeError(
                f"torch.finfo() requires a floating point input type, got {dtype}. "
                "Use torch.iinfo for integers"
            )
        self.dtype = _name(real)
        exponent, fraction = FORMATS[self.dtype]
        bias = 2 ** (exponent - 1) - 1
        self.bits = 1 + exponent + fraction
        self.eps = 2.0**-fraction
        self.max = (2.0 - self.eps) * 2.0**bias
        self.min = -self.max
        self.smallest_normal = self.tiny = 2.0 ** (1 - bias)
        self.resolution = float(f"1e-{DIGITS[self.dtype]}")

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        parts = [f"{n}={getattr(self, n):g}" for n in names]
        return f"finfo({', '.join(parts)}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(("finfo", self.dtype))


class iinfo:
    """The limits of an integer dtype."""

    def __init__(self, type: Any) -> None:
        if not isinstance(type, kagari.dtype):
            raise TypeError(f"iinfo(): type: expected a dtype, got {type!r}")
        if type.is_floating_point or type.is_complex:
            raise TypeError(
                f"torch.iinfo() requires an integer input type, got {type}. "
                "Use torch.finfo for floating dtypes"
            )
        if type is kagari.bool:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        self.dtype = _name(type)
        self.bits = 8 * type.itemsize
        self.min = -(2 ** (self.bits - 1)) if type.is_signed else 0
        self.max = 2 ** (self.bits - type.is_signed) - 1

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(("iinfo", self.dtype))
