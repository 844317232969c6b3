"""Transforms by forward-mode differentiation: jvp, linearize, jacfwd, hessian."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from .. import _C
from .._C import Tensor
from ..autograd.forward_ad import dual, parts
from ..autograd.forward_rules import transpose
from ..autograd.modes import enable_grad
from ..utils._pytree import tree_flatten, tree_map, tree_map_only, tree_unflatten
from .arguments import Argnums, checked_argnums, chosen, replaced, split_aux, tensors_only
from .levels import active
from .mapping import vmap
from .reverse import Level


class _Level:
    """A level of dual tensors for one transform."""

    def __enter__(self) -> int:
        self.id = _C._enter_dual_level()
        return self.id

    def __exit__(self, *exception: object) -> None:
        _C._exit_dual_level(self.id)


def _checked_inputs(primals: Any, tangents: Any) -> tuple[list[Tensor], list[Tensor], Any]:
    name = "jvp(f, primals, tangents)"
    if not isinstance(primals, tuple):
        raise RuntimeError(
            f"{name}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    flat, spec = tree_flatten(primals)
    along, other = tree_flatten(tangents)
    if spec != other:
        raise RuntimeError(
            f"{name}: Expected primals and tangents to have the same python structure. For "
            "example, if primals is a tuple of 3 tensors, tangents also must be. Got primals with "
            f"structure {spec!r} and tangents with structure {other!r}"
        )
    for what, values in (("primals", flat), ("tangents", along)):
        if not values:
            raise RuntimeError(f"{name}: Expected {what} to contain at least one Tensor.")
        for value in values:
            if not isinstance(value, Tensor):
                raise RuntimeError(
                    f"{name}: Expected {what} to only contain Tensors, got {type(value)}"
                )
    return flat, along, spec


def jvp(
    func: Callable[..., Any],
    primals: Any,
    tangents: Any,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """(func(*primals), its derivative along `tangents`), computed side by side; with `has_aux`,
    for a `func` that returns (value, aux), (value, derivative, aux).

    `primals` is a tuple of tensors, or dicts, lists and tuples of them; `tangents` has the same
    structure, shapes and dtypes. An output that does not depend on the primals has the
    derivative 0, or with `strict` is an error. RuntimeError where `func` returns anything but
    tensors.

    >>> kagari.func.jvp(kagari.sin, (kagari.zeros(()),), (kagari.tensor(2.0),))
    (tensor(0.), tensor(2.))
    """
    flat, along, spec = _checked_inputs(primals, tangents)
    name = "jvp(f, primals, tangents)"
    with _Level() as level:
        duals = [dual(x, t, level) for x, t in zip(flat, along, strict=True)]
        output = func(*tree_unflatten(duals, spec))
        value, aux = split_aux(output, name) if has_aux else (output, None)
        outputs, out_spec = tree_flatten(value)
        tensors_only(outputs, f"{name}: expected f(*primals) to return only tensors")
        pairs = [parts(o, level) for o in outputs]
        aux = tree_map_only(Tensor, lambda t: parts(t, level)[0], aux)
    if strict and any(t is None for _, t in pairs):
        raise RuntimeError(
            f"{name}: The output of f is independent of the inputs. This is not allowed with "
            "strict=True."
        )
    values = tree_unflatten([v for v, _ in pairs], out_spec)
    derivatives = tree_unflatten([_or_zeros(t, v) for v, t in pairs], out_spec)
    return (values, derivatives, aux) if has_aux else (values, derivatives)


def _or_zeros(tangent: Tensor | None, value: Tensor) -> Tensor:
    from .. import zeros_like

    return zeros_like(value) if tangent is None else tangent


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """(func(*primals), jvp_fn): `jvp_fn(*tangents)` is the derivative there, for any number of
    directions, without running `func` again.

    >>> value, along = kagari.func.linearize(kagari.sin, kagari.zeros(()))
    >>> along(kagari.tensor(2.0))
    tensor(2.)
    """
    level = Level()
    with enable_grad():
        inputs = tree_map(level.alias, primals)
        outputs, out_spec = tree_flatten(func(*inputs))
    leaves, spec = tree_flatten(inputs)

    def jvp_fn(*tangents: Any) -> Any:
        along, given = tree_flatten(tangents)
        if given != spec:
            raise RuntimeError(
                f"Expected the tangents {given!r} to have the same argspec as the primals {spec!r}"
            )
        for i, (t, x) in enumerate(zip(along, leaves, strict=True)):
            _check_like(i, "shape", t.shape, x.shape)
            _check_like(i, "dtype", t.dtype, x.dtype)
        later = Level()
        later.own = level.own
        tensors = [o for o in outputs if isinstance(o, Tensor)]
        create = later.outlives([*tensors, *along])
        with enable_grad():
            found = iter(transpose("linearize", tensors, leaves, along, create))
        results = [_or_zeros(next(found), o) if isinstance(o, Tensor) else o for o in outputs]
        return tree_unflatten(later.release(results), out_spec)

    return tree_unflatten(level.release(outputs), out_spec), jvp_fn


def _check_like(i: int, what: str, given: Any, expected: Any) -> None:
    if given != expected:
        raise RuntimeError(
            f"tangent:{i} with {what} {given} in flattened pytree doesn't match the {what} "
            f"{expected} of the corresponding primal."
        )


# --- all directions ------------------------------------------------------------------------------


def _basis(inputs: list[Tensor]) -> list[Tensor]:
    """One direction per element of the inputs: for each input, of shape (N, *input.shape)."""
    from .. import zeros

    total, start, made = sum(x.numel() for x in inputs), 0, []
    for x in inputs:
        rows = zeros(total, x.numel(), dtype=x.dtype, device=x.device)
        rows.diagonal(-start).fill_(1)
        made.append(rows.reshape(total, *x.shape))
        start += x.numel()
    return made


def _split(columns: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    """Columns of shape (*output.shape, N) as one Jacobian per input."""
    parts = columns.split([x.numel() for x in inputs], -1)
    shape = columns.shape[:-1]
    return [part.reshape(*shape, *x.shape) for part, x in zip(parts, inputs, strict=True)]


def _check_real(values: list[Any], what: str) -> None:
    for i, value in enumerate(values):
        if isinstance(value, Tensor) and value.dtype.is_complex:
            raise RuntimeError(
                f"jacfwd: Expected all {what}s to be real but received complex tensor at flattened "
                f"{what} idx: {i}"
            )


def jacfwd(
    func: Callable[..., Any],
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that returns the Jacobian of `func`, a column per element of the arguments that
    `argnums` names, all in one pass: it suits functions with more outputs than inputs.

    For each output it has the structure of those arguments, of shape `output.shape + input.shape`.
    `chunk_size`: that many columns at a time, for less memory; `randomness` as in vmap.
    RuntimeError for complex inputs or outputs, or results that are not tensors.

    >>> kagari.func.jacfwd(kagari.sin)(kagari.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        where = checked_argnums(argnums, len(args))
        primals = chosen(args, where)
        inputs, spec = tree_flatten(primals)
        _check_real(inputs, "input")
        aux: Any = None

        def along(*tangents: Tensor) -> Any:
            nonlocal aux
            active()[-1].tangents_only = randomness != "different"
            direction = tree_unflatten(tangents, spec)

            def run(primals: Any) -> Any:
                return func(*replaced(args, where, primals), **kwargs)

            found = jvp(run, (primals,), (direction,), has_aux=has_aux)
            aux = found[2] if has_aux else None
            _check_real(tree_flatten(found[1])[0], "output")
            return found[1]

        columns = vmap(along, out_dims=-1, randomness=randomness, chunk_size=chunk_size)(
            *_basis(inputs)
        )
        jacobian = tree_map(lambda c: tree_unflatten(_split(c, inputs), spec), columns)
        return (jacobian, aux) if has_aux else jacobian

    return wrapper


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that returns the second derivatives of `func`, forward over reverse, of shape
    `output.shape + input.shape + input.shape`; with several arguments a tuple of tuples.

    >>> kagari.func.hessian(lambda x: (x**3).sum())(kagari.ones(2))
    tensor([[6., 0.],
            [0., 6.]])
    """
    from . import jacrev

    return jacfwd(jacrev(func, argnums), argnums)
