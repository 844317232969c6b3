"""Householder reflectors: what geqrf leaves, and products with the Q they stand for.

Q = H_1 H_2 ... H_k, H_i = 1 - tau_i v_i v_i^H, where v_i has i - 1 zeros, a one, and then what
stands below the diagonal in column i. LAPACK multiplies; for gradients the same products are made
of differentiable operations, one reflector after the other.
"""

from collections import namedtuple
from typing import Any

import kagari
from kagari import _C, Tensor
from kagari._outputs import written
from kagari.autograd.modes import differentiating

from .arguments import adjoint, print_as_torch

_ops = _C.places["ops"]
Geqrf = namedtuple("Geqrf", ["a", "tau"])
print_as_torch("", geqrf=Geqrf)


class _NoDerivative(kagari.autograd.Function):
    """Its results ask for gradients that nobody can give."""

    @staticmethod
    def forward(ctx: Any, input: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        return tuple(_ops["_linalg_geqrf"](input.detach()))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:  # type: ignore[override]
        raise NotImplementedError("the derivative for 'geqrf' is not implemented; use linalg.qr")


def geqrf(input: Tensor, *, out: Any = None) -> Geqrf:
    """R above the diagonal of `a`, reflectors below it, their factors in `tau`.

    Args:
        input: (*, m, n); tau is (*, min(m, n)).

    >>> a, tau = kagari.geqrf(kagari.eye(2))
    >>> tau
    tensor([0., 0.])
    """
    _check("geqrf", input)
    if differentiating(input):
        made = _NoDerivative.apply(input)
    else:
        made = _ops["_linalg_geqrf"](input)
    return written(Geqrf(*made), out, "geqrf", castable=True, refit=True)


def _check(op: str, input: Tensor, *others: Tensor) -> None:
    if input.dim() < 2:
        raise RuntimeError(f"{op}: input must have at least 2 dimensions, got {input.dim()}")
    if not (input.is_floating_point() or input.is_complex()) or input.element_size() < 4:
        raise NotImplementedError(f'"{op}" not implemented for {input.dtype}')
    for other in others:
        if other.dtype != input.dtype:
            raise RuntimeError(
                f"{op}: input and the other arguments must have the same dtype, got "
                f"{input.dtype} and {other.dtype}"
            )


def _check_tau(op: str, input: Tensor, tau: Tensor) -> None:
    if tau.dim() != input.dim() - 1:
        raise RuntimeError(
            f"{op}: Expected tau to have one dimension less than input, but got tau.ndim equal to "
            f"{tau.dim()} and input.ndim is equal to {input.dim()}"
        )
    if tau.shape[:-1] != input.shape[:-2]:
        raise RuntimeError(
            f"{op}: Expected batch dimensions of tau to be those of input, "
            f"{tuple(input.shape[:-2])}, but got {tuple(tau.shape[:-1])}"
        )


def householder_product(A: Tensor, tau: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The first n columns of Q.

    Args:
        A: (*, m, n), m >= n, as geqrf leaves it; what stands above its diagonal is not read.
        tau: (*, k), k <= n.

    >>> kagari.linalg.householder_product(kagari.ones(3, 2), kagari.zeros(2)).shape
    torch.Size([3, 2])
    """
    op = "linalg.householder_product"
    _check(op, A, tau)
    m, n = A.shape[-2:]
    if m < n:
        raise RuntimeError(
            f"{op}: input.shape[-2] must be greater than or equal to input.shape[-1], got "
            f"{tuple(A.shape)}"
        )
    _check_tau(op, A, tau)
    if tau.shape[-1] > n:
        raise RuntimeError(
            f"{op}: input.shape[-1] must be greater than or equal to tau.shape[-1], got {n} and "
            f"{tau.shape[-1]}"
        )
    if differentiating(A, tau):
        eye = kagari.where(kagari.tensor(True), kagari.eye(m, n, dtype=A.dtype), A)
        made = _reflected(A, tau, eye, adjoint_of_q=False)
    else:
        made = _ops["_linalg_householder_product"](A, tau)
    return written(made, out, op, castable=True, refit=True)


def ormqr(
    input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False, *,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Q other, or other Q where not `left`; Q^H for Q with `transpose`.

    Args:
        input: (*, mn, k) as geqrf leaves it; tau: (*, k).
        other: (*, m, n), with mn = m where `left`, else n.
    """
    if input.dim() < 2:
        raise RuntimeError(f"ormqr: input must have at least 2 dimensions, got {input.dim()}")
    if other.dim() < 2:
        raise RuntimeError(f"ormqr: other must have at least 2 dimensions, got {other.dim()}")
    size = other.shape[-2 if left else -1]
    if size != input.shape[-2]:
        raise RuntimeError(
            f"ormqr: other.shape[{-2 if left else -1}] must be equal to input.shape[-2], got "
            f"{size} and {input.shape[-2]}"
        )
    if tau.dim() and tau.shape[-1] != min(size, input.shape[-1]):
        raise RuntimeError(
            "ormqr: tau.shape[-1] must be equal to min(input.shape[-2], input.shape[-1]), got "
            f"{tau.shape[-1]} and input {tuple(input.shape)}"
        )
    _check_tau("ormqr", input, tau)
    if other.shape[:-2] != input.shape[:-2]:
        raise RuntimeError(
            "ormqr: Expected batch dimensions of other to be those of input, "
            f"{tuple(input.shape[:-2])}, but got {tuple(other.shape[:-2])}"
        )
    _check("ormqr", input, tau, other)
    if differentiating(input, tau, other):
        if left:
            made = _reflected(input, tau, other, adjoint_of_q=transpose)
        else:  # (C Q)^H = Q^H C^H
            made = adjoint(_reflected(input, tau, adjoint(other), adjoint_of_q=not transpose))
    else:
        made = _ops["_linalg_ormqr"](input, tau, other, left, transpose)
    return written(made, out, "ormqr", refit=True)


def _reflected(A: Tensor, tau: Tensor, C: Tensor, *, adjoint_of_q: bool) -> Tensor:
    """Q C or Q^H C: in Q the last reflector comes first."""
    below = A.tril(-1) + kagari.eye(*A.shape[-2:], dtype=A.dtype)
    steps = range(tau.shape[-1])
    for i in steps if adjoint_of_q else reversed(steps):
        v, factor = below[..., i : i + 1], tau[..., i, None, None]
        if adjoint_of_q and factor.is_complex():
            factor = factor.conj()
        C = C - factor * (v @ (adjoint(v) @ C))
    return C
