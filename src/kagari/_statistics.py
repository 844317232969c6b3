"""Order statistics and means that leave NaN out: median, mode, quantile and their relatives. They
are made of sorting and gathering, so their gradients are those ops' own."""

from collections import namedtuple
from typing import Any

import kagari
from kagari import _C
from kagari import _ops as ops
from kagari._C import Tensor
from kagari._outputs import written

median_result = namedtuple("median_result", "values indices")
nanmedian_result = namedtuple("nanmedian_result", "values indices")
mode_result = namedtuple("mode_result", "values indices")
INTERPOLATIONS = ("linear", "lower", "higher", "nearest", "midpoint")


def _missing(values: Tensor, dim: int) -> Tensor:
    """How many elements along `dim` are NaN."""
    return values.isnan().sum(dim, keepdim=True)


def _ranked(input: Tensor, dim: int, ignore_nan: bool) -> tuple[Tensor, Tensor]:
    """The lower median along `dim` (kept) and its index. NaN is sorted last: unless it is ignored,
    the first NaN is the median of a row that has one."""
    values, order = input.sort(dim, stable=True)
    size = input.shape[dim] if input.dim() else 1
    if not (input.is_floating_point() and input.dim()):
        rank = kagari.full_like(order.narrow(dim, 0, 1) if input.dim() else order, (size - 1) // 2)
    else:
        missing = _missing(values, dim)
        if ignore_nan:
            rank = ((size - missing - 1) // 2).clamp(min=0)
        else:
            rank = kagari.where(missing > 0, size - missing, (size - 1) // 2)
    if not input.dim():
        return values, order
    return values.gather(dim, rank), order.gather(dim, rank)


def _median(name: str, input: Tensor, dim: int | None, keepdim: bool, ignore_nan: bool):
    if input.is_complex():
        raise RuntimeError(f"{name}(): expected an input of a real dtype, got {input.dtype}")
    if dim is None:
        if input.numel() == 0:
            return kagari.full((), float("nan"), dtype=input.dtype, device=input.device)
        return _ranked(input.reshape(-1), 0, ignore_nan)[0].squeeze(0)
    if input.dim() and input.shape[dim] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")
    values, indices = _ranked(input, dim, ignore_nan)
    if not keepdim and input.dim():
        values, indices = values.squeeze(dim), indices.squeeze(dim)
    return (nanmedian_result if ignore_nan else median_result)(values, indices)


def median(input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The median of all elements, or of each row along `dim` with its index; of two, the lower."""
    return written(_median("median", input, dim, keepdim, False), out, "median")


def nanmedian(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, out: Any = None
) -> Any:
    """The median of the elements that are not NaN."""
    return written(_median("nanmedian", input, dim, keepdim, True), out, "nanmedian")


def mode(input: Tensor, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> mode_result:
    """The most frequent value along `dim`, the smallest of equally frequent ones, and an index."""
    return written(_mode(input, dim, keepdim), out, "mode")


def _mode(input: Tensor, dim: int, keepdim: bool) -> mode_result:
    if input.dim() == 0:
        return mode_result(input, kagari.zeros((), dtype=kagari.int64, device=input.device))
    if input.shape[dim] == 0:
        raise IndexError(f"mode(): Expected reduction dim {dim} to have non-zero size.")
    values, order = input.detach().sort(dim, stable=True)
    size = input.shape[dim]
    starts = kagari.ones_like(values, dtype=kagari.bool)
    if size > 1:
        fresh = values.narrow(dim, 1, size - 1) != values.narrow(dim, 0, size - 1)
        starts = kagari.cat([starts.narrow(dim, 0, 1), fresh], dim)
    shape = [size if d == dim % input.dim() else 1 for d in range(input.dim())]
    place = kagari.arange(size, device=input.device).reshape(shape)
    first = kagari.where(starts, place, 0).cummax(dim).values
    best = (place - first).max(dim, keepdim=True).indices  # the end of the first longest run
    index = order.gather(dim, best)
    found = input.gather(dim, index)
    if not keepdim:
        found, index = found.squeeze(dim), index.squeeze(dim)
    return mode_result(found, index)


def nanmean(
    input: Tensor,
    dim: int | tuple[int, ...] | None = None,
    keepdim: bool = False,
    *,
    dtype: kagari.dtype | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """The mean of the elements that are not NaN."""
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got "
            f"{input.dtype}"
        )
    present = input.isnan().logical_not().sum(dim, keepdim)
    result = ops.nansum(input, dim, keepdim, dtype=dtype) / present
    return written(result, out, "nanmean")


def _check_quantile(name: str, input: Tensor, q: Tensor, interpolation: str) -> None:
    if input.dtype not in (kagari.float32, kagari.float64):
        raise RuntimeError(
            f"{name}() input tensor must be either float or double dtype, got {input.dtype}"
        )
    if input.numel() == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if q.dim() > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor, got shape {tuple(q.shape)}")
    if q.dtype != input.dtype:
        raise RuntimeError(
            f"{name}() q tensor must be same dtype as the input tensor, got {q.dtype}"
        )
    if interpolation not in INTERPOLATIONS:
        raise RuntimeError(
            f"{name}() interpolation must be one of {INTERPOLATIONS}, but got {interpolation}"
        )
    given = _C._all_samples(q)
    if given.numel() and not q.is_meta and not bool(((given >= 0) & (given <= 1)).all()):
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")


def _quantile(
    name: str, input: Tensor, q, dim: int | None, keepdim: bool, interpolation: str, ignore: bool
) -> Tensor:
    q = q if isinstance(q, Tensor) else kagari.tensor(q, dtype=input.dtype, device=input.device)
    _check_quantile(name, input, q, interpolation)
    rows = input.reshape(-1) if dim is None else input.movedim(dim, -1) if input.dim() else input
    rows = rows.reshape(1) if rows.dim() == 0 else rows
    values = rows.sort(-1).values
    last = values.shape[-1] - 1
    missing = _missing(values, -1)
    places = q.reshape(-1) * ((last - missing) if ignore else kagari.full_like(missing, last))
    places = places.clamp(min=0)
    if interpolation == "nearest":
        places = places.round()
    below, above = places.floor(), places.ceil()
    low = values.gather(-1, below.to(kagari.int64))
    high = values.gather(-1, above.to(kagari.int64))
    share = {"lower": 0.0, "higher": 1.0, "midpoint": 0.5}.get(interpolation, places - below)
    share = kagari.where(below == above, 0.0, share)
    found = kagari.where(share == 0, low, low + (high - low) * share)
    if not ignore:
        found = kagari.where(missing > 0, float("nan"), found)
    return _shaped(found, input, q, dim, keepdim)


def _shaped(found: Tensor, input: Tensor, q: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    """The values, whose last dimension is q's, as PyTorch arranges them: q comes first."""
    found = found.movedim(-1, 0)
    if keepdim and dim is None:
        found = found.reshape(-1, *[1] * input.dim())
    elif keepdim and dim is not None and input.dim():
        found = found.unsqueeze(dim % input.dim() + 1)
    if not keepdim and input.dim() == 0:
        found = found.reshape(-1)
    return found.squeeze(0) if q.dim() == 0 else found


def quantile(
    input: Tensor,
    q: "float | Tensor",
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """The q-th quantiles of all elements or along `dim`; NaN where a row has one."""
    result = _quantile("quantile", input, q, dim, keepdim, interpolation, False)
    return written(result, out, "quantile")


def nanquantile(
    input: Tensor,
    q: "float | Tensor",
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Tensor | None = None,
) -> Tensor:
    """The q-th quantiles of the elements that are not NaN."""
    result = _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)
    return written(result, out, "nanquantile")


__all__ = ["median", "mode", "nanmean", "nanmedian", "nanquantile", "quantile"]
for _name in __all__:
    setattr(Tensor, _name, globals()[_name])
