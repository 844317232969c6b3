"""The base of optimizers whose update is one formula of kernels/definitions/updates.py: a fused
call for all parameters at the same step, or the formula on tensors where it is recorded.
"""

import importlib
from typing import Any

import kagari
from kagari import Tensor
from kagari import _ops as ops

from .flags import check_capturable
from .optimizer import Optimizer, number


def check_common(lr: Any, *, eps: float = 0.0, weight_decay: float = 0.0) -> None:
    """Refuse what no optimizer takes."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not 0.0 <= number(lr):
        raise ValueError(f"Invalid learning rate: {lr}")
    if not 0.0 <= eps:
        raise ValueError(f"Invalid epsilon value: {eps}")
    if not 0.0 <= weight_decay:
        raise ValueError(f"Invalid weight_decay value: {weight_decay}")


def check_betas(betas: tuple[float, float]) -> None:
    for i, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


def decayed(group: dict[str, Any], lr: Any) -> tuple[Any, Any]:
    """The share of the parameter that is added to the gradient, and what is kept of it."""
    decay = group["weight_decay"]
    return (0.0, 1 - lr * decay) if group["decoupled_weight_decay"] else (decay, 1.0)


class _OnTensors:
    """What formulas call, on tensors; a choice by a number is made at once."""

    sqrt, abs = staticmethod(kagari.sqrt), staticmethod(kagari.abs)

    @staticmethod
    def where(condition: Any, a: Any, b: Any) -> Any:
        if isinstance(condition, Tensor):
            return kagari.where(condition, a, b)
        return a if condition else b


class FormulaOptimizer(Optimizer):
    """A subclass names its formula and computes the numbers of a step."""

    # options that states saved by earlier versions lack
    _added: dict[str, Any] = {
        "foreach": None, "maximize": False, "differentiable": False, "capturable": False,
    }  # fmt: skip

    def _formula(self, group: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        """The formula's name, and the names of its state in a parameter's state, in order."""
        raise NotImplementedError

    def _new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """The state before the first step: a count, and zeros."""
        state: dict[str, Any] = {"step": self._new_step()}
        for name in self._formula(group)[1]:
            state[name] = kagari.zeros_like(param, requires_grad=False)
        return state

    def _numbers(self, group: dict[str, Any], step: Any, lr: Any) -> tuple[Any, ...]:
        """The formula's numbers in step 1, 2, ..."""
        raise NotImplementedError

    def _key(self, state: dict[str, Any]) -> Any:
        """What parameters must have in common to be updated with the same numbers."""
        return state["step"].item()

    @staticmethod
    def _new_step() -> Tensor:
        return kagari.tensor(0.0, dtype=kagari.float32)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self._added.items():
                if name in self.defaults:
                    group.setdefault(name, value)
            for param in group["params"]:
                own = self.state.get(param, {})
                if "step" in own and not isinstance(own["step"], Tensor):
                    own["step"] = kagari.tensor(float(own["step"]), dtype=kagari.float32)

    def _step_group(self, group: dict[str, Any]) -> None:
        params = [param for param in group["params"] if param.grad is not None]
        if not params:
            return
        check_capturable(group, params)
        for param in params:
            if not self.state[param]:
                self.state[param] = self._new_state(param, group)
        if group.get("differentiable") or any(param.is_complex() for param in params):
            with kagari.set_grad_enabled(bool(group.get("differentiable"))):
                for param in params:
                    self._recorded(group, param)
            return
        alike: dict[Any, list[Tensor]] = {}
        with kagari.no_grad():
            for param in params:
                state = self.state[param]
                state["step"] += 1
                alike.setdefault(self._key(state), []).append(param)
        lr = float(number(group["lr"]))
        for members in alike.values():
            self._fused(group, members, lr)

    def _fused(self, group: dict[str, Any], params: list[Tensor], lr: float) -> None:
        rule, names = self._formula(group)
        states = [self.state[param] for param in params]
        step = states[0]["step"].item()
        numbers = self._numbers_of(group, states[0], step, lr)
        tensors = [state[name] for name in names for state in states]
        grads = [param.grad for param in params if param.grad is not None]
        ops.fused_update_(rule, params, grads, tensors, [float(n) for n in numbers])
        for state in states:
            self._after(group, state, step, lr)

    def _recorded(self, group: dict[str, Any], param: Tensor) -> None:
        """The formula on tensors, with a gradient in the learning rate if that is a tensor."""
        rule, names = self._formula(group)
        updates = importlib.import_module("kagari.kernels.definitions.updates").updates
        state, grad = self.state[param], param.grad
        state["step"] += 1
        differentiable = group.get("differentiable")
        step = state["step"].clone() if differentiable else state["step"].item()
        lr = group["lr"] if differentiable else number(group["lr"])
        numbers = self._numbers_of(group, state, step, lr)
        tensors = [param, grad, *(state[name] for name in names)]
        if param.is_complex():
            tensors = [kagari.view_as_real(t) for t in tensors]
        # the formula reads what the writes below change
        given = [t.clone() for t in tensors] if differentiable else tensors
        results = updates[rule].formula(_OnTensors, *given, *numbers)
        for tensor, result in zip([tensors[0], *tensors[2:]], results, strict=True):
            tensor.copy_(result)
        self._after(group, state, step, lr)

    def _numbers_of(
        self, group: dict[str, Any], state: dict[str, Any], step: Any, lr: Any
    ) -> tuple[Any, ...]:
        sign = -1.0 if group["maximize"] else 1.0
        return sign, *self._numbers(group, step, lr)

    def _after(self, group: dict[str, Any], state: dict[str, Any], step: Any, lr: Any) -> None:
        """What else of the state changes."""
