"""Adadelta (Zeiler, 2012)."""

from typing import Any

from .formulas import FormulaOptimizer, check_common


class Adadelta(FormulaOptimizer):
    """Steps in proportion to the running size of steps over that of gradients.

    Args:
        lr: by what steps are multiplied; a number, or a tensor of one element.
        rho: how much of the running means is kept.
        eps: added to both of them.
        weight_decay: L2 penalty.
        maximize: go up instead of down.
        foreach: has no effect: one fused call does all parameters.
        differentiable: record the step, so that it can be differentiated.

    >>> p = kagari.ones(1, requires_grad=True)
    >>> kagari.optim.Adadelta([p]).param_groups[0]["rho"]
    0.9
    """

    def __init__(
        self, params: Any, lr: Any = 1.0, rho: float = 0.9, eps: float = 1e-6,
        weight_decay: float = 0, foreach: bool | None = None, *, capturable: bool = False,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_common(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_common(lr, eps=eps, weight_decay=weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay,
                "maximize": maximize, "capturable": capturable, "foreach": foreach,
                "differentiable": differentiable,
            },
        )  # fmt: skip

    def _formula(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "adadelta", ("square_avg", "acc_delta")

    def _numbers(self, group: dict[str, Any], step: Any, lr: Any) -> tuple[Any, ...]:
        return group["weight_decay"], lr, group["rho"], group["eps"]
