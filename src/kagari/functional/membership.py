"""Sets and fingerprints of elements: isin, hash_tensor."""

from collections.abc import Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari._outputs import write_out


def isin(
    elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Which of `elements` are among `test_elements`, one of which may be a number: bool, of the
    shape of `elements`.

    Args:
        assume_unique: a promise that neither has an element twice; it changes nothing here.
        invert: which are not among them.

    RuntimeError for bool and complex tensors.

    >>> kagari.isin(kagari.tensor([1, 2, 3]), kagari.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeError(
            "isin(): expected a tensor as elements or test_elements, got "
            f"{type(elements).__name__} and {type(test_elements).__name__}"
        )
    for given in (elements, test_elements):
        if isinstance(given, Tensor) and (given.dtype is kagari.bool or given.is_complex()):
            raise RuntimeError(f"Unsupported input type encountered for isin(): {given.dtype}")
    dtype = kagari.result_type(elements, test_elements)
    values, tested = (kagari.as_tensor(t, dtype=dtype) for t in (elements, test_elements))
    made = _found(values.detach(), tested.detach().reshape(-1))
    made = ~made if invert else made
    return made if out is None else write_out(out, made, "isin")


def _found(values: Tensor, tested: Tensor) -> Tensor:
    if tested.numel() == 0:
        return kagari.zeros_like(values, dtype=kagari.bool)
    ordered = tested.sort().values
    place = kagari.searchsorted(ordered, values.contiguous()).clamp(max=ordered.numel() - 1)
    return ordered[place] == values


def hash_tensor(
    input: Tensor, dim: int | Sequence[int] = (), *, keepdim: bool = False, mode: int = 0,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The exclusive or of the bits of all elements, or of those along `dim`: a uint64 tensor.

    Elements count as 64-bit integers or floats. `mode` 0 is the only one there is. RuntimeError for
    an empty input without `dim`, IndexError for an empty `dim`.

    >>> kagari.hash_tensor(kagari.tensor([1, 2])).item()
    3
    """
    if mode != 0:
        raise RuntimeError(f"Unknown hash_tensor mode: {mode}")
    if input.is_complex():
        raise NotImplementedError(f'"hash_tensor" not implemented for {input.dtype}')
    dims = _hashed_dims(input, dim)
    wide = input.detach().to(kagari.float64 if input.is_floating_point() else kagari.int64)
    bits = wide.contiguous().view(kagari.int64)
    for d in dims:
        bits = _xor_along(bits, d)
    made = bits.contiguous().view(kagari.uint64)
    if not keepdim:
        made = made.reshape([s for d, s in enumerate(made.shape) if d not in dims])
    if out is None:
        return made
    if out.dtype is not kagari.uint64:
        raise RuntimeError(f"Expected result to be of dtype uint64, but got {out.dtype}")
    return write_out(out, made, "hash_tensor")


def _hashed_dims(input: Tensor, dim: int | Sequence[int]) -> list[int]:
    given = [dim] if isinstance(dim, int) else list(dim)
    rank = max(input.dim(), 1)
    for d in given:
        if not -rank <= d < rank:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], but "
                f"got {d})"
            )
    if not given and input.numel() == 0:
        raise RuntimeError(
            "hash_tensor: Expected reduction dim to be specified for input.numel() == 0. Specify "
            "the reduction dim with the 'dim' argument."
        )
    dims = [d % rank for d in given] if given else list(range(input.dim()))
    dims = [] if input.dim() == 0 else dims
    for d in dims:
        if input.shape[d] == 0:
            raise IndexError(f"hash_tensor: Expected reduction dim {d} to have non-zero size.")
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"hash_tensor: dim appears multiple times in {tuple(given)}")
    return dims


def _xor_along(bits: Tensor, dim: int) -> Tensor:
    """Halves folded onto each other until one is left."""
    while (n := bits.shape[dim]) > 1:
        half = n // 2
        folded = bits.narrow(dim, 0, half) ^ bits.narrow(dim, half, half)
        bits = kagari.cat([folded, bits.narrow(dim, n - 1, 1)], dim) if n % 2 else folded
    return bits
