"""Integrals of sampled functions by the trapezoidal rule: trapezoid, cumulative_trapezoid."""

from typing import Any

import kagari
from kagari import Tensor


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integral of `y` along `dim`, its points at `x` or at distance `dx` (1 by default).

    `x` is 1-d, with one point for each sample, or broadcasts with `y`. RuntimeError for bool, for
    points that do not fit and for both `x` and `dx`.

    >>> kagari.trapezoid(kagari.tensor([1.0, 5.0, 10.0]))
    tensor(10.5000)
    """
    steps = _steps("trapezoid", y, x, dx, dim)
    if y.shape[dim] == 0:
        shape = [s for d, s in enumerate(y.shape) if d != dim % y.dim()]
        return kagari.zeros(shape, dtype=y.dtype, device=y.device)
    if isinstance(steps, Tensor):
        return (_pairs(y, dim) * steps).sum(dim) / 2.0
    return (y.sum(dim) - (y.select(dim, 0) + y.select(dim, -1)) * 0.5) * steps


def trapz(y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """`trapezoid` under its older name.

    >>> kagari.trapz(kagari.tensor([1.0, 5.0, 10.0]), dx=2)
    tensor(21.)
    """
    return trapezoid(y, x, dx=dx, dim=dim)


def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: Any = None, dim: int = -1
) -> Tensor:
    """The integrals up to each sample but the first; arguments as of `trapezoid`.

    >>> kagari.cumulative_trapezoid(kagari.tensor([1.0, 5.0, 10.0]))
    tensor([ 3.0000, 10.5000])
    """
    steps = _steps("cumulative_trapezoid", y, x, dx, dim)
    return (_pairs(y, dim) * steps).cumsum(dim) / 2.0


def _pairs(y: Tensor, dim: int) -> Tensor:
    """The sums of neighbours."""
    size = y.shape[dim]
    length = max(size - 1, 0)
    return y.narrow(dim, 0, length) + y.narrow(dim, min(1, size), length)


def _steps(op: str, y: Tensor, x: Tensor | None, dx: Any, dim: int) -> Any:
    """The distance of samples: a number, or a tensor that broadcasts with the pairs of `y`."""
    if not -y.dim() <= dim < y.dim():
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-max(y.dim(), 1)}, "
            f"{max(y.dim(), 1) - 1}], but got {dim})"
        )
    if y.dtype is kagari.bool or (x is not None and x.dtype is kagari.bool):
        raise RuntimeError(f"{op}: received a bool input for `x` or `y`, but bool is not supported")
    if x is None:
        if isinstance(dx, complex):
            raise RuntimeError(f"{op}: Currently, we only support dx as a real number.")
        return 1 if dx is None else dx
    if dx is not None:
        raise TypeError(f"{op}(): expected one of x and dx, got both")
    along = dim % y.dim()
    if x.dim() == 1:
        if x.shape[0] != y.shape[along]:
            raise RuntimeError(
                f"{op}: There must be one `x` value for each sample point, got {x.shape[0]} for "
                f"{y.shape[along]}"
            )
        x = x.reshape([-1 if d == along else 1 for d in range(y.dim())])
    elif x.dim() < y.dim():
        x = x.reshape([1] * (y.dim() - x.dim()) + list(x.shape))
    length = max(x.shape[dim] - 1, 0)
    return x.narrow(dim, min(1, x.shape[dim]), length) - x.narrow(dim, 0, length)
