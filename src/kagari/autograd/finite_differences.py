"""Derivatives as finite differences and as differentiation gives them, for gradcheck to compare.

Slow ones are Jacobians, matrices of (elements of the input, elements of the output); fast ones are
projections of these on random directions.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .. import _C
from .._C import Tensor

Function = Callable[..., Any]


def tensors_of(values: Any) -> list[Tensor]:
    items = values if isinstance(values, (tuple, list)) else (values,)
    return [v for v in items if isinstance(v, Tensor)]


def differentiable(values: Any) -> list[Tensor]:
    return [t for t in tensors_of(values) if t.dtype.is_floating_point or t.dtype.is_complex]


def compared(outputs: Any) -> list[tuple[int, Tensor]]:
    """The outputs that have a gradient, numbered; all, if none has: then each must be constant."""
    numbered = list(enumerate(differentiable(outputs)))
    return [(o, t) for o, t in numbered if t.requires_grad] or numbered


def real_part(t: Tensor) -> Tensor:
    return t.real if t.dtype.is_complex else t


def inner(a: Tensor, b: Tensor) -> float:
    """The real inner product."""
    return complex((a.conj() * b).sum().item()).real


def basis(t: Tensor) -> Iterator[Tensor]:
    """The unit vectors of the shape and dtype of `t`."""
    for i in range(t.numel()):
        unit = t.detach().new_zeros(t.numel())
        unit[i] = 1
        yield unit.reshape(t.shape)


def numeric(func: Function, inputs: Sequence[Any], x: Tensor, along: Tensor, eps: float) -> Any:
    """Of every differentiable output, the central difference as `x`, one of the inputs, moves."""
    kept, sides = x.detach().clone(), []
    for step in (eps, -eps):
        x.data.copy_(kept + step * along)
        # with recording on, as `func` may itself take gradients
        sides.append([t.detach().clone() for t in differentiable(func(*inputs))])
    x.data.copy_(kept)
    return [(a - b) / (2 * eps) for a, b in zip(*sides, strict=True)]


def numeric_jacobians(func: Function, inputs: Sequence[Any], x: Tensor, eps: float) -> Any:
    """For the real and, of a complex `x`, the imaginary axis: of every output the Jacobian."""
    found = []
    for unit in (1, 1j) if x.dtype.is_complex else (1,):
        rows = [numeric(func, inputs, x, unit * along, eps) for along in basis(x)]
        outputs = differentiable(func(*inputs))
        found.append([stacked([row[o] for row in rows], t) for o, t in enumerate(outputs)])
    return found


def stacked(rows: list[Tensor], like: Tensor) -> Tensor:
    from .. import stack

    if not rows:
        return like.detach().new_zeros(0, like.numel())
    return stack([row.detach().reshape(-1) for row in rows])


def pulled_back(output: Tensor, inputs: list[Tensor], start: Tensor) -> list[Tensor | None]:
    from . import grad

    return list(grad([output], inputs, [start], retain_graph=True, allow_unused=True))


def backward_jacobian(output: Tensor, inputs: list[Tensor], seed: complex) -> list[Tensor]:
    """By backward from every element of the output: of every input the Jacobian."""
    from .. import zeros_like

    rows = [pulled_back(output, inputs, seed * unit) for unit in basis(output)]
    columns = []
    for i, x in enumerate(inputs):
        column = [row[i] for row in rows]
        given = [zeros_like(x) if grad is None else grad for grad in column]
        columns.append(stacked(given, x).T)
    return columns


def pushed_forward(
    func: Function, inputs: Sequence[Any], tangents: dict[int, Tensor]
) -> list[Tensor]:
    """By forward mode, of every differentiable output its tangent, where the inputs of these
    numbers have these."""
    from .. import zeros_like
    from .forward_ad import dual, parts

    level = _C._enter_dual_level()
    try:
        given = list(inputs)
        for i, tangent in tangents.items():
            primal = given[i].detach().requires_grad_(given[i].requires_grad)
            given[i] = dual(primal, tangent, level)
        pairs = [parts(t, level) for t in differentiable(func(*given))]
        found = [zeros_like(t) if tangent is None else tangent for t, tangent in pairs]
        return [t.detach() for t in found]
    finally:
        _C._exit_dual_level(level)


def forward_jacobian(func: Function, inputs: Sequence[Any], at: int, unit: complex) -> list[Tensor]:
    """By forward mode along every element of input number `at`: of every output the Jacobian."""
    rows = [pushed_forward(func, inputs, {at: unit * along}) for along in basis(inputs[at])]
    outputs = differentiable(func(*inputs))
    return [stacked([row[o] for row in rows], t) for o, t in enumerate(outputs)]
