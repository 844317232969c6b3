"""Forward mode beside finite differences, and forward over reverse beside reverse over reverse, on
the arguments that PyTorch's op database has for an op."""

from typing import Any

import torch

import kagari
from tests.func.op_samples import Leaves, flat, samples_of

STEP = 1e-6


def _floating(t: Any) -> bool:
    return t.dtype.is_floating_point or t.dtype.is_complex


class Case:
    """A call as a function of its floating tensors, at a point and along a direction."""

    def __init__(self, function: Any, args: Any, kwargs: Any) -> None:
        self.leaves, self.function = Leaves(args, kwargs), function
        self.places = [i for i, t in enumerate(self.leaves.tensors) if _floating(t)]
        self.point = tuple(self.leaves.tensors[i] for i in self.places)
        kagari.manual_seed(1)
        self.direction = tuple(kagari.rand(t.shape, dtype=t.dtype) - 0.3 for t in self.point)

    def __call__(self, *values: Any) -> tuple[Any, ...]:
        tensors = [t.clone() for t in self.leaves.tensors]
        for i, value in zip(self.places, values, strict=True):
            tensors[i] = value
        kagari.manual_seed(0)
        return tuple(t for t in flat(self.leaves.call(self.function, tensors)) if _floating(t))

    def moved(self, step: float) -> tuple[Any, ...]:
        pairs = zip(self.point, self.direction, strict=True)
        return self(*(x.clone() + step * d for x, d in pairs))

    def forward(self) -> tuple[Any, Any]:
        """(tangents, their finite differences)."""
        found = kagari.func.jvp(self, self.point, self.direction)[1]
        pairs = zip(self.moved(STEP), self.moved(-STEP), strict=True)
        return found, tuple((a - b) / (2 * STEP) for a, b in pairs)

    def scalar(self, *values: Any) -> Any:
        """The outputs as one real number with a derivative everywhere."""
        total = kagari.zeros((), dtype=kagari.float64)
        for i, out in enumerate(self(*values)):
            real = kagari.view_as_real(out) if out.dtype.is_complex else out
            weights = kagari.linspace(0.5 + i, 1.5, max(real.numel(), 1), dtype=real.dtype)
            total = total + (real.reshape(-1) * weights[: real.numel()]).sin().sum()
        return total

    def second(self) -> tuple[Any, Any]:
        """The Hessian along the direction: forward over reverse, and reverse over reverse."""
        numbers = tuple(range(len(self.point)))
        gradient = kagari.func.grad(self.scalar, numbers)
        found = kagari.func.jvp(gradient, self.point, self.direction)[1]

        def along(*values: Any) -> Any:
            pairs = zip(gradient(*values), self.direction, strict=True)
            return sum(
                (g * d.conj()).real.sum() if g.dtype.is_complex else (g * d).sum() for g, d in pairs
            )

        return found, kagari.func.grad(along, numbers)(*self.point)


def differ(found: Any, expected: Any, tolerance: float) -> str:
    """What is wrong; empty if nothing is."""
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        if a.shape != b.shape or a.dtype != b.dtype:
            return f"result {i}: {a.dtype} {tuple(a.shape)}, not {b.dtype} {tuple(b.shape)}"
        good = kagari.isfinite(b)
        scale = tolerance * (1 + b.abs())
        if not bool(((a - b).abs() <= scale).logical_or(good.logical_not()).all()):
            return f"result {i}: {a.tolist()}, expected {b.tolist()}"
    return ""


def problems(name: str, order: int, most: int = 2, dtype: Any = torch.float64) -> list[str]:
    """What differs for the samples of an op, first `order` or second."""
    found = []
    for function, args, kwargs in samples_of(name, dtype, most):
        try:
            case = Case(function, args, kwargs)
            if not case.point or not case(*case.point):
                continue
            text = differ(*case.forward(), 1e-5) if order == 1 else differ(*case.second(), 1e-7)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
        if text:
            found.append(text[:300])
    return found
