"""Random ops: refused, drawn once for all samples, or drawn for each, as vmap's randomness says."""

from typing import Any

import kagari
from kagari._C import Tensor

from .samples import AsIs, Samples, rule, run


def _allowed(samples: Samples) -> bool:
    """Is every sample to get its own draw? RuntimeError if none may be drawn."""
    if samples.randomness == "error":
        raise RuntimeError(
            "vmap: called random operation while in randomness error mode. Please either use the "
            "'same' or 'different' randomness flags on vmap or perform the randomness operation "
            "out of vmap"
        )
    return samples.randomness == "different"


def _not_the_same(op: Any) -> RuntimeError:
    return RuntimeError(
        f"vmap: {op.name}: Vmap does not currently support same randomness with a batched tensor "
        "input; use randomness='different', or draw before vmap"
    )


@rule("_rand", "_randn", watched=True)
def fresh(samples: Samples, op: Any, size: Any, *rest: Any) -> Any:
    if _allowed(samples):
        return run(op, [samples.size, *size], *rest)
    return AsIs(run(op, size, *rest))


@rule("_empty", watched=True)
def room(samples: Samples, op: Any, size: Any, *rest: Any) -> Any:
    """Samplers make room and then draw into it: each sample gets its own where draws differ."""
    if samples.randomness == "different":
        return run(op, [samples.size, *size], *rest)
    return AsIs(run(op, size, *rest))


@rule("_randperm", watched=True)
def randperm(
    samples: Samples, op: Any, n: int, generator: Any, dtype: Any, device: Any
) -> Any:  # fmt: skip
    if not _allowed(samples):
        return AsIs(run(op, n, generator, dtype, device))
    keys = kagari.rand(samples.size, n, generator=generator, dtype=kagari.float64, device=device)
    return keys.argsort(1).to(dtype)


@rule(
    "cauchy_", "exponential_", "geometric_", "log_normal_", "normal_", "random_", "uniform_",
    watched=True,
)  # fmt: skip
def drawn_into(samples: Samples, op: Any, x: Tensor, *rest: Any) -> Any:
    each = _allowed(samples)
    if samples.has(x) and each:
        return run(op, samples.peek(x), *rest)
    if samples.has(x):
        one = kagari.empty(x.shape, dtype=x.dtype, device=x.device)
        return samples.peek(x).copy_(run(op, one, *rest))
    if each:
        raise RuntimeError(
            "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will "
            f"appear like same randomness. {op.name}: write to a tensor that is batched, or use "
            "randomness='same'"
        )
    return AsIs(run(op, x, *rest))


@rule("bernoulli_", watched=True)
def bernoulli_into(samples: Samples, op: Any, x: Tensor, p: Any, generator: Any) -> Any:
    if not samples.has(p):
        return drawn_into(samples, op, x, p, generator)
    if not _allowed(samples):
        raise _not_the_same(op)
    target, chances = samples.written(x, op), samples.front(p, x.dim())
    return run(op, target, chances.expand(target.shape), generator)


@rule("bernoulli", "poisson", "_standard_gamma", "_sample_dirichlet", watched=True)
def by_element(samples: Samples, op: Any, x: Tensor, *rest: Any) -> Any:
    if _allowed(samples):
        return run(op, samples.front(x).contiguous(), *rest)
    if samples.has(x):
        raise _not_the_same(op)
    return AsIs(run(op, x, *rest))


@rule("binomial", watched=True)
def binomial(samples: Samples, op: Any, count: Tensor, p: Tensor, generator: Any) -> Any:
    dims = max(count.dim(), p.dim())
    if _allowed(samples):
        return run(op, samples.front(count, dims), samples.front(p, dims), generator)
    if samples.has(count) or samples.has(p):
        raise _not_the_same(op)
    return AsIs(run(op, count, p, generator))


@rule("_normal_of")
def normal_of(samples: Samples, op: Any, drawn: Tensor, parameters: Any) -> Any:
    return run(op, samples.front(drawn), [samples.front(p, drawn.dim()) for p in parameters])


@rule("multinomial", watched=True)
def multinomial(samples: Samples, op: Any, x: Tensor, *rest: Any) -> Any:
    if not _allowed(samples):
        if samples.has(x):
            raise _not_the_same(op)
        return AsIs(run(op, x, *rest))
    rows = samples.front(x)
    found = run(op, rows.reshape(-1, x.shape[-1]), *rest)
    return found.reshape(*rows.shape[:-1], -1)


@rule("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout", watched=True)
def dropout(samples: Samples, op: Any, x: Tensor, p: float, train: bool) -> Any:
    if not train or p == 0:
        return run(op, samples.peek(x), p, train) if samples.has(x) else _plain(op, x, p, train)
    each = _allowed(samples)
    if each:
        rows = samples.front(x).contiguous()
        if not op.name.startswith("feature"):
            return run(op, rows, p, train)
        found = run(op, rows.flatten(0, 1), p, train)  # masks are made by (sample, channel)
        return found.reshape(rows.shape)
    if not samples.has(x):
        return _plain(op, x, p, train)
    if "alpha" in op.name:
        raise _not_the_same(op)
    ones = kagari.ones(x.shape, dtype=x.dtype, device=x.device)
    return samples.peek(x) * run(op, ones, p, train)


def _plain(op: Any, *args: Any) -> AsIs:
    return AsIs(run(op, *args))


@rule(
    "dropout_", "alpha_dropout_", "feature_dropout_", "feature_alpha_dropout_", watched=True
)  # fmt: skip
def dropout_into(samples: Samples, op: Any, x: Tensor, p: float, train: bool) -> Any:
    if train and p and _allowed(samples) and not samples.has(x):
        raise RuntimeError(
            "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will "
            f"appear like same randomness: {op.name}"
        )
    if not samples.has(x):
        return AsIs(run(op, x, p, train))
    function = getattr(kagari, op.name.removesuffix("_"))
    with samples.running():
        found = function(x, p, train)
    return samples.peek(x).copy_(samples.peek(found))
