"""Adam (Kingma and Ba, 2014) and AdamW (Loshchilov and Hutter, 2017)."""

from typing import Any

import kagari
from kagari import Tensor
from kagari import _ops as ops

from .flags import check_capturable, check_flags, wants_fused
from .optimizer import Optimizer, number


class Adam(Optimizer):
    """Steps divided by the root of a running mean of squared gradients.

    Args:
        lr: learning rate; a number, or a tensor of one element.
        betas: how much of the running means of gradients and of their squares is kept.
        eps: added to the divisor.
        weight_decay: L2 penalty, added to the gradient (with decoupled_weight_decay, as in AdamW:
            the share of lr by which parameters shrink).
        amsgrad: divide by the largest mean of squares so far.
        maximize: go up instead of down.
        foreach, fused: False for both computes with tensor operations instead of one fused call.
        differentiable: record the step, so that it can be differentiated.
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
        differentiable: bool = False, fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        check_flags(lr, foreach, capturable, differentiable, fused)
        if not 0.0 <= number(lr):
            raise ValueError(f"Invalid learning rate: {lr}")
        if not 0.0 <= eps:
            raise ValueError(f"Invalid epsilon value: {eps}")
        _check_tensor_betas(betas, foreach, capturable)
        for i, beta in enumerate(betas):
            if not 0.0 <= number(beta) < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                "amsgrad": amsgrad, "maximize": maximize, "foreach": foreach,
                "capturable": capturable, "differentiable": differentiable, "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name in ("amsgrad", "maximize", "capturable", "differentiable"):
                group.setdefault(name, False)
            group.setdefault("foreach", None)
            group.setdefault("fused", None)
            group.setdefault("decoupled_weight_decay", False)
            for param in group["params"]:
                own = self.state.get(param, {})
                if "step" in own and not isinstance(own["step"], Tensor):
                    own["step"] = kagari.tensor(float(own["step"]), dtype=kagari.float32)

    def _new_state(self, param: Tensor, amsgrad: bool) -> dict[str, Any]:
        state = {"step": kagari.tensor(0.0, dtype=kagari.float32)}
        for name in ("exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if amsgrad else [])):
            state[name] = kagari.zeros_like(param, requires_grad=False)
        return state

    def _step_group(self, group: dict[str, Any]) -> None:
        params, grads, means, squares, tops, steps = [], [], [], [], [], []
        amsgrad = group["amsgrad"]
        states = self.state
        for param in group["params"]:
            grad = param.grad
            if grad is None:
                continue
            state = states[param]
            if not state:
                states[param] = state = self._new_state(param, amsgrad)
            params.append(param)
            grads.append(grad)
            means.append(state["exp_avg"])
            squares.append(state["exp_avg_sq"])
            steps.append(state["step"])
            if amsgrad:
                tops.append(state["max_exp_avg_sq"])
        if not params:
            return
        check_capturable(group, params)
        if wants_fused(group, params):
            beta1, beta2 = group["betas"]
            decay = float(group["weight_decay"])
            coupled = not group["decoupled_weight_decay"]
            ops.fused_adam_(
                params, grads, means, squares, tops, steps, float(group["lr"]), float(beta1),
                float(beta2), float(group["eps"]), decay if coupled else 0.0,
                0.0 if coupled else decay, group["maximize"],
            )  # fmt: skip
            return
        with kagari.set_grad_enabled(group["differentiable"]):
            for i, param in enumerate(params):
                top = tops[i] if amsgrad else None
                adam_step(param, grads[i], means[i], squares[i], top, steps[i], group)


def _check_tensor_betas(betas: tuple[Any, Any], foreach: bool | None, capturable: bool) -> None:
    if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor):
        raise ValueError("betas must be either both floats or both Tensors")
    for i, beta in enumerate(betas):
        if isinstance(beta, Tensor):
            if foreach and not capturable:
                raise ValueError(
                    f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True"
                )
            if beta.numel() != 1:
                raise ValueError(f"Tensor betas[{i}] must be 1-element")


def adam_step(
    param: Tensor, grad: Tensor, mean: Tensor, square: Tensor, top: Tensor | None, step: Tensor,
    group: dict[str, Any],
) -> None:  # fmt: skip
    """One step on one parameter, as tensor operations: what the fused step computes."""
    (beta1, beta2), lr = group["betas"], group["lr"]
    if not group["differentiable"]:
        lr, beta1, beta2 = number(lr), number(beta1), number(beta2)
    grad = -grad if group["maximize"] else grad
    step += 1
    if group["weight_decay"] != 0:
        if group["decoupled_weight_decay"]:
            param.mul_(1 - lr * group["weight_decay"])
        else:
            grad = grad.add(param, alpha=group["weight_decay"])
    if param.is_complex():
        grad, mean, square = (kagari.view_as_real(t) for t in (grad, mean, square))
        top = None if top is None else kagari.view_as_real(top)
        param = kagari.view_as_real(param)
    mean.lerp_(grad, 1 - beta1)
    square.mul_(beta2).addcmul_(grad, grad, value=number(1 - beta2))
    count = step if group["differentiable"] else step.item()
    correction1, correction2 = 1 - beta1**count, 1 - beta2**count
    if top is not None:
        largest = top.clone() if group["differentiable"] else top
        top.copy_(kagari.maximum(largest, square))
        square = top
    if group["differentiable"]:
        size = lr / correction1
        denominator = square.sqrt() / (correction2.sqrt() * -size) + group["eps"] / -size
        param.addcdiv_(mean, denominator)
    else:
        denominator = (square.sqrt() / correction2**0.5).add_(group["eps"])
        param.addcdiv_(mean, denominator, value=-(lr / correction1))


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters instead of changing the gradients."""

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, *,
        maximize: bool = False, foreach: bool | None = None, capturable: bool = False,
        differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize,
            capturable=capturable, differentiable=differentiable, fused=fused,
            decoupled_weight_decay=True,
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
