"""Stochastic gradient descent, with momentum."""

from typing import Any

import kagari
from kagari import Tensor
from kagari import _ops as ops

from .flags import check_flags, wants_fused
from .optimizer import Optimizer, number


class SGD(Optimizer):
    """Steps down the gradient.

    Args:
        lr: learning rate; a number, or a tensor of one element.
        momentum: how much of the last step is kept.
        dampening: how much of the gradient momentum leaves out.
        weight_decay: L2 penalty.
        nesterov: look ahead by the momentum.
        maximize: go up instead of down.
        foreach, fused: False for both computes with tensor operations instead of one fused call.
        differentiable: record the step, so that it can be differentiated.
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0,
        weight_decay: Any = 0, nesterov: bool = False, *, maximize: bool = False,
        foreach: bool | None = None, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if number(lr) < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_flags(1e-3, foreach, False, differentiable, fused)
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "dampening": dampening,
                "weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize,
                "foreach": foreach, "differentiable": differentiable, "fused": fused,
            },
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name in ("nesterov", "maximize", "differentiable"):
                group.setdefault(name, False)
            group.setdefault("foreach", None)
            group.setdefault("fused", False)

    def _step_group(self, group: dict[str, Any]) -> None:
        params = [param for param in group["params"] if param.grad is not None]
        if not params:
            return
        if not wants_fused(group, params):
            with kagari.set_grad_enabled(group["differentiable"]):
                for param in params:
                    state = self.state[param] if group["momentum"] != 0 else {}
                    sgd_step(param, param.grad, state, group)
            return
        if group["momentum"] == 0:
            self._fused(group, params, [], False)
            return
        started: list[Any] = []
        new: list[Any] = []
        for param in params:
            (new if self.state[param].get("momentum_buffer") is None else started).append(param)
        for param in new:
            self.state[param]["momentum_buffer"] = kagari.empty_like(param, requires_grad=False)
        for these, first in ((new, True), (started, False)):
            if these:
                buffers = [self.state[param]["momentum_buffer"] for param in these]
                self._fused(group, these, buffers, first)

    @staticmethod
    def _fused(
        group: dict[str, Any], params: list[Tensor], buffers: list[Tensor], first: bool
    ) -> None:
        ops.fused_sgd_(
            params, [param.grad for param in params], buffers, float(group["lr"]),
            float(group["momentum"]), float(group["dampening"]), float(group["weight_decay"]),
            group["nesterov"], group["maximize"], first,
        )  # fmt: skip


def sgd_step(param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
    """One step on one parameter, as tensor operations: what the fused step computes."""
    lr, momentum, decay = group["lr"], group["momentum"], group["weight_decay"]
    if not group["differentiable"]:
        lr = number(lr)
    grad = -grad if group["maximize"] else grad
    if isinstance(decay, Tensor) or decay != 0:
        grad = grad + param * decay if isinstance(decay, Tensor) else grad.add(param, alpha=decay)
    if momentum != 0:
        buffer = state.get("momentum_buffer")
        if buffer is None:
            state["momentum_buffer"] = buffer = grad.clone().detach()
        else:
            buffer.mul_(momentum).add_(grad, alpha=1 - group["dampening"])
        grad = grad.add(buffer, alpha=momentum) if group["nesterov"] else buffer
    if isinstance(lr, Tensor):
        param.addcmul_(grad, lr, value=-1)
    else:
        param.add_(grad, alpha=-lr)
