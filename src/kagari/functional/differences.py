"""Differences along a dimension: diff, and the numerical derivative, gradient."""

from collections.abc import Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari._outputs import write_out


def diff(
    input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None,
    append: Tensor | None = None, *, out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """The difference of neighbours along `dim`, `n` times; for bool, whether they differ.

    Args:
        n: 0 gives a copy of `input` alone.
        prepend, append: joined to `input` along `dim` before.

    The result is `n` shorter along `dim`. RuntimeError for a 0-d input, a negative `n` and for
    shapes that cannot be joined.

    >>> kagari.diff(kagari.tensor([1, 4, 9]))
    tensor([3, 5])
    """
    if input.dim() == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    for other in (prepend, append):
        if other is not None:
            _check_joined(input, other, dim)
    if n == 0:
        made = input.clone()
        return made if out is None else write_out(out, made, "diff")
    parts = [t for t in (prepend, input, append) if t is not None]
    made = kagari.cat(parts, dim) if len(parts) > 1 else input
    for _ in range(min(n, made.shape[dim])):
        length = max(made.shape[dim] - 1, 0)
        later, earlier = (
            made.narrow(dim, min(1, made.shape[dim]), length),
            made.narrow(dim, 0, length),
        )
        made = later.logical_xor(earlier) if made.dtype is kagari.bool else later - earlier
    return made if out is None else write_out(out, made, "diff")


def _check_joined(input: Tensor, other: Tensor, dim: int) -> None:
    if other.dim() != input.dim():
        raise RuntimeError(
            "diff expects prepend or append to be the same dimension as input, got "
            f"{other.dim()} and {input.dim()}"
        )
    along = dim % input.dim()
    for d, (have, want) in enumerate(zip(other.shape, input.shape, strict=True)):
        if d != along and have != want:
            raise RuntimeError(
                "diff expects the shape of tensor to prepend or append to match that of input "
                f"except along the differencing dimension; input.size({d}) = {want}, but got "
                f"tensor.size({d}) = {have}"
            )


def gradient(
    input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1
) -> tuple[Tensor, ...]:
    """The derivative of a function from its values `input`, along each of `dim`, by second-order
    central differences and, at the edges, one-sided ones of `edge_order` (1 or 2).

    Args:
        spacing: the distance of samples, one number or one for each dimension; or for each
            dimension a 1-d tensor of coordinates.

    >>> kagari.gradient(kagari.tensor([1.0, 4.0, 9.0]))
    (tensor([3., 4., 5.]),)
    """
    dims = _gradient_dims(input, dim)
    steps = _steps(input, spacing, dims)
    if edge_order not in (1, 2):
        raise RuntimeError(
            f"torch.gradient only supports edge_order=1 and edge_order=2, got {edge_order}"
        )
    for d in dims:
        if input.shape[d] < edge_order + 1:
            raise RuntimeError(
                "torch.gradient expected each dimension size to be at least edge_order+1, got "
                f"{input.shape[d]} in dimension {d}"
            )
    return tuple(
        _by_coordinates(input, d, step, edge_order)
        if isinstance(step, Tensor)
        else _by_step(input, d, step, edge_order)
        for d, step in zip(dims, steps, strict=True)
    )


def _gradient_dims(input: Tensor, dim: Any) -> list[int]:
    given = range(input.dim()) if dim is None else [dim] if isinstance(dim, int) else dim
    dims = []
    for d in given:
        if not -input.dim() <= d < input.dim():
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-input.dim()}, "
                f"{input.dim() - 1}], but got {d})"
            )
        if d % input.dim() in dims:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
        dims.append(d % input.dim())
    return dims


def _steps(input: Tensor, spacing: Any, dims: list[int]) -> Sequence[Any]:
    """For each dimension a number or a tensor of coordinates."""
    if input.dtype is kagari.uint8 or input.dtype is kagari.bool:
        raise RuntimeError(f"torch.gradient does not support {input.dtype} input")
    if spacing is None:
        spacing = 1
    if isinstance(spacing, Tensor) and spacing.dim() == 0:
        spacing = spacing.item()
    if isinstance(spacing, (int, float, complex)):
        return [spacing] * len(dims)
    steps = [spacing] if isinstance(spacing, Tensor) else list(spacing)
    if len(steps) != len(dims):
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length "
            f"equal to the number of dimensions {len(dims)}, but got a list of length {len(steps)}"
        )
    for step, d in zip(steps, dims, strict=True):
        if not isinstance(step, Tensor):
            continue
        if step.dim() != 1:
            raise RuntimeError(
                "torch.gradient expected each element of spacing to have one dimension, but got an "
                f"element with {step.dim()}"
            )
        if step.numel() != input.shape[d]:
            raise RuntimeError(
                f"torch.gradient expected a coordinate for each of {input.shape[d]} samples in "
                f"dimension {d}, got {step.numel()}"
            )
        if step.device != input.device:
            raise RuntimeError(
                "torch.gradient expected input and spacing on one device, got "
                f"{input.device} and {step.device}"
            )
    return steps


def _by_step(input: Tensor, dim: int, step: Any, edge_order: int) -> Tensor:
    n = input.shape[dim]

    def at(start: int, length: int = 1) -> Tensor:
        return input.narrow(dim, start % n, length)

    middle = (at(2, n - 2) - at(0, n - 2)) / (2 * step) if n > 2 else at(0, 0) / step
    if edge_order == 1:
        first, last = (at(1) - at(0)) / step, (at(-1) - at(-2)) / step
    else:
        first = (-1.5 * at(0) + 2 * at(1) - 0.5 * at(2)) / step
        last = (1.5 * at(-1) - 2 * at(-2) + 0.5 * at(-3)) / step
    return kagari.cat([first.to(middle.dtype), middle, last.to(middle.dtype)], dim)


def _by_coordinates(input: Tensor, dim: int, places: Tensor, edge_order: int) -> Tensor:
    """Fornberg's weights for unequal steps, as NumPy's `gradient` states them."""
    n = input.shape[dim]
    shape = [-1 if d == dim else 1 for d in range(input.dim())]
    steps = diff(places)
    before, after = (steps[a : a + n - 2].reshape(shape) for a in (0, 1))

    def at(start: int, length: int = 1) -> Tensor:
        return input.narrow(dim, start % n, length)

    low = -after / (before * (before + after))
    high = before / (after * (before + after))
    centre = (after - before) / (before * after)
    count = n - 2
    middle = low * at(0, count) + centre * at(1, count) + high * at(2, count)
    if edge_order == 1:
        first, last = (at(1) - at(0)) / steps[0], (at(-1) - at(-2)) / steps[-1]
    else:
        a, b = steps[0], steps[1]
        first = at(1) * (a + b) / (a * b) - at(0) * (2 * a + b) / (a * (a + b))
        first = first - at(2) * a / (b * (a + b))
        b, a = steps[-2], steps[-1]
        last = at(-3) * a / (b * (a + b)) - at(-2) * (a + b) / (a * b)
        last = last + at(-1) * (2 * a + b) / (a * (a + b))
    return kagari.cat([first.to(middle.dtype), middle, last.to(middle.dtype)], dim)
