"""Derivatives compared with finite differences."""

from collections.abc import Callable, Sequence
from typing import Any

from .._C import Tensor


class GradcheckError(RuntimeError):
    """A derivative that differs from its finite differences."""


def _tensors(values: Any) -> list[Tensor]:
    items = values if isinstance(values, (tuple, list)) else (values,)
    return [v for v in items if isinstance(v, Tensor)]


def _differentiable(values: Any) -> list[Tensor]:
    return [t for t in _tensors(values) if t.dtype.is_floating_point or t.dtype.is_complex]


def _entries(t: Tensor) -> Any:
    """Index tuples of all elements."""
    from itertools import product

    return product(*(range(s) for s in t.shape))


def _flat(t: Tensor) -> list[complex]:
    return [complex(v) for v in t.detach().reshape(-1).tolist()]


def _numeric(
    func: Callable[..., Any], inputs: Sequence[Any], x: Tensor, which: int, eps: float
) -> list[list[tuple[complex, complex]]]:
    """Per element of `x`, the differences of output `which` along its real and imaginary axis."""

    def run() -> list[complex]:
        # with recording on, as `func` may itself take gradients
        return _flat(_differentiable(func(*inputs))[which])

    columns = []
    data = x.data
    for index in _entries(x):
        kept = data[index].item()
        steps = (eps, eps * 1j) if x.dtype.is_complex else (eps,)
        found = []
        for step in steps:
            data[index] = kept + step
            above = run()
            data[index] = kept - step
            below = run()
            data[index] = kept
            found.append([(a - b) / (2 * eps) for a, b in zip(above, below, strict=True)])
        if len(found) == 1:
            found.append([0j] * len(found[0]))
        columns.append(list(zip(*found, strict=True)))
    return columns


def _analytic(output: Tensor, inputs: list[Tensor]) -> list[list[Any]]:
    """Rows of gradients: for each element of the output (and, for a complex one, for 1 and 1j) the
    gradient of every input."""
    from . import grad

    rows = []
    for index in _entries(output):
        for seed in (1.0, 1j) if output.dtype.is_complex else (1.0,):
            start = output.detach().clone().zero_()
            start[index] = seed
            rows.append(list(grad([output], inputs, [start], retain_graph=True, allow_unused=True)))
    return rows


def _expected(numeric: tuple[complex, complex], seed: complex, is_complex: bool) -> complex:
    """The gradient that backward should give for one output and one input element: PyTorch's
    convention is the conjugate Wirtinger derivative of the real part of conj(seed) * output."""
    along_real = (seed.conjugate() * numeric[0]).real
    along_imag = (seed.conjugate() * numeric[1]).real
    return complex(along_real, along_imag) if is_complex else complex(along_real)


def _compare(
    func: Callable[..., Any], inputs: Sequence[Any], eps: float, atol: float, rtol: float
) -> None:
    """Compares every element of the Jacobians."""
    wanted = [t for t in _tensors(inputs) if t.requires_grad]
    for o, output in _compared(func(*inputs)):
        rows = _analytic(output, wanted) if output.requires_grad else []
        seeds = (1 + 0j, 1j) if output.dtype.is_complex else (1 + 0j,)
        rows = rows or [[None] * len(wanted)] * (output.numel() * len(seeds))
        for i, x in enumerate(wanted):
            numeric = _numeric(func, inputs, x, o, eps)
            for r, row in enumerate(rows):
                got = [0j] * x.numel() if row[i] is None else _flat(row[i])
                element, seed = divmod(r, len(seeds))
                for k, value in enumerate(got):
                    expected = _expected(numeric[k][element], seeds[seed], x.dtype.is_complex)
                    if not abs(value - expected) <= atol + rtol * abs(expected):
                        raise GradcheckError(
                            f"Jacobian mismatch for output {o} with respect to input {i}, element "
                            f"{element} of the output and {k} of the input: numerical {expected}, "
                            f"analytical {value} (atol {atol}, rtol {rtol})"
                        )


def _compared(outputs: Any) -> list[tuple[int, Tensor]]:
    """The outputs that have a gradient, numbered; all, if none has: then each must be constant."""
    numbered = list(enumerate(_differentiable(outputs)))
    return [(o, t) for o, t in numbered if t.requires_grad] or numbered


def _inner(a: Tensor, b: Tensor) -> float:
    """The real inner product."""
    product = (a.conj() * b).sum().item()
    return complex(product).real


def _compare_projections(
    func: Callable[..., Any], inputs: Sequence[Any], eps: float, atol: float, rtol: float
) -> None:
    """Compares each Jacobian between one random direction of the output and one of the input: one
    run of backward per output, two runs of `func` per input."""
    from .. import Generator, randn
    from . import grad

    generator = Generator().manual_seed(len(inputs))

    def direction(t: Tensor) -> Tensor:
        return randn(t.shape, dtype=t.dtype, generator=generator)

    wanted = [t for t in _tensors(inputs) if t.requires_grad]
    outputs = _compared(func(*inputs))
    weights = [direction(t) for _, t in outputs]
    gradients = [
        grad([t], wanted, [w], retain_graph=True, allow_unused=True)
        if t.requires_grad
        else [None] * len(wanted)
        for (_, t), w in zip(outputs, weights, strict=True)
    ]
    for i, x in enumerate(wanted):
        along, kept = direction(x), x.detach().clone()
        sides = []
        for step in (eps, -eps):
            x.data.copy_(kept + step * along)
            sides.append([t.detach().clone() for t in _differentiable(func(*inputs))])
        x.data.copy_(kept)
        for (o, _), w, row in zip(outputs, weights, gradients, strict=True):
            expected = _inner(w, (sides[0][o] - sides[1][o]) / (2 * eps))
            slope = row[i]
            got = 0.0 if slope is None else _inner(slope, along)
            if not abs(got - expected) <= atol + rtol * abs(expected):
                raise GradcheckError(
                    f"Jacobian mismatch for output {o} with respect to input {i} in a random "
                    f"direction: numerical {expected}, analytical {got} (atol {atol}, rtol {rtol});"
                    " without fast_mode the element is named"
                )


def _check_inputs(inputs: Sequence[Any]) -> None:
    wanted = [t for t in _tensors(inputs) if t.requires_grad]
    if not wanted:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )
    for i, t in enumerate(wanted):
        if str(t.dtype) not in ("torch.float64", "torch.complex128"):
            raise ValueError(
                f"gradcheck: input {i} requires gradient and is not a double precision floating "
                f"point or complex tensor, but {t.dtype}: finite differences need that precision"
            )
        if 0 in t.stride() and t.numel() > 1:
            raise RuntimeError(
                f"gradcheck: the {i}th input has a dimension with stride 0; it must not overlap "
                "itself, as it is perturbed element by element"
            )


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare the gradients of `func(*inputs)` with central finite differences of step `eps`.

    Inputs that require grad must be float64 or complex128. Raises GradcheckError (a RuntimeError)
    where they differ by more than `atol + rtol * |expected|`, or returns False if not
    `raise_exception`. Outputs need no particular shape. With `fast_mode` only one random direction
    of each input is compared, which costs two runs of `func` and not two for each element.

    >>> x = kagari.tensor([0.5, 2.0], dtype=kagari.float64, requires_grad=True)
    >>> kagari.autograd.gradcheck(lambda x: x.exp(), (x,))
    True
    """
    values = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    _check_inputs(values)
    compare = _compare_projections if fast_mode else _compare
    try:
        compare(func, values, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """As gradcheck, for the gradients of the gradients: with respect to the inputs and to
    `grad_outputs` (random ones if not given)."""
    from .. import randn
    from . import grad

    values = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    _check_inputs(values)
    wanted = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
    if grad_outputs is None:
        grads = [
            randn(o.shape, dtype=o.dtype).requires_grad_()
            for o in _differentiable(func(*values))
            if o.requires_grad
        ]
    else:
        grads = _tensors(grad_outputs)

    def first(*args: Any) -> Any:
        inner = args[: len(values)]
        outputs = [o for o in _differentiable(func(*inner)) if o.requires_grad]
        sources = [inner[i] for i in wanted]
        found = grad(outputs, sources, args[len(values) :], create_graph=True, allow_unused=True)
        for i, g in zip(wanted, found, strict=True):
            if g is not None and not g.requires_grad and g.count_nonzero().item():
                raise GradcheckError(f"the gradient of input {i} has no history of its own")
        return tuple(g for g in found if g is not None)

    return gradcheck(
        first,
        (*values, *grads),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        fast_mode=fast_mode,
    )
