"""RMSprop (Tieleman and Hinton, 2012)."""

from typing import Any

from .formulas import FormulaOptimizer, check_common


class RMSprop(FormulaOptimizer):
    """Steps over the root of the running mean of squared gradients.

    Args:
        lr: learning rate; a number, or a tensor of one element.
        alpha: how much of the running means is kept.
        eps: added to the divisor.
        weight_decay: L2 penalty.
        momentum: how much of the last step is kept.
        centered: divide by the deviation from the running mean of gradients.
        maximize: go up instead of down.
        foreach: has no effect: one fused call does all parameters.
        differentiable: record the step, so that it can be differentiated.

    >>> p = kagari.ones(1, requires_grad=True)
    >>> kagari.optim.RMSprop([p]).param_groups[0]["alpha"]
    0.99
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
        weight_decay: float = 0, momentum: float = 0, centered: bool = False,
        capturable: bool = False, foreach: bool | None = None, maximize: bool = False,
        differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_common(lr, eps=eps)
        if not 0.0 <= momentum:
            raise ValueError(f"Invalid momentum value: {momentum}")
        check_common(lr, weight_decay=weight_decay)
        if not 0.0 <= alpha:
            raise ValueError(f"Invalid alpha value: {alpha}")
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
                "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable,
            },
        )  # fmt: skip

    _added = {**FormulaOptimizer._added, "momentum": 0, "centered": False}

    def _formula(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        rule, names = "rmsprop", ["square_avg"]
        if group["momentum"] > 0:
            rule, names = rule + "_momentum", [*names, "momentum_buffer"]
        if group["centered"]:
            rule, names = rule + "_centered", [*names, "grad_avg"]
        return rule, tuple(names)

    def _numbers(self, group: dict[str, Any], step: Any, lr: Any) -> tuple[Any, ...]:
        alpha = group["alpha"]
        return group["weight_decay"], lr, alpha, 1 - alpha, group["eps"], group["momentum"]
