"""Derivatives compared with finite differences: which checks are made, and of what."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from .. import _C
from .._C import Tensor
from .derivative_checks import (
    Check,
    GradcheckError,
    backward_fast,
    backward_slow,
    batched_grads,
    batched_tangents,
    forward_fast,
    forward_slow,
    grad_dtypes,
    multiplies_by_grad,
    undefined_grads,
    undefined_tangents,
)
from .finite_differences import differentiable, tensors_of


def _check_inputs(inputs: Sequence[Any]) -> None:
    if not any(t.requires_grad for t in tensors_of(inputs)):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )
    for i, t in enumerate(inputs):
        if not isinstance(t, Tensor) or not t.requires_grad:
            continue
        if t.element_size() < (16 if t.dtype.is_complex else 8):
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex. ",
                stacklevel=3,
            )
        if 0 in t.stride() and t.numel() > 1:
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs "
                "that are non-overlapping to be able to compute the numerical gradients correctly. "
                "You should call .contiguous on the input before passing it to gradcheck."
            )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare the derivatives of `func(*inputs)` with central finite differences of step `eps`.

    Args:
        inputs: those that require grad are differentiated; they should be float64 or complex128.
        atol, rtol: a difference of `atol + rtol * |expected|` is tolerated.
        raise_exception: otherwise the result is False where a check fails.
        nondet_tol: how much two runs of backward may differ.
        check_backward_ad, check_forward_ad: the gradients of backward, those of forward mode.
        check_undefined_grad: missing gradients of outputs (tangents of inputs) count as zeros.
        check_grad_dtypes: gradients have the dtype and shape of their input.
        check_batched_grad, check_batched_forward_grad: under vmap they are what they are alone.
        fast_mode: compares one random direction of each input and output and not every element.
        masked: for tensors that are not dense; these are, so nothing depends on it.

    Raises GradcheckError, a RuntimeError, where derivatives differ; ValueError if no input
    requires grad, RuntimeError for one that overlaps itself, AssertionError for checks that exclude
    each other.

    >>> x = kagari.tensor([0.5, 2.0], dtype=kagari.float64, requires_grad=True)
    >>> kagari.autograd.gradcheck(lambda x: x.exp(), (x,))
    True
    """
    _require(
        check_forward_ad or check_backward_ad,
        "Expected at least one of check_forward_ad or check_backward_ad to be True",
    )
    _require(
        check_backward_ad or not check_batched_grad,
        "Setting check_batched_grad=True requires check_backward_ad to be True",
    )
    _require(
        check_forward_ad or not check_batched_forward_grad,
        "Setting check_batched_forward_grad=True requires check_forward_ad to be True",
    )
    values = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    _check_inputs(values)
    check = Check(func, values, eps, atol, rtol, nondet_tol)
    forward, backward = check_forward_ad, check_backward_ad
    wanted = (
        (forward, forward_fast if fast_mode else forward_slow),
        (forward and check_undefined_grad, undefined_tangents),
        (check_batched_forward_grad, batched_tangents),
        (backward, backward_fast if fast_mode else backward_slow),
        (check_batched_grad, batched_grads),
        (backward, multiplies_by_grad),
        (backward and check_grad_dtypes, grad_dtypes),
        (backward and check_undefined_grad, undefined_grads),
    )
    try:
        for included, compare in wanted:
            if included:
                compare(check)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """As gradcheck, for the gradients of the gradients: with respect to the inputs and to
    `grad_outputs` (random ones if not given, in strided memory with `gen_non_contig_grad_outputs`),
    by backward (`check_rev_over_rev`) and by forward mode (`check_fwd_over_rev`).

    >>> x = kagari.tensor([0.5, 2.0], dtype=kagari.float64, requires_grad=True)
    >>> kagari.autograd.gradgradcheck(lambda x: x.exp(), (x,), check_fwd_over_rev=True)
    True
    """
    from . import grad

    _require(
        check_fwd_over_rev or check_rev_over_rev,
        "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True",
    )
    _require(
        check_rev_over_rev or not check_undefined_grad,
        "Setting check_undefined_grad=True requires check_rev_over_rev to be True",
    )
    _require(
        check_rev_over_rev or not check_batched_grad,
        "Setting check_batched_grad=True requires check_rev_over_rev to be True",
    )
    values = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    _check_inputs(values)
    wanted = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
    if grad_outputs is None:
        outputs = [o for o in differentiable(func(*values)) if o.requires_grad]
        grads = [_start(o, gen_non_contig_grad_outputs) for o in outputs]
    else:
        grads = tensors_of(grad_outputs)

    def first(*args: Any) -> Any:
        given = args[: len(values)]
        outputs = [o for o in differentiable(func(*given)) if o.requires_grad]
        sources = [given[i] for i in wanted]
        found = grad(outputs, sources, args[len(values) :], create_graph=True, allow_unused=True)
        for i, g in zip(wanted, found, strict=True):
            lost = g is not None and not g.requires_grad and not _C._dual_levels()
            if lost and any(t.requires_grad for t in grads) and g.count_nonzero().item():
                raise GradcheckError(f"the gradient of input {i} has no history of its own")
        return tuple(g for g in found if g is not None)

    return gradcheck(
        first,
        (*values, *grads),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
        masked=masked,
    )


def _start(output: Tensor, strided: bool) -> Tensor:
    """A random gradient to start from."""
    from .. import randn

    if strided:
        made = randn(*output.shape, 2, dtype=output.dtype)[..., 0].detach()
    else:
        made = randn(output.shape, dtype=output.dtype)
    return made.requires_grad_()
