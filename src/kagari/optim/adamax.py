"""Adamax (Kingma and Ba, 2014)."""

from typing import Any

from .formulas import FormulaOptimizer, check_betas, check_common


class Adamax(FormulaOptimizer):
    """Adam with the largest of the gradients, fading, in place of the root of their mean square.

    Args:
        lr: learning rate; a number, or a tensor of one element.
        betas: how much of the running mean and of the running maximum is kept.
        eps: added to the sizes of gradients.
        weight_decay: L2 penalty.
        maximize: go up instead of down.
        foreach: has no effect: one fused call does all parameters.
        differentiable: record the step, so that it can be differentiated.

    >>> p = kagari.ones(1, requires_grad=True)
    >>> kagari.optim.Adamax([p]).param_groups[0]["lr"]
    0.002
    """

    def __init__(
        self, params: Any, lr: Any = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, foreach: bool | None = None, *,
        maximize: bool = False, differentiable: bool = False, capturable: bool = False,
    ) -> None:  # fmt: skip
        check_common(lr, eps=eps)
        check_betas(betas)
        check_common(lr, weight_decay=weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
                "capturable": capturable,
            },
        )  # fmt: skip

    def _formula(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "adamax", ("exp_avg", "exp_inf")

    def _numbers(self, group: dict[str, Any], step: Any, lr: Any) -> tuple[Any, ...]:
        beta1, beta2 = group["betas"]
        return group["weight_decay"], 1 - beta1, beta2, group["eps"], lr / (1 - beta1**step)
