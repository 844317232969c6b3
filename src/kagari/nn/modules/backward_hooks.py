"""Backward hooks of modules: identity functions around a module's inputs and outputs, whose
backward hands the gradients to the hooks. Registration is left to hooks.py."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari.autograd import Function


class _Watch(Function):
    """Identity on tensors; `receive` sees their gradients on the way back and may replace them."""

    @staticmethod
    def forward(ctx: Any, receive: Callable[..., Any], *tensors: Tensor) -> Any:
        ctx.receive = receive
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*(t for t in tensors if not t.requires_grad))
        return tuple(t.view_as(t) for t in tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return None, *ctx.receive(grads)


class BackwardHooks:
    """One call of one module: collects its grad_output, then its grad_input, and runs the hooks."""

    def __init__(self, module: Any, hooks: Sequence[Any], pre_hooks: Sequence[Any]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs: tuple[Any, ...] | None = None
        self.inputs_watched = False
        self.input_count = 0

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, with a watch on the tensors among them."""
        self.input_count = len(args)
        return self._watch(args, self._receive_inputs, is_input=True)

    def watch_outputs(self, result: Any) -> Any:
        """The result, with a watch on the tensors in it."""
        if isinstance(result, tuple):
            watched = self._watch(result, self._receive_outputs, is_input=False)
            return type(result)(*watched) if hasattr(result, "_fields") else watched
        return self._watch((result,), self._receive_outputs, is_input=False)[0]

    def _watch(self, values: Any, receive: Any, is_input: bool) -> tuple[Any, ...]:
        where = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        wanted = kagari.is_grad_enabled() and any(values[i].requires_grad for i in where)
        if not wanted:
            return tuple(values)
        self.inputs_watched |= is_input
        count = len(values)

        def spread(grads: Sequence[Any]) -> tuple[Any, ...]:
            full: list[Any] = [None] * count
            for i, grad in zip(where, grads, strict=True):
                full[i] = grad
            return tuple(full)

        def on_grads(grads: Sequence[Any]) -> list[Any]:
            full = receive(spread(grads))
            return [full[i] for i in where]

        made = list(values)
        for i, tensor in zip(
            where, _Watch.apply(on_grads, *(values[i] for i in where)), strict=True
        ):
            made[i] = tensor
        return tuple(made)

    def _receive_outputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.pre_hooks:
            grads = self._replaced(hook(self.module, grads), grads, "pre-hook", "grad_output")
        self.grad_outputs = grads
        if self.hooks and not self.inputs_watched:
            nothing = (None,) * self.input_count
            for hook in self.hooks:
                result = hook(self.module, nothing, grads)
                if result is not None and any(r is not None for r in _tuple(result)):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should "
                        "always return None or None for all gradients."
                    )
            self.grad_outputs = None
        return grads

    def _receive_inputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        if self.grad_outputs is None and self.hooks:
            raise RuntimeError(
                "Module backward hook for grad_input is called before the grad_output one. This "
                "happens because the gradient in your nn.Module flows to the Module's input "
                "without passing through the Module's output. Make sure that the output depends "
                "on the input and that the loss is computed based on the output."
            )
        for hook in self.hooks:
            result = hook(self.module, grads, self.grad_outputs)
            grads = self._replaced(result, grads, "hook", "grad_input")
        self.grad_outputs = None
        return grads

    @staticmethod
    def _replaced(result: Any, grads: tuple[Any, ...], kind: str, what: str) -> tuple[Any, ...]:
        if result is None:
            return grads
        result = _tuple(result)
        if len(result) != len(grads):
            raise RuntimeError(
                f"Backward {kind} returned an invalid number of {what}, got {len(result)}, "
                f"but expected {len(grads)}"
            )
        return result


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def watch_result(module: Any, hooks: Sequence[Any], result: Any) -> None:
    """Hooks of the older kind: put them on the last operation that made `result`."""
    tensor = result
    while not isinstance(tensor, Tensor):
        if isinstance(tensor, dict):
            tensor = next((v for v in tensor.values() if isinstance(v, Tensor)), None)
        elif isinstance(tensor, (list, tuple)) and tensor:
            tensor = tensor[0]
        else:
            return
    node = tensor.grad_fn
    if node is None:
        return
    if len(node.next_functions) > 1 or isinstance(result, (tuple, list)):
        warnings.warn(
            "Using a non-full backward hook: it sees the gradients of the module's last "
            "operation only. Please use register_full_backward_hook.",
            FutureWarning,
            stacklevel=5,
        )
    for hook in hooks:
        node.register_hook(lambda gi, go, hook=hook: hook(module, gi, go))
