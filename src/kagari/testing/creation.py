"""make_tensor: tensors of random values in a range, for tests."""

import math
from typing import Any

import kagari
from kagari import Tensor


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Values uniform in [low, high): PyTorch's own numbers from the same seed.

    By default 0 and 1 for bool, [0, 10) for uint8, [-9, 10) for other integers and [-9, 9) for
    floating and complex dtypes. With `noncontiguous` the tensor is every second element of a larger
    one; with `exclude_zero` zeros become the smallest positive number. ValueError for bounds that
    leave nothing, or for noncontiguous together with a memory format.

    >>> kagari.testing.make_tensor(2, 3, dtype=kagari.int8, device="cpu", low=5, high=6).tolist()
    [[5, 5, 5], [5, 5, 5]]
    """
    sizes = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    if noncontiguous and memory_format is not None:
        raise ValueError("make_tensor: noncontiguous and memory_format: expected at most one")
    if requires_grad and not (dtype.is_floating_point or dtype.is_complex):
        raise ValueError(f"make_tensor: requires_grad: expected a floating dtype, got {dtype}")
    sizes = tuple(sizes)
    if noncontiguous and math.prod(sizes) > 1:
        made = _random((*sizes[:-1], 2 * sizes[-1]), dtype, device, low, high)[..., 1::2]
    else:
        made = _random(sizes, dtype, device, low, high)
    if memory_format is not None:
        made = made.clone(memory_format=memory_format)
    if exclude_zero:
        made[made == 0] = _smallest(dtype)
    return made.requires_grad_(requires_grad)


def _random(sizes: tuple[int, ...], dtype: Any, device: Any, low: Any, high: Any) -> Tensor:
    if dtype is kagari.bool:
        low, high = _bounds(dtype, low, high, 0, 2, 0, 2)
        return kagari.randint(math.ceil(low), math.ceil(high), sizes, dtype=dtype, device=device)
    if dtype.is_floating_point or dtype.is_complex:
        limits = kagari.finfo(dtype)
        low, high = _bounds(dtype, low, high, limits.min, limits.max, -9, 9)
        made = kagari.empty(sizes, dtype=dtype, device=device)
        parts = kagari.view_as_real(made) if dtype.is_complex else made
        if high - low <= limits.max:
            parts.uniform_(low, high)
        else:  # a range that the dtype cannot hold
            parts.uniform_(low / 2, high / 2).mul_(2)
        return made
    whole = kagari.iinfo(dtype)
    defaults = (-9, 10) if dtype.is_signed else (0, 10)
    low, high = _bounds(dtype, low, high, whole.min, whole.max + 1, *defaults)
    top = min(math.ceil(high), 2**63 - 1)
    return kagari.randint(math.ceil(low), top, sizes, dtype=dtype, device=device)


def _bounds(
    dtype: Any, low: Any, high: Any, least: Any, most: Any, low_default: Any, high_default: Any
) -> tuple[Any, Any]:
    """The given bounds inside the dtype's range, or the defaults."""
    for name, value in (("low", low), ("high", high)):
        if value is not None and math.isnan(value):
            raise ValueError(f"make_tensor: {name}: expected a number, got NaN")
    low = low_default if low is None else low
    high = high_default if high is None else high
    if low > high or (low == high and not (dtype.is_floating_point or dtype.is_complex)):
        raise ValueError(f"make_tensor: expected low < high, got low={low}, high={high}")
    if low > most or high < least or (low == most and not isinstance(least, float)):
        raise ValueError(f"make_tensor: no number of {dtype} is in [{low}, {high})")
    return max(low, least), min(high, most)


def _smallest(dtype: Any) -> Any:
    if dtype.is_complex:
        tiny = kagari.finfo(dtype).tiny
        return complex(tiny, tiny)
    return kagari.finfo(dtype).tiny if dtype.is_floating_point else 1
