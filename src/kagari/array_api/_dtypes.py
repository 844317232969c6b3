"""Dtypes by the array API standard: promotion, casts, kinds, and the limits of a dtype.

The standard promotes by dtype alone; PyTorch lets a tensor without dimensions count less. That is
the one reason why functions of two arrays are not simply kagari's own.
"""

from dataclasses import dataclass
from typing import Any

import kagari
from kagari import Tensor

__all__ = ["astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]

SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
KINDS: dict[str, tuple[str, ...]] = {
    "bool": ("bool",),
    "signed integer": SIGNED,
    "unsigned integer": UNSIGNED,
    "integral": SIGNED + UNSIGNED,
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
    "numeric": SIGNED + UNSIGNED + ("float32", "float64", "complex64", "complex128"),
}


def dtypes_of(kind: str) -> dict[str, Any]:
    """The dtypes of a kind, by name.

    >>> sorted(dtypes_of("real floating"))
    ['float32', 'float64']
    """
    if kind not in KINDS:
        raise ValueError(f"kind: expected one of {sorted(KINDS)}, got {kind!r}")
    return {name: getattr(kagari, name) for name in KINDS[kind]}


def isdtype(dtype: Any, kind: Any) -> bool:
    """Is it of that kind, that dtype, or one of a tuple of kinds and dtypes?

    >>> kagari.array_api.isdtype(kagari.int8, ("bool", "signed integer"))
    True
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, part) for part in kind)
    if isinstance(kind, str):
        wide = {"real floating": ("float16", "bfloat16")}.get(kind, ())
        return dtype in dtypes_of(kind).values() or dtype in [getattr(kagari, n) for n in wide]
    return dtype is kind


def _is_integral(dtype: Any) -> bool:
    return not (dtype.is_floating_point or dtype.is_complex or dtype is kagari.bool)


def _promoted(a: Any, b: Any) -> Any:
    """The dtype of both; of an unsigned and a signed one, a signed one that holds either."""
    if a is b:
        return a
    if _is_integral(a) and _is_integral(b):
        larger = max(a.itemsize, b.itemsize)
        if a.is_signed == b.is_signed:
            return a if a.itemsize == larger else b
        signed, unsigned = (a, b) if a.is_signed else (b, a)
        if signed.itemsize > unsigned.itemsize:
            return signed
        if unsigned.itemsize < 8:
            return getattr(kagari, f"int{16 * unsigned.itemsize}")
        raise TypeError(f"result_type: {a} and {b}: no integer dtype holds both; convert one")
    return kagari.promote_types(a, b)


def _with_number(dtype: Any, number: Any) -> Any:
    """A Python number takes the array's dtype, unless it is of a higher kind."""
    if isinstance(number, complex) and not dtype.is_complex:
        return (dtype if dtype.is_floating_point else kagari.get_default_dtype()).to_complex()
    if isinstance(number, float) and not (dtype.is_floating_point or dtype.is_complex):
        return kagari.get_default_dtype()
    if isinstance(number, int) and not isinstance(number, bool) and dtype is kagari.bool:
        return kagari.int64
    return dtype


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The dtype of an operation on these arrays, dtypes and Python numbers.

    >>> kagari.array_api.result_type(kagari.ones(3), kagari.tensor(1.0, dtype=kagari.float64), 2)
    torch.float64
    """
    numbers = [x for x in arrays_and_dtypes if isinstance(x, int | float | complex)]
    dtypes = [x.dtype if isinstance(x, Tensor) else x for x in arrays_and_dtypes]
    dtypes = [x for x in dtypes if not isinstance(x, int | float | complex)]
    if not dtypes:
        raise ValueError("result_type: expected at least one array or dtype, got numbers only")
    for x in dtypes:
        if not isinstance(x, kagari.dtype):
            raise TypeError(f"result_type: expected arrays, dtypes and numbers, got {x!r}")
    result = dtypes[0]
    for x in dtypes[1:]:
        result = _promoted(result, x)
    for number in numbers:
        result = _with_number(result, number)
    return result


def aligned(*arrays: Any) -> list[Tensor]:
    """Arrays and numbers as arrays of their common dtype.

    >>> [x.dtype for x in aligned(kagari.ones(2, dtype=kagari.int8), 3)]
    [torch.int8, torch.int8]
    """
    dtype = result_type(*arrays)
    device = next(x.device for x in arrays if isinstance(x, Tensor))
    return [
        x.to(dtype) if isinstance(x, Tensor) else kagari.tensor(x, dtype=dtype, device=device)
        for x in arrays
    ]


def can_cast(from_: Any, to: Any, /) -> bool:
    """Does promotion lead from the first dtype to the second?

    >>> kagari.array_api.can_cast(kagari.int64, kagari.int32)
    False
    """
    given = from_.dtype if isinstance(from_, Tensor) else from_
    integral = [_is_integral(given), _is_integral(to)]
    if given is not to and (any(integral) != all(integral) or kagari.bool in (given, to)):
        return False  # across kinds the standard has no promotion
    try:
        return _promoted(given, to) is to
    except TypeError:
        return False


def astype(x: Tensor, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """The array in another dtype; a copy even where it has it, unless `copy` is False.

    >>> kagari.array_api.astype(kagari.tensor([1.5, 2.0]), kagari.int64)
    tensor([1, 2])
    """
    return x.to(device=device or x.device, dtype=dtype, copy=copy)


@dataclass(frozen=True)
class FloatLimits:
    """What finfo() gives: numbers as Python floats, and the dtype itself."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: Any


@dataclass(frozen=True)
class IntegerLimits:
    """What iinfo() gives."""

    bits: int
    max: int
    min: int
    dtype: Any


def finfo(type: Any, /) -> FloatLimits:
    """The limits of a floating dtype, or of an array's.

    >>> kagari.array_api.finfo(kagari.complex64).dtype
    torch.float32
    """
    dtype = type.dtype if isinstance(type, Tensor) else type
    found = kagari.finfo(dtype)
    real = dtype.to_real() if dtype.is_complex else dtype
    numbers = (found.bits, found.eps, found.max, found.min, found.smallest_normal)
    return FloatLimits(*numbers, dtype=real)


def iinfo(type: Any, /) -> IntegerLimits:
    """The limits of an integer dtype, or of an array's.

    >>> kagari.array_api.iinfo(kagari.int8).max
    127
    """
    dtype = type.dtype if isinstance(type, Tensor) else type
    found = kagari.iinfo(dtype)
    return IntegerLimits(found.bits, found.max, found.min, dtype)
