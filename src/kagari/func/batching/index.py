"""Indexing, gathering and scattering: where the indices differ by sample, the number of the sample
becomes one more index."""

from typing import Any

import kagari
from kagari._C import Tensor

from .samples import Samples, composite, ranked, rule, run, wrapped


def _depends_on_data(samples: Samples, op: Any, *args: Any) -> Any:
    raise RuntimeError(
        f"vmap: We do not support batching operators that can output dynamic shape: the shape of "
        f"what {op.name} returns depends on values, and may differ by sample. Use ops whose shape "
        "is known (where, masked_fill, topk), or call it outside vmap"
    )


for _name in ("nonzero", "_unique", "_unique_values", "bincount", "_repeats_to_places"):
    rule(_name)(_depends_on_data)


@rule("masked_select")
def masked_select(samples: Samples, op: Any, x: Tensor, mask: Tensor) -> Any:
    if samples.has(mask):
        _depends_on_data(samples, op)
    rank = max(x.dim(), mask.dim())
    rows, mask = kagari.broadcast_tensors(samples.front(x, rank), mask)
    return rows.reshape(samples.size, -1)[:, mask[0].reshape(-1)]


# --- index and index_put -------------------------------------------------------------------------


class _Plan:
    """The indexed dimensions of `x` in front of the others, and where the chosen ones belong.

    `front`: x with its dimensions as (samples, indexed, others); `indices`: for it, the number of
    the sample among them where needed; `at`: where among the others' dimensions the `rank`
    dimensions of the indices stand in a result.
    """

    def __init__(self, samples: Samples, op: Any, x: Tensor, indices: Any, numbered: bool) -> None:
        dims: list[int] = []
        given: list[Tensor] = []
        dim = 0
        for i in indices:
            if i is None:
                dim += 1
                continue
            if i.dtype in (kagari.bool, kagari.uint8):
                if samples.has(i):
                    _depends_on_data(samples, op)
                parts = i.nonzero().unbind(1)
                dims.extend(range(dim, dim + i.dim()))
                given.extend(parts)
                dim += i.dim()
                continue
            dims.append(dim)
            given.append(i)
            dim += 1
        adjacent = dims == list(range(dims[0], dims[0] + len(dims))) if dims else True
        self.at = dims[0] if dims and adjacent else 0
        self.rank = max((i.dim() for i in given), default=0)
        others = [d for d in range(x.dim()) if d not in dims]
        order = [0, *(d + 1 for d in dims), *(d + 1 for d in others)]
        self.front = samples.front(x).permute(order)
        self.back = [order.index(d) for d in range(len(order))]
        numbered |= any(samples.has(i) for i in given)
        self.indices: list[Any] = [samples.iota(self.rank) if numbered else None]
        for i in given:
            i = ranked(samples.peek(i), self.rank) if samples.has(i) else i
            self.indices.append(i)


@rule("index")
def index(samples: Samples, op: Any, x: Tensor, indices: Any) -> Tensor:
    plan = _Plan(samples, op, x, indices, numbered=False)
    found = run(op, plan.front, plan.indices)
    chosen = list(range(1, plan.rank + 1))
    return found.movedim(chosen, [d + plan.at for d in chosen])


@rule("index_put", "index_put_")
def index_put(
    samples: Samples, op: Any, x: Tensor, indices: Any, values: Tensor, accumulate: bool
) -> Tensor:
    if op.name == "index_put_":
        samples.written(x, op)
    plan = _Plan(samples, op, x, indices, numbered=True)
    others = plan.front.dim() - len(plan.indices)
    if values.dim() > plan.rank + others:
        values = values.reshape(values.shape[values.dim() - plan.rank - others :])
    values = samples.front(values, plan.rank + others)
    chosen = list(range(1, plan.rank + 1))
    values = values.movedim([d + plan.at for d in chosen], chosen)
    found = run(op, plan.front, plan.indices, values, accumulate)
    return samples.peek(x) if op.name == "index_put_" else found.permute(plan.back)


@composite("take")
def take(x: Tensor, index: Tensor) -> Tensor:
    return x.reshape(-1)[index]


@composite("put")
def put(x: Tensor, index: Tensor, source: Tensor, accumulate: bool) -> Tensor:
    flat = x.reshape(-1).index_put((index.reshape(-1),), source.reshape(-1), accumulate)
    return flat.reshape(x.shape)


@composite("put_")
def put_(x: Tensor, index: Tensor, source: Tensor, accumulate: bool) -> Tensor:
    return x.copy_(put(x, index, source, accumulate))


# --- along one dimension -------------------------------------------------------------------------


@rule("gather", "scatter", "scatter_", "scatter_add", "scatter_add_", "scatter_reduce")
def elements(samples: Samples, op: Any, x: Tensor, dim: int, *rest: Any) -> Tensor:
    """One index per element: the same along the dimension behind the batch dimension."""
    given = samples.written(x, op) if op.name.endswith("_") else samples.front(x)
    args = [samples.front(arg) if isinstance(arg, Tensor) else arg for arg in rest]
    rank = max(x.dim(), 1)
    args = [_with_dims(arg, rank) if isinstance(arg, Tensor) else arg for arg in args]
    found = run(op, _with_dims(given, rank), wrapped(dim, x.dim()) + 1, *args)
    shape = rest[0].shape if op.name == "gather" else x.shape
    return found.reshape(samples.size, *shape) if found.dim() != len(shape) + 1 else found


def _with_dims(x: Tensor, rank: int) -> Tensor:
    return x.unsqueeze(1) if x.dim() == 1 and rank == 1 else x


@rule("index_select")
def index_select(samples: Samples, op: Any, x: Tensor, dim: int, index: Tensor) -> Tensor:
    dim = wrapped(dim, x.dim())
    if index.dim() > 1:
        raise IndexError("index_select: Index is supposed to be a vector")
    rows = samples.front(x)
    rows = rows.unsqueeze(1) if x.dim() == 0 else rows
    if not samples.has(index):
        found = run(op, rows, dim + 1, index)
    else:
        chosen = samples.peek(index).reshape(samples.size, -1)
        found = rows.movedim(dim + 1, 1)[samples.iota(1), chosen].movedim(1, dim + 1)
    return found.reshape(samples.size) if x.dim() == 0 else found


@rule(
    "index_add", "index_add_", "index_copy", "index_copy_", "index_fill", "index_fill_",
)  # fmt: skip
def rows_written(
    samples: Samples, op: Any, x: Tensor, dim: int, index: Tensor, source: Any, *rest: Any
) -> Tensor:
    """Samples with rows of their own are written as one tensor with the rows of all."""
    inplace = op.name.endswith("_")
    target = samples.written(x, op) if inplace else samples.front(x)
    dim = wrapped(dim, x.dim())
    rows = (target.unsqueeze(1) if x.dim() == 0 else target).movedim(dim + 1, 1)
    whole = rows.shape
    with samples.running():
        where = index.reshape(-1)
        where = where + (where < 0) * whole[1]
    places = (samples.iota(1) * whole[1] + samples.front(where)).reshape(-1)
    if isinstance(source, Tensor):
        source = samples.front(source)
        if op.name.startswith("index_fill"):
            source = source.reshape(-1, 1, *[1] * (len(whole) - 2))
            source = source.expand(samples.size, where.numel(), *whole[2:]).to(x.dtype)
        elif source.dim() - 1 > 0 and x.dim() > 0:
            source = source.movedim(dim + 1, 1)
        source = source.reshape(-1, *whole[2:])
    function = op.name.removesuffix("_")
    if function == "index_fill" and isinstance(source, Tensor):
        function = "index_copy"
    call = getattr(rows.reshape(-1, *whole[2:]), function)
    found = call(0, places, source, alpha=rest[0]) if rest else call(0, places, source)
    found = found.reshape(whole).movedim(1, dim + 1).reshape(target.shape)
    return target.copy_(found) if inplace else found


@rule("embedding")
def embedding(
    samples: Samples, op: Any, weight: Tensor, indices: Tensor, padding: int, *rest: Any
) -> Tensor:
    if not samples.has(weight):
        return run(op, weight, samples.peek(indices), padding, *rest)
    rows = samples.peek(weight)
    table = rows.reshape(-1, *rows.shape[2:])
    places = samples.front(indices)
    found = run(op, table, places + samples.iota(indices.dim()) * rows.shape[1], -1, *rest)
    if padding < 0:
        return found
    return kagari.where((places == padding).unsqueeze(-1), found.detach(), found)


# --- masks ---------------------------------------------------------------------------------------


@rule("masked_fill", "masked_fill_")
def masked_fill(samples: Samples, op: Any, x: Tensor, mask: Tensor, value: Any) -> Tensor:
    rank = max(x.dim(), mask.dim())
    inplace = op.name == "masked_fill_"
    given = samples.written(x, op) if inplace else samples.front(x, rank)
    mask = samples.front(mask, rank)
    if not samples.has(value):
        return run(op, given, mask, value)
    filled = kagari.where(mask, samples.front(value, rank).to(x.dtype), given)
    return given.copy_(filled) if inplace else filled


@composite("masked_scatter")
def masked_scatter(x: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    x, mask = kagari.broadcast_tensors(x, mask)
    if mask.numel() == 0:
        return x.clone()
    if source.numel() == 0:
        raise RuntimeError("masked_scatter: expected a source with elements, got none")
    which = (mask.reshape(-1).cumsum(0) - 1).clamp(0, source.numel() - 1)
    return kagari.where(mask, source.reshape(-1)[which].reshape(x.shape), x)


@composite("masked_scatter_")
def masked_scatter_(x: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    return x.copy_(masked_scatter(x, mask, source))


# --- searching and counting ----------------------------------------------------------------------


@rule("searchsorted")
def searchsorted(
    samples: Samples, op: Any, rows: Tensor, values: Any, int32: bool, right: bool, side: Any,
    sorter: Any,
) -> Tensor:  # fmt: skip
    shared = not samples.has(rows) and (sorter is None or not samples.has(sorter))
    if rows.dim() == 1 and shared:
        return run(op, rows, samples.peek(values), int32, right, side, sorter)
    if not isinstance(values, Tensor):
        values = kagari.tensor(values, dtype=rows.dtype)
    shape = [samples.size, *values.shape]
    values = samples.front(values)
    if rows.dim() == 1:
        values = values.reshape(samples.size, -1)
    sorter = None if sorter is None else samples.front(sorter).contiguous()
    found = run(
        op, samples.front(rows).contiguous(), values.contiguous(), int32, right, side, sorter
    )
    return found.reshape(shape)


@rule("one_hot")
def one_hot(samples: Samples, op: Any, x: Tensor, classes: int) -> Tensor:
    if classes < 0:
        raise RuntimeError(
            "vmap: one_hot with num_classes=-1 finds the number of classes in the values; pass "
            "num_classes"
        )
    return run(op, samples.peek(x), classes)
