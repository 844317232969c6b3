"""Jacobians by reverse mode: the rows of the identity through one backward, under vmap."""

from collections.abc import Callable
from functools import wraps
from math import prod
from typing import Any

import kagari
from kagari import Tensor

from ..utils._pytree import tree_flatten, tree_unflatten
from .arguments import checked_argnums, chosen, replaced, tensors_only
from .mapping import vmap
from .reverse import vjp


def jacrev(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:
    """A function that returns the Jacobian of `func` by reverse mode: for every tensor of the
    result of `func`, of shape S, and every tensor of the arguments `argnums`, of shape I, a tensor
    of shape (*S, *I), nested as the result and then as the arguments.

    With `has_aux` `func` returns (result, aux), and the function (Jacobian, aux). `chunk_size`: how
    many elements of the result are differentiated at once (None: all). ValueError for a chunk_size
    below 1.

    >>> kagari.func.jacrev(kagari.sin)(kagari.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        where = checked_argnums(argnums, len(args))
        inputs = chosen(args, where)

        def of_inputs(*primals: Any) -> Any:
            given = primals if isinstance(where, tuple) else primals[0]
            return func(*replaced(args, where, given), **kwargs)

        primals = inputs if isinstance(where, tuple) else (inputs,)
        found = vjp(of_inputs, *primals, has_aux=has_aux)
        outputs, spec = tree_flatten(found[0])
        tensors_only(outputs, "jacrev: expected func to return only tensors")

        def pull_back(*starts: Tensor) -> list[Any]:
            return tree_flatten(found[1](tree_unflatten(starts, spec)))[0]

        rows = vmap(pull_back, chunk_size=chunk_size)(*_identity(outputs))
        parts = _split(outputs, rows)
        in_spec = tree_flatten(inputs)[1]
        result = tree_unflatten([tree_unflatten(part, in_spec) for part in parts], spec)
        return (result, found[2]) if has_aux else result

    return wrapper


def _identity(outputs: list[Tensor]) -> list[Tensor]:
    """The rows of the identity over the elements of all outputs, as cotangents of each."""
    sizes = [out.numel() for out in outputs]
    rows, start = [], 0
    for out, size in zip(outputs, sizes, strict=True):
        whole = kagari.zeros(sum(sizes), size, dtype=out.dtype, device=out.device)
        whole.diagonal(-start).fill_(1)
        rows.append(whole.reshape(sum(sizes), *out.shape))
        start += size
    return rows


def _split(outputs: list[Tensor], rows: list[Tensor]) -> list[list[Tensor]]:
    """By output, the Jacobians with respect to the inputs."""
    sizes = [prod(out.shape) for out in outputs]
    by_input = [part.split(sizes) for part in rows]
    return [
        [parts[i].reshape(*out.shape, *parts[i].shape[1:]) for parts in by_input]
        for i, out in enumerate(outputs)
    ]
