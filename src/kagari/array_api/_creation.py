"""Making arrays by the array API standard, where it differs from kagari's own functions."""

from typing import Any

import kagari
from kagari import Tensor

__all__ = [
    "arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like",
    "linspace", "meshgrid", "ones", "ones_like", "tril", "triu", "zeros", "zeros_like",
]  # fmt: skip


def arange(
    start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """start, start + step, ... below stop; empty where the step leads away from it.

    >>> kagari.array_api.arange(3)
    tensor([0, 1, 2])
    """
    if stop is None:
        start, stop = 0, start
    if dtype is None and all(isinstance(x, int) for x in (start, stop, step)):
        dtype = kagari.int64
    if step != 0 and (stop - start) / step <= 0:
        return kagari.empty(0, dtype=dtype, device=device)
    return kagari.arange(start, stop, step, dtype=dtype, device=device)


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: Any = None) -> Tensor:
    """kagari.asarray: an array on the memory of `obj` where that is possible and not forbidden.

    >>> kagari.array_api.asarray([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    return kagari.asarray(obj, dtype=dtype, device=device, copy=copy)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """kagari.from_dlpack: an array on the memory of another library's.

    >>> kagari.array_api.from_dlpack(kagari.ones(2))
    tensor([1., 1.])
    """
    return kagari.from_dlpack(x, device=device, copy=copy)


def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Values undefined."""
    return kagari.empty(shape, dtype=dtype, device=device)


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Of that shape, zero."""
    return kagari.zeros(shape, dtype=dtype, device=device)


def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Of that shape, one."""
    return kagari.ones(shape, dtype=dtype, device=device)


def full(shape: Any, fill_value: complex, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Of that shape, all `fill_value`; its kind decides the dtype where none is given."""
    sizes = (shape,) if isinstance(shape, int) else shape
    return kagari.full(sizes, fill_value, dtype=dtype, device=device)


def empty_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """kagari.empty_like."""
    return kagari.empty_like(x, dtype=dtype, device=device)


def zeros_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """kagari.zeros_like."""
    return kagari.zeros_like(x, dtype=dtype, device=device)


def ones_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """kagari.ones_like."""
    return kagari.ones_like(x, dtype=dtype, device=device)


def full_like(
    x: Tensor, /, fill_value: complex, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """kagari.full_like."""
    return kagari.full_like(x, fill_value, dtype=dtype, device=device)


def eye(
    n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None
) -> Tensor:
    """Ones on the `k`-th diagonal.

    >>> kagari.array_api.eye(2, 3, k=1)
    tensor([[0., 1., 0.],
            [0., 0., 1.]])
    """
    columns = n_rows if n_cols is None else n_cols
    if k == 0:
        return kagari.eye(n_rows, columns, dtype=dtype, device=device)
    made = kagari.zeros(n_rows, columns, dtype=dtype, device=device)
    if -n_rows < k < columns:
        made.diagonal(k).fill_(1)
    return made


def linspace(
    start: complex,
    stop: complex,
    /,
    num: int,
    *,
    dtype: Any = None,
    device: Any = None,
    endpoint: bool = True,
) -> Tensor:
    """`num` numbers at equal distances from start to stop, which `endpoint` includes.

    >>> kagari.array_api.linspace(0, 1, 4, endpoint=False)
    tensor([0.0000, 0.2500, 0.5000, 0.7500])
    """
    if dtype is None and any(isinstance(x, complex) for x in (start, stop)):
        dtype = kagari.get_default_dtype().to_complex()
    if endpoint:
        return kagari.linspace(start, stop, num, dtype=dtype, device=device)
    return kagari.linspace(start, stop, num + 1, dtype=dtype, device=device)[:num]


def meshgrid(*arrays: Tensor, indexing: str = "xy") -> list[Tensor]:
    """Coordinate arrays from one-dimensional ones.

    >>> [g.shape for g in kagari.array_api.meshgrid(kagari.ones(2), kagari.ones(3))]
    [torch.Size([3, 2]), torch.Size([3, 2])]
    """
    return list(kagari.meshgrid(*arrays, indexing=indexing)) if arrays else []


def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """On and below the `k`-th diagonal; zero above."""
    return kagari.tril(x, k)


def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """On and above the `k`-th diagonal; zero below."""
    return kagari.triu(x, k)
