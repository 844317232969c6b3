"""Adafactor (Shazeer and Stern, 2018)."""

from typing import Any

import kagari
from kagari import Tensor

from .optimizer import Optimizer, number


class Adafactor(Optimizer):
    """Steps over the root of a mean of squared gradients of which a matrix keeps only the means of
    its rows and columns.

    Args:
        lr: the largest relative size of a step; a number, or a tensor of one element.
        beta2_decay: the power of the step that is the weight of new squares.
        eps: the least mean square (None: the dtype's eps), and the least size of a parameter.
        d: the root mean square above which an update is scaled down.
        weight_decay: the share of lr by which parameters shrink.
        maximize: go up instead of down.
        foreach: has no effect.

    >>> p = kagari.ones(2, 3, requires_grad=True)
    >>> kagari.optim.Adafactor([p]).param_groups[0]["beta2_decay"]
    -0.8
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0,
        weight_decay: float = 0.0, *, foreach: bool | None = None, maximize: bool = False,
    ) -> None:  # fmt: skip
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= number(lr):
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not 0.0 >= beta2_decay:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not 0.0 <= eps[0]:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not 0.0 <= eps[1]:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not 1.0 <= d:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        super().__init__(
            params,
            {
                "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d,
                "weight_decay": weight_decay, "foreach": foreach, "maximize": maximize,
            },
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("foreach", None)
            for param in group["params"]:
                own = self.state.get(param, {})
                if "step" in own and not isinstance(own["step"], Tensor):
                    own["step"] = kagari.tensor(float(own["step"]), dtype=kagari.float32)

    @staticmethod
    def _new_state(param: Tensor) -> dict[str, Any]:
        state: dict[str, Any] = {"step": kagari.tensor(0.0, dtype=kagari.float32)}
        if param.dim() > 1:
            sizes = tuple(param.shape)
            state["row_var"] = param.new_zeros((*sizes[:-1], 1))
            state["col_var"] = param.new_zeros((*sizes[:-2], 1, sizes[-1]))
        else:
            state["variance"] = kagari.zeros_like(param, requires_grad=False)
        return state

    def _step_group(self, group: dict[str, Any]) -> None:
        with kagari.no_grad():
            for param in group["params"]:
                if param.grad is None:
                    continue
                if param.is_complex():
                    raise RuntimeError("Adafactor does not support complex parameters")
                if not self.state[param]:
                    self.state[param] = self._new_state(param)
                _step(param, param.grad, self.state[param], group)


def _step(param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
    state["step"] += 1
    step, lr = state["step"].item(), number(group["lr"])
    least, least_size = group["eps"]
    least = kagari.finfo(param.dtype).eps if least is None else least
    grad = -grad if group["maximize"] else grad
    count = param.numel() ** 0.5
    alpha = max(least_size, param.norm(2).item() / count) * min(lr, 1 / step**0.5)
    if group["weight_decay"] != 0:
        param.mul_(1 - lr * group["weight_decay"])
    square = _mean_square(grad, state, step ** group["beta2_decay"], least)
    moved = square.clamp(min=least * least).rsqrt() * grad
    size = max(1.0, moved.norm(2).item() / (count * group["d"]))
    param.add_(moved, alpha=-alpha / size)


def _mean_square(grad: Tensor, state: dict[str, Any], weight: float, least: float) -> Tensor:
    """The running mean of squared gradients; of a matrix from those of its rows and columns."""
    if grad.dim() < 2:
        return state["variance"].lerp_(grad.square(), weight)
    rows, columns = state["row_var"], state["col_var"]
    rows.lerp_(grad.norm(dim=-1, keepdim=True).square() / grad.size(-1), weight)
    columns.lerp_(grad.norm(dim=-2, keepdim=True).square() / grad.size(-2), weight)
    return rows @ columns / rows.mean(dim=-2, keepdim=True).clamp(min=least)
