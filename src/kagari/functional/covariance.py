"""Covariance and correlation of variables, one in each row: cov, corrcoef."""

import warnings

import kagari
from kagari import Tensor


def cov(
    input: Tensor,
    *,
    correction: int = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """The covariance matrix of the rows of `input` (variables, observations), or of one variable.

    Args:
        correction: taken from the number of observations: 1 for an unbiased estimate.
        fweights: how often each observation was made, integers.
        aweights: how much each observation counts.

    RuntimeError for more than two dimensions, bool, and weights of another length, of the wrong
    kind, negative or with sum zero.

    >>> kagari.cov(kagari.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.dim() > 2:
        raise RuntimeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{input.dim()} dimensions"
        )
    if input.dtype is kagari.bool:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows = input.reshape(1, -1) if input.dim() < 2 else input
    count = rows.shape[1]
    for name, weight in (("fweights", fweights), ("aweights", aweights)):
        if weight is not None:
            _check_weights(name, weight, count)
    weights = fweights if aweights is None else aweights
    if fweights is not None and aweights is not None:
        weights = fweights * aweights
    if weights is None:
        average = rows.sum(1) / count if count else rows.sum(1) / 0
        size: Tensor | float = count - correction
    else:
        total = weights.sum()
        if not weights.is_meta and total.item() == 0:
            raise RuntimeError("cov(): weights sum to zero, can't be normalized")
        average = (rows * weights).sum(1) / total
        size = total - correction
        if aweights is not None and correction != 0:
            size = total - correction * (weights * aweights).sum() / total
    centred = rows - average.unsqueeze(1)
    product = centred @ (centred if weights is None else centred * weights).mT.conj()
    return (product / _positive(size)).squeeze()


def _check_weights(name: str, weight: Tensor, count: int) -> None:
    if weight.dim() > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with "
            f"{weight.dim()} dimensions"
        )
    floating = weight.is_floating_point()
    integral = not floating and not weight.is_complex() and weight.dtype is not kagari.bool
    if not (floating if name == "aweights" else integral):
        kind = "floating point" if name == "aweights" else "integral"
        raise RuntimeError(
            f"cov(): expected {name} to have {kind} dtype but got {name} with {weight.dtype} dtype"
        )
    if weight.numel() != count:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the "
            f"input but got {weight.numel()} != {count}"
        )
    if count and not weight.is_meta and weight.min().item() < 0:
        raise RuntimeError(f"cov(): {name} cannot be negative")


def _positive(size: "Tensor | float") -> "Tensor | float":
    """The divisor, at least 0, with a warning where there are too few observations."""
    if isinstance(size, Tensor) and size.is_meta:
        return size
    if not size > 0:
        warnings.warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number "
            "of observations.",
            stacklevel=3,
        )
    return size.clamp(min=0) if isinstance(size, Tensor) else max(size, 0)


def corrcoef(input: Tensor) -> Tensor:
    """The matrix of Pearson's correlation coefficients of the rows of `input`: `cov`, scaled.

    >>> kagari.corrcoef(kagari.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.dim() > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input.dim()} dimensions"
        )
    matrix = cov(input)
    if matrix.dim() == 0:
        return matrix / matrix
    diagonal = matrix.diagonal()
    deviation = (diagonal.real if matrix.is_complex() else diagonal).sqrt()
    matrix = matrix / deviation.unsqueeze(1) / deviation
    if matrix.is_complex():
        return kagari.complex(matrix.real.clamp(-1, 1), matrix.imag.clamp(-1, 1))
    return matrix.clamp(-1, 1)
