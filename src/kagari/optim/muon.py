"""Muon (Jordan, 2024): momentum made orthogonal."""

import math
from typing import Any

import kagari
from kagari import Tensor

from .optimizer import Optimizer, number

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


class Muon(Optimizer):
    """Steps along the nearest orthogonal matrix to the momentum of a weight matrix, by Newton and
    Schulz's iteration in bfloat16. For matrices; leave other parameters to AdamW.

    Args:
        lr: learning rate; a number, or a tensor of one element.
        weight_decay: the share of lr by which parameters shrink.
        momentum: how much of the last step is kept.
        nesterov: look ahead by the momentum.
        ns_coefficients: of the iteration's polynomial.
        eps: the least size of a matrix.
        ns_steps: how often it is iterated.
        adjust_lr_fn: how the rate depends on the shape: "original", or "match_rms_adamw".

    >>> p = kagari.ones(2, 3, requires_grad=True)
    >>> kagari.optim.Muon([p]).param_groups[0]["ns_steps"]
    5
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95,
        nesterov: bool = True, ns_coefficients: tuple[float, float, float] = COEFFICIENTS,
        eps: float = 1e-7, ns_steps: int = 5, adjust_lr_fn: str | None = None,
    ) -> None:  # fmt: skip
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= number(lr):
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not 0.0 <= momentum:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn is not None and adjust_lr_fn not in ("original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(
            params,
            {
                "lr": lr, "weight_decay": weight_decay, "momentum": momentum,
                "nesterov": nesterov, "ns_coefficients": ns_coefficients, "eps": eps,
                "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
            },
        )  # fmt: skip
        for group in self.param_groups:
            for param in group["params"]:
                if param.dim() != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with size: "
                        f"{param.size()}"
                    )

    def _step_group(self, group: dict[str, Any]) -> None:
        with kagari.no_grad():
            for param in group["params"]:
                if param.grad is None:
                    continue
                if param.is_complex():
                    raise RuntimeError("Muon does not support complex parameters")
                state = self.state[param]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = kagari.zeros_like(param.grad)
                _step(param, param.grad, state["momentum_buffer"], group)


def _step(param: Tensor, grad: Tensor, buffer: Tensor, group: dict[str, Any]) -> None:
    lr, momentum = number(group["lr"]), group["momentum"]
    buffer.lerp_(grad, 1 - momentum)
    moved = grad.lerp(buffer, momentum) if group["nesterov"] else buffer
    moved = orthogonal(moved, group["ns_coefficients"], group["ns_steps"], group["eps"])
    param.mul_(1 - lr * group["weight_decay"])
    param.add_(moved, alpha=-lr * _factor(group["adjust_lr_fn"], *param.shape))


def _factor(adjust: str | None, rows: int, columns: int) -> float:
    if adjust == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1, rows / columns))


def orthogonal(
    matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Tensor:
    """About the orthogonal factor of a matrix, in bfloat16: X becomes a X + b (X X') X + c (X X')^2
    X, which brings all singular values near 1."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if matrix.dim() != 2:
        raise ValueError("Input tensor gradient must be a 2D matrix")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    x = matrix.bfloat16()
    tall = matrix.size(0) > matrix.size(1)
    x = x.T if tall else x
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = kagari.addmm(x, kagari.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
