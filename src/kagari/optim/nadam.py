"""NAdam (Dozat, 2016)."""

from typing import Any

import kagari
from kagari import Tensor

from .formulas import FormulaOptimizer, check_betas, check_common, decayed


class NAdam(FormulaOptimizer):
    """Adam with Nesterov's momentum, which grows to the first of `betas`.

    Args:
        lr: learning rate; a number, or a tensor of one element.
        betas: how much of the running means of gradients and of their squares is kept.
        eps: added to the divisor.
        weight_decay: L2 penalty; with decoupled_weight_decay the share of lr by which parameters
            shrink.
        momentum_decay: how fast the momentum grows.
        maximize: go up instead of down.
        foreach: has no effect: one fused call does all parameters.
        differentiable: record the step, so that it can be differentiated.

    >>> p = kagari.ones(1, requires_grad=True)
    >>> kagari.optim.NAdam([p]).param_groups[0]["momentum_decay"]
    0.004
    """

    def __init__(
        self, params: Any, lr: Any = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_common(lr, eps=eps)
        check_betas(betas)
        check_common(lr, weight_decay=weight_decay)
        if not 0.0 <= momentum_decay:
            raise ValueError(f"Invalid momentum_decay value: {momentum_decay}")
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize,
                "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            },
        )  # fmt: skip

    _added = {**FormulaOptimizer._added, "decoupled_weight_decay": False}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for own in self.state.values():
            if "mu_product" in own and not isinstance(own["mu_product"], Tensor):
                own["mu_product"] = kagari.tensor(own["mu_product"], dtype=kagari.float32)

    def _new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        step, *means = super()._new_state(param, group).items()
        product = kagari.tensor(1.0, dtype=kagari.float32)
        return dict([step, ("mu_product", product), *means])

    def _formula(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "nadam", ("exp_avg", "exp_avg_sq")

    def _key(self, state: dict[str, Any]) -> Any:
        return state["step"].item(), state["mu_product"].item()

    @staticmethod
    def _momentum(group: dict[str, Any], step: Any) -> Any:
        return group["betas"][0] * (1.0 - 0.5 * 0.96 ** (step * group["momentum_decay"]))

    def _numbers_of(
        self, group: dict[str, Any], state: dict[str, Any], step: Any, lr: Any
    ) -> tuple[Any, ...]:
        beta1, beta2 = group["betas"]
        mu, following = self._momentum(group, step), self._momentum(group, step + 1)
        product = state["mu_product"] * mu  # in float32, as it is kept
        product = product if isinstance(step, Tensor) else product.item()
        sign = -1.0 if group["maximize"] else 1.0
        grad_size = lr * (1.0 - mu) / (1.0 - product)
        mean_size = lr * following / (1.0 - product * following)
        return (
            sign, *decayed(group, lr), 1 - beta1, beta2, 1 - beta2, 1 - beta2**step, group["eps"],
            grad_size, mean_size,
        )  # fmt: skip

    def _after(self, group: dict[str, Any], state: dict[str, Any], step: Any, lr: Any) -> None:
        state["mu_product"] *= self._momentum(group, step)
