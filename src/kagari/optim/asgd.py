"""Averaged stochastic gradient descent (Polyak and Juditsky, 1992)."""

from typing import Any

import kagari
from kagari import Tensor

from .formulas import FormulaOptimizer, check_common


class ASGD(FormulaOptimizer):
    """Gradient descent with a falling rate; the mean of the parameters from step `t0` on is kept in
    the state `ax`.

    Args:
        lr: learning rate; a number, or a tensor of one element.
        lambd: by how much of the rate parameters shrink, and how fast it falls.
        alpha: the power by which it falls.
        t0: where the mean begins.
        weight_decay: L2 penalty.
        maximize: go up instead of down.
        foreach: has no effect: one fused call does all parameters.
        differentiable: record the step, so that it can be differentiated.

    >>> p = kagari.ones(1, requires_grad=True)
    >>> kagari.optim.ASGD([p]).param_groups[0]["alpha"]
    0.75
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, lambd: float = 1e-4, alpha: float = 0.75,
        t0: float = 1e6, weight_decay: float = 0, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False, capturable: bool = False,
    ) -> None:  # fmt: skip
        check_common(lr, weight_decay=weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
                "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
                "capturable": capturable,
            },
        )  # fmt: skip

    def _new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        lr = group["lr"]
        lr = lr.item() if isinstance(lr, Tensor) else lr
        return {
            "step": self._new_step(),
            "eta": kagari.tensor(lr, dtype=kagari.float32),
            "mu": kagari.tensor(1.0, dtype=kagari.float32),
            "ax": kagari.zeros_like(param, requires_grad=False),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for own in self.state.values():
            for name in ("eta", "mu"):
                if name in own and not isinstance(own[name], Tensor):
                    own[name] = kagari.tensor(float(own[name]), dtype=kagari.float32)

    def _formula(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "asgd", ("ax",)

    def _key(self, state: dict[str, Any]) -> Any:
        return state["step"].item(), state["eta"].item(), state["mu"].item()

    def _numbers_of(
        self, group: dict[str, Any], state: dict[str, Any], step: Any, lr: Any
    ) -> tuple[Any, ...]:
        eta, mu = state["eta"].item(), state["mu"].item()
        sign = -1.0 if group["maximize"] else 1.0
        return sign, group["weight_decay"], 1 - group["lambd"] * eta, eta, mu

    def _after(self, group: dict[str, Any], state: dict[str, Any], step: Any, lr: Any) -> None:
        falling = lr / (1 + group["lambd"] * lr * step) ** group["alpha"]
        count = step.item() if isinstance(step, Tensor) else step
        with kagari.no_grad():
            state["eta"].fill_(falling.item() if isinstance(falling, Tensor) else falling)
            state["mu"].fill_(1 / max(1.0, count - group["t0"]))
