"""What gradcheck checks, one function each: reverse and forward mode, alone and under vmap, and
what missing gradients mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .._C import Tensor
from .finite_differences import (
    backward_jacobian,
    compared,
    forward_jacobian,
    inner,
    numeric,
    numeric_jacobians,
    pulled_back,
    pushed_forward,
    real_part,
)


class GradcheckError(RuntimeError):
    """A derivative that differs from its finite differences."""


@dataclass
class Check:
    """One function at one point, and what is tolerated."""

    func: Callable[..., Any]
    inputs: tuple[Any, ...]
    eps: float
    atol: float
    rtol: float
    nondet_tol: float

    @property
    def wanted(self) -> list[int]:
        """The numbers of the inputs that require grad."""
        return [i for i, v in enumerate(self.inputs) if isinstance(v, Tensor) and v.requires_grad]

    def outputs(self) -> list[tuple[int, Tensor]]:
        return compared(self.func(*self.inputs))

    def agree(self, found: Tensor, expected: Tensor) -> bool:
        return bool(((found - expected).abs() <= self.atol + self.rtol * expected.abs()).all())


def _generator() -> Any:
    from .. import Generator

    return Generator().manual_seed(7)


def _direction(t: Tensor, generator: Any) -> Tensor:
    from .. import randn

    return randn(t.shape, dtype=t.dtype, generator=generator)


def _mismatch(what: str, o: int, i: int, numerical: Any, analytical: Any, more: str = "") -> None:
    raise GradcheckError(
        f"{what}mismatch for output {o} with respect to input {i},\nnumerical:{numerical}\n"
        f"analytical:{analytical}\n{more}"
    )


_FAST = (
    "\nThe above are derivatives in a random direction, as fast_mode compares them; without it "
    "they are Jacobians."
)


# --- reverse mode ---


def backward_slow(check: Check) -> None:
    inputs = [check.inputs[i] for i in check.wanted]
    axes = [numeric_jacobians(check.func, check.inputs, x, check.eps) for x in inputs]
    for o, output in check.outputs():
        if not output.requires_grad:
            if any(bool((along[o].abs() > check.atol).any()) for x in axes for along in x):
                raise GradcheckError("Numerical gradient for function expected to be zero")
            continue
        parts: Any = (("", 1),)
        if output.dtype.is_complex:
            said = "While considering the {} part of complex outputs only, "
            parts = ((said.format("imaginary"), 1j), (said.format("real"), 1))
        for said, seed in parts:
            jacobians = backward_jacobian(output, inputs, seed)
            _same_again(check, jacobians, backward_jacobian(output, inputs, seed))
            for i, jacobian in enumerate(jacobians):
                # PyTorch's convention: the conjugate Wirtinger derivative of Re(conj(seed) output)
                sides = [real_part(along[o] * complex(seed).conjugate()) for along in axes[i]]
                expected = sides[0] + 1j * sides[1] if len(sides) > 1 else sides[0]
                if not check.agree(jacobian, expected):
                    _mismatch(f"{said}Jacobian ", o, i, expected, jacobian)


def _same_again(check: Check, first: Sequence[Any], second: Sequence[Any]) -> None:
    for a, b in zip(first, second, strict=True):
        if a is not None and not bool(((a - b).abs() <= check.nondet_tol).all()):
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output "
                "multiple times gives different values, although analytical gradient matches "
                "numerical gradient. The tolerance for nondeterminism was "
                f"{check.nondet_tol}: set nondet_tol if your function is meant to be so."
            )


def backward_fast(check: Check) -> None:
    """Each Jacobian between one random direction of the output and one of the input: two runs of
    backward per output, two runs of `func` per input."""
    generator = _generator()
    inputs = [check.inputs[i] for i in check.wanted]
    outputs = check.outputs()
    weights = [_direction(t, generator) for _, t in outputs]
    gradients = []
    for (_, t), w in zip(outputs, weights, strict=True):
        row = pulled_back(t, inputs, w) if t.requires_grad else [None] * len(inputs)
        if t.requires_grad:
            _same_again(check, row, pulled_back(t, inputs, w))
        gradients.append(row)
    for i, x in enumerate(inputs):
        along = _direction(x, generator)
        slopes = numeric(check.func, check.inputs, x, along, check.eps)
        for (o, t), w, row in zip(outputs, weights, gradients, strict=True):
            expected, g = inner(w, slopes[o]), row[i]
            got = 0.0 if g is None else inner(g, along)
            if abs(got - expected) <= check.atol + check.rtol * abs(expected):
                continue
            if not t.requires_grad:
                raise GradcheckError("Numerical gradient for function expected to be zero")
            _mismatch("Jacobian ", o, i, expected, got, _FAST)


def multiplies_by_grad(check: Check) -> None:
    """Nothing comes of nothing."""
    from . import grad

    inputs = [check.inputs[i] for i in check.wanted]
    outputs = [t for _, t in check.outputs() if t.requires_grad]
    if not outputs:
        return
    zeros = [t.detach().new_zeros(t.shape) for t in outputs]
    for g in grad(outputs, inputs, zeros, retain_graph=True, allow_unused=True):
        if g is not None and bool(g.ne(0).any()):
            raise GradcheckError("backward not multiplied by grad_output")


def undefined_grads(check: Check) -> None:
    """Outputs that nobody used have no gradient at all: as good as one of zeros."""
    from . import grad

    inputs = [check.inputs[i] for i in check.wanted]
    outputs = [t for _, t in check.outputs() if t.requires_grad]
    for left_out in range(len(outputs) if len(outputs) > 1 else 0):
        used = [t for i, t in enumerate(outputs) if i != left_out]
        zeros = [t.detach().new_zeros(t.shape) for t in used]
        try:
            found = grad(used, inputs, zeros, retain_graph=True, allow_unused=True)
        except Exception as error:
            raise GradcheckError(
                "Expected backward function to handle undefined output grads: it failed where "
                f"output {left_out} had none, with {type(error).__name__}: {error}"
            ) from error
        if any(g is not None and bool(g.ne(0).any()) for g in found):
            raise GradcheckError(
                "Expected all input grads to be undefined or zero when all output grads are "
                "undefined or zero"
            )


def grad_dtypes(check: Check) -> None:
    inputs = [check.inputs[i] for i in check.wanted]
    for o, output in check.outputs():
        if not output.requires_grad:
            continue
        found = pulled_back(output, inputs, output.detach().new_ones(output.shape))
        for i, (x, g) in enumerate(zip(inputs, found, strict=True)):
            if g is not None and (g.dtype != x.dtype or g.shape != x.shape):
                raise GradcheckError(
                    f"grad is incorrect type or size: that of output {o} with respect to input {i} "
                    f"is {g.dtype} {tuple(g.shape)}, expected {x.dtype} {tuple(x.shape)}"
                )


_BATCHED = (
    "gradcheck or gradgradcheck failed while testing batched gradient computation{}. Derivatives "
    "of several directions at once, as jacobian(vectorize=True) and jacrev compute them, run the "
    "function's rules under vmap, which must give what they give one direction after the other; "
    "{} leaves this out."
)
_BATCHED_BACKWARD = _BATCHED.format("", "check_batched_grad=False")
_BATCHED_FORWARD = _BATCHED.format(" with forward-mode AD", "check_batched_forward_grad=False")


def batched_grads(check: Check) -> None:
    """Two gradients under vmap, beside one after the other."""
    from .. import stack
    from . import grad

    generator = _generator()
    inputs = [check.inputs[i] for i in check.wanted]
    for o, output in check.outputs():
        if not output.requires_grad:
            continue
        starts = [_direction(output, generator) for _ in range(2)]
        loop = [pulled_back(output, inputs, s) for s in starts]
        try:
            found = grad(
                [output], inputs, [stack(starts)], retain_graph=True, allow_unused=True,
                is_grads_batched=True,
            )  # fmt: skip
        except Exception as error:
            raise GradcheckError(
                f"While computing batched gradients, got: {error}\n\n{_BATCHED_BACKWARD}"
            ) from error
        for i, (got, rows) in enumerate(zip(found, zip(*loop, strict=True), strict=True)):
            _same_batch(check, o, i, got, rows, _BATCHED_BACKWARD)


def _same_batch(check: Check, o: int, i: int, got: Any, rows: Any, said: str) -> None:
    from .. import stack, zeros_like

    if got is None and all(row is None for row in rows):
        return
    known = next(t for t in (got, *rows) if t is not None)
    like = known if known is not got else known[0]
    expected = stack([zeros_like(like) if row is None else row for row in rows])
    got = zeros_like(expected) if got is None else got
    if not check.agree(got, expected):
        raise GradcheckError(
            f"For output {o} and input {i}:\n\n{said}\n\nGot:\n{got}\n\nExpected:\n{expected}"
        )


# --- forward mode ---


def forward_slow(check: Check) -> None:
    for i, at in enumerate(check.wanted):
        x = check.inputs[at]
        axes = numeric_jacobians(check.func, check.inputs, x, check.eps)
        parts: Any = (("", 1),)
        if len(axes) > 1:
            said = "While considering the {} part of complex inputs only, "
            parts = ((said.format("real"), 1), (said.format("imaginary"), 1j))
        for expected, (prefix, unit) in zip(axes, parts, strict=True):
            found = forward_jacobian(check.func, check.inputs, at, unit)
            for o, (a, b) in enumerate(zip(found, expected, strict=True)):
                if not check.agree(a, b):
                    _mismatch(f"{prefix}Jacobian computed with forward mode ", o, i, b, a)


def forward_fast(check: Check) -> None:
    """All outputs along one random direction of each input."""
    generator = _generator()
    for i, at in enumerate(check.wanted):
        x = check.inputs[at]
        along = _direction(x, generator)
        expected = numeric(check.func, check.inputs, x, along, check.eps)
        found = pushed_forward(check.func, check.inputs, {at: along})
        for o, (a, b) in enumerate(zip(found, expected, strict=True)):
            if not check.agree(a, b):
                _mismatch("Jacobian computed with forward mode ", o, i, b, a, _FAST)


def undefined_tangents(check: Check) -> None:
    """No tangent is as good as one of zeros."""
    from .. import zeros_like

    generator = _generator()
    inputs = {at: check.inputs[at] for at in check.wanted}
    for i, at in enumerate(inputs if len(inputs) > 1 else ()):
        along = {at: _direction(inputs[at], generator)}
        zeros = {other: zeros_like(x.detach()) for other, x in inputs.items()}
        alone = pushed_forward(check.func, check.inputs, along)
        beside = pushed_forward(check.func, check.inputs, {**zeros, **along})
        for o, (a, b) in enumerate(zip(alone, beside, strict=True)):
            if not check.agree(a, b):
                raise GradcheckError(
                    f"Expected forward mode to treat undefined tangents as zeros: output {o} along "
                    f"input {i} alone has {a}, beside tangents of zeros {b}"
                )


def batched_tangents(check: Check) -> None:
    """Two tangents under vmap, beside one after the other."""
    from .. import stack
    from ..func import vmap

    generator = _generator()
    for i, at in enumerate(check.wanted):
        along = [_direction(check.inputs[at], generator) for _ in range(2)]

        def push(tangent: Tensor, at: int = at) -> tuple[Tensor, ...]:
            return tuple(pushed_forward(check.func, check.inputs, {at: tangent}))

        loop = [push(t) for t in along]
        if not loop[0]:
            continue
        try:
            found = vmap(push)(stack(along))
        except Exception as error:
            raise GradcheckError(
                f"While computing batched gradients, got: {error}\n\n{_BATCHED_FORWARD}"
            ) from error
        for o, (got, rows) in enumerate(zip(found, zip(*loop, strict=True), strict=True)):
            _same_batch(check, o, i, got, rows, _BATCHED_FORWARD)
