"""Rprop (Riedmiller and Braun, 1993)."""

from typing import Any

import kagari
from kagari import Tensor

from .formulas import FormulaOptimizer, check_common
from .optimizer import number


class Rprop(FormulaOptimizer):
    """Steps of a size of their own for each element: it grows while the gradient keeps its sign.

    Args:
        lr: the first size; a number, or a tensor of one element.
        etas: by what it is multiplied where the sign has changed, and where it has not.
        step_sizes: the smallest and the largest one.
        maximize: go up instead of down.
        foreach: has no effect: one fused call does all parameters.
        differentiable: record the step, so that it can be differentiated.

    >>> p = kagari.ones(1, requires_grad=True)
    >>> kagari.optim.Rprop([p]).param_groups[0]["etas"]
    (0.5, 1.2)
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False,
        foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_common(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(
            params,
            {
                "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
            },
        )  # fmt: skip

    def _new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        lr = number(group["lr"])
        first = complex(lr, lr) if param.is_complex() else lr
        return {
            "step": self._new_step(),
            "prev": kagari.zeros_like(param, requires_grad=False),
            "step_size": kagari.full_like(param, first, requires_grad=False),
        }

    def _formula(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "rprop", ("prev", "step_size")

    def _numbers(self, group: dict[str, Any], step: Any, lr: Any) -> tuple[Any, ...]:
        return *group["etas"], *group["step_sizes"]
