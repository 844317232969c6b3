"""Adagrad (Duchi, Hazan and Singer, 2011)."""

from typing import Any

import kagari
from kagari import Tensor

from .formulas import FormulaOptimizer, check_common


class Adagrad(FormulaOptimizer):
    """Steps over the root of the sum of all squared gradients.

    Args:
        lr: learning rate; a number, or a tensor of one element.
        lr_decay: by how much of it the rate falls with each step.
        weight_decay: L2 penalty.
        initial_accumulator_value: where the sums begin.
        eps: added to the divisor.
        maximize: go up instead of down.
        foreach, fused: have no effect: one fused call does all parameters.
        differentiable: record the step, so that it can be differentiated.

    >>> p = kagari.ones(1, requires_grad=True)
    >>> kagari.optim.Adagrad([p]).state[p]["sum"]
    tensor([0.])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *,
        maximize: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_common(lr)
        if not 0.0 <= lr_decay:
            raise ValueError(f"Invalid lr_decay value: {lr_decay}")
        check_common(lr, weight_decay=weight_decay)
        if not 0.0 <= initial_accumulator_value:
            raise ValueError(
                f"Invalid initial_accumulator_value value: {initial_accumulator_value}"
            )
        check_common(lr, eps=eps)
        if fused and differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        super().__init__(
            params,
            {
                "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value, "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable, "fused": fused,
            },
        )  # fmt: skip
        for group in self.param_groups:
            for param in group["params"]:
                self.state[param] = self._new_state(param, group)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("fused", None)

    def _new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        first = group["initial_accumulator_value"]
        start = complex(first, first) if param.is_complex() else first
        full = kagari.full_like(param, start, requires_grad=False)
        return {"step": self._new_step(), "sum": full}

    def share_memory(self) -> None:
        """Move the sums to shared memory."""
        for group in self.param_groups:
            for param in group["params"]:
                self.state[param]["sum"].share_memory_()

    def _formula(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        return "adagrad", ("sum",)

    def _numbers(self, group: dict[str, Any], step: Any, lr: Any) -> tuple[Any, ...]:
        return group["weight_decay"], lr / (1 + (step - 1) * group["lr_decay"]), group["eps"]
