"""RAdam (Liu et al., 2019)."""

from typing import Any

from kagari import Tensor

from .formulas import FormulaOptimizer, check_betas, check_common, decayed


class RAdam(FormulaOptimizer):
    """Adam that begins as gradient descent with momentum, until its divisor varies little.

    Args:
        lr: learning rate; a number, or a tensor of one element.
        betas: how much of the running means of gradients and of their squares is kept.
        eps: added to the divisor.
        weight_decay: L2 penalty; with decoupled_weight_decay the share of lr by which parameters
            shrink.
        maximize: go up instead of down.
        foreach: has no effect: one fused call does all parameters.
        differentiable: record the step, so that it can be differentiated.

    >>> p = kagari.ones(1, requires_grad=True)
    >>> kagari.optim.RAdam([p]).param_groups[0]["lr"]
    0.001
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, decoupled_weight_decay: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
        differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_common(lr, eps=eps)
        check_betas(betas)
        check_common(lr, weight_decay=weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "maximize": maximize, "foreach": foreach, "capturable": capturable,
                "decoupled_weight_decay": decoupled_weight_decay,
                "differentiable": differentiable,
            },
        )  # fmt: skip

    _added = {**FormulaOptimizer._added, "decoupled_weight_decay": False}

    def _formula(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "radam", ("exp_avg", "exp_avg_sq")

    def _numbers(self, group: dict[str, Any], step: Any, lr: Any) -> tuple[Any, ...]:
        beta1, beta2 = group["betas"]
        correction1, correction2 = 1 - beta1**step, 1 - beta2**step
        # the length of the simple mean that the running one of squares amounts to
        final = 2 / (1 - beta2) - 1
        length = final - 2 * step * beta2**step / correction2
        size, adaptive = lr / correction1, 0.0
        if (length.item() if isinstance(length, Tensor) else length) > 5.0:
            above = (length - 4) * (length - 2) * final
            size = size * correction2**0.5 * (above / ((final - 4) * (final - 2) * length)) ** 0.5
            adaptive = 1.0
        rest = (1 - beta1, beta2, 1 - beta2, group["eps"], size)
        return *decayed(group, lr), *rest, adaptive
