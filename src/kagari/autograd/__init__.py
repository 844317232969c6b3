"""Reverse-mode differentiation: `backward`, `grad`, custom Functions, modes, hooks, checks.

The graph and the engine are C++ (csrc/autograd); this package is how Python reaches them.
"""

from collections.abc import Sequence
from typing import Any

from .._C import (
    Tensor,
    _intercepted,
    _run_backward,
    is_grad_enabled,
    is_inference_mode_enabled,
)
from . import forward_ad, function, functional, graph
from .anomaly_mode import detect_anomaly, set_detect_anomaly
from .function import Function
from .gradcheck import GradcheckError, gradcheck, gradgradcheck
from .modes import (
    enable_grad,
    enforce_grad_layout_policy,
    inference_mode,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)

Variable = Tensor

__all__ = [
    "Function", "GradcheckError", "Variable", "backward", "detect_anomaly", "enable_grad",
    "enforce_grad_layout_policy", "forward_ad", "function", "functional", "grad", "gradcheck",
    "gradgradcheck", "graph", "inference_mode", "is_grad_enabled", "is_inference_mode_enabled",
    "no_grad", "set_detect_anomaly", "set_grad_enabled", "set_multithreading_enabled", "variable",
]  # fmt: skip

_Tensors = Tensor | Sequence[Tensor]


def variable(*args: Any, **kwargs: Any) -> Any:
    """RuntimeError: deprecated long ago, as tensors are variables."""
    raise RuntimeError("torch.autograd.variable(...) is deprecated, use torch.tensor(...) instead")


def _listed(value: Any, count: int | None = None) -> list[Any]:
    if value is None:
        return [None] * (count or 0)
    return list(value) if isinstance(value, (tuple, list)) else [value]


def _no_transform() -> None:
    """.grad is one tensor per leaf; inside vmap there is a gradient per sample."""
    if not _intercepted():
        return
    from ..func.levels import active

    if active():
        raise RuntimeError(
            "backward() called inside vmap. This is not supported, please use torch.func.grad or "
            "torch.func.vjp instead, or call backward() outside"
        )


def backward(
    tensors: _Tensors,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: _Tensors | None = None,
) -> None:
    """Add the gradients of the sum of `tensors` to .grad of the leaves (or of `inputs` alone).

    `grad_tensors`: what each tensor's gradient starts with, of its shape; may be left out for
    tensors of one element. `retain_graph` keeps what backward needs for another run; it is implied
    by `create_graph`, which makes the gradients differentiable.
    """
    roots = _listed(tensors)
    grads = _listed(grad_tensors if grad_tensors is not None else grad_variables, len(roots))
    if len(grads) != len(roots):
        raise RuntimeError(
            f"backward: got {len(roots)} tensors and {len(grads)} gradients; expected one each"
        )
    wanted = _listed(inputs)
    if inputs is not None and not wanted:
        raise RuntimeError("backward: `inputs` argument to `backward()` cannot be empty.")
    retain = create_graph if retain_graph is None else retain_graph
    _no_transform()
    _run_backward(roots, grads, retain, create_graph, wanted, inputs is not None)


def grad(
    outputs: _Tensors,
    inputs: _Tensors,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Gradients of the sum of `outputs` with respect to each of `inputs`; no .grad is touched.

    An input that the outputs do not depend on is an error, unless `allow_unused` (then None) or
    `materialize_grads` (then zeros). With `is_grads_batched` every one of `grad_outputs` has one
    more dimension in front, as the gradients then do: one run of the engine, under vmap, for all.

    >>> x = kagari.tensor(3.0, requires_grad=True)
    >>> kagari.autograd.grad(x**2, x)
    (tensor(6.),)
    """
    roots, wanted = _listed(outputs), _listed(inputs)
    if allow_unused is False and materialize_grads:
        raise ValueError(
            "grad: Expected allow_unused to be True or not passed when materialize_grads=True"
        )
    grads = _listed(grad_outputs, len(roots))
    if len(grads) != len(roots):
        raise RuntimeError(f"grad: got {len(roots)} outputs and {len(grads)} grad_outputs")
    retain = create_graph if retain_graph is None else retain_graph

    def run(roots: list[Any], grads: list[Any], wanted: list[Any]) -> Any:
        return _run_backward(roots, grads, retain, create_graph, wanted, False)

    if is_grads_batched:
        from ..func.batched_grads import run_batched

        found = run_batched(run, roots, grads, wanted)
    elif _intercepted():
        from ..func.levels import run_backward

        found = run_backward(run, roots, grads, wanted, "grad")
    else:
        found = list(run(roots, grads, wanted))
    for i, g in enumerate(found):
        if g is not None:
            continue
        if materialize_grads:
            lead = [next(len(g) for g in grads if g is not None)] if is_grads_batched else []
            found[i] = wanted[i].detach().new_zeros(*lead, *wanted[i].shape)
        elif not allow_unused:
            raise RuntimeError(
                f"grad: One of the differentiated Tensors (input {i}) appears to not have been "
                "used in the graph. Set allow_unused=True if this is the desired behavior."
            )
    return tuple(found)


def tensor_backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: _Tensors | None = None,
) -> None:
    """Add the gradients of this tensor to .grad of the leaves it was computed from.

    >>> x = kagari.ones(3, requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 2., 2.])
    """
    if inputs is None:
        retain = create_graph if retain_graph is None else retain_graph
        _no_transform()
        _run_backward([self], [gradient], retain, create_graph, [], False)
    else:
        backward(self, gradient, retain_graph, create_graph, inputs=inputs)


Tensor.backward = tensor_backward
