"""Reductions, scans and what else works along dimensions: one rule, from the signature."""

from typing import Any

from kagari._C import Tensor

from .samples import Samples, rule, run, wrapped

# ops with a parameter `dim` that names dimensions of every tensor they take
ALONG = (
    "_exp_weighted_cumsum", "_log_softmax_backward_data", "_reverse_cumsum",
    "_softmax_backward_data", "all", "amax", "amin", "aminmax", "any", "argmax", "argmin",
    "argsort", "count_nonzero", "cummax", "cummin", "cumprod", "cumsum", "kthvalue", "log_softmax",
    "_logsumexp", "logcumsumexp", "max.dim", "mean", "min.dim", "nansum", "norm",
    "prod", "softmax", "sort", "std", "std.dim", "std_mean", "std_mean.dim", "sum", "topk", "var",
    "var.dim", "var_mean", "var_mean.dim", "vector_norm",
)  # fmt: skip


@rule(*ALONG)
def along(samples: Samples, op: Any, *args: Any) -> Any:
    """The op along the dimensions behind the batch dimension."""
    names = op.parameters
    at = names.index("dim")
    dim, rank = args[at], args[0].dim()
    given = [samples.front(arg) if isinstance(arg, Tensor) else arg for arg in args]
    if rank == 0:  # a sample is one element: a row of one
        given = [arg.unsqueeze(1) if isinstance(arg, Tensor) else arg for arg in given]
    several = "int[]" in op.schema.split(" dim")[0].rsplit(",", 1)[-1]
    keep = bool(args[names.index("keepdim")]) if "keepdim" in names else False
    shape: list[int] | None = None
    if several:
        dims = list(dim) if dim is not None else []
        given[at] = [wrapped(d, rank) + 1 for d in dims or range(max(rank, 1))]
    elif dim is not None:
        given[at] = wrapped(dim, rank) + 1
    else:  # None: over all elements, in order
        given[0] = given[0].reshape(samples.size, -1)
        given[at] = 1
        shape = [samples.size, *[1] * (rank if keep else 0)]
    if rank == 0:
        shape = [samples.size]
    found = run(op, *given)
    if shape is None:
        return found
    if isinstance(found, tuple):
        return tuple(part.reshape(shape) for part in found)
    return found.reshape(shape)


@rule("max", "min")
def extreme_of_all(samples: Samples, op: Any, x: Tensor) -> Tensor:
    rows = samples.front(x).reshape(samples.size, -1)
    return rows.amax(1) if op.name == "max" else rows.amin(1)


@rule("std.all", "var.all", "std_mean.all", "var_mean.all")
def moments_of_all(samples: Samples, op: Any, x: Tensor, unbiased: bool) -> Any:
    import kagari

    rows = samples.front(x).reshape(samples.size, -1)
    return getattr(kagari, op.name.removesuffix(".all"))(rows, 1, correction=int(unbiased))
