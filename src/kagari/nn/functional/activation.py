"""Activation functions, with PyTorch's signatures and `inplace`; the core does the arithmetic."""

import warnings
from collections.abc import Callable
from typing import Any

import kagari
from kagari import Tensor
from kagari import _ops as ops
from kagari.autograd.modes import differentiating


def _written(input: Tensor, op: Callable[..., Tensor], *args: float) -> Tensor:
    """`op` in place. Where it is recorded its backward needs what the input was, hence a copy."""
    return input.copy_(op(input.clone() if differentiating(input) else input, *args))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0)."""
    return ops.relu_(input) if inplace else ops.relu(input)


def relu_(input: Tensor) -> Tensor:
    """`relu` in place."""
    return ops.relu_(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, elsewhere `value`."""
    if inplace:
        return _written(input, ops.threshold, threshold, value)
    return ops.threshold(input, threshold, value)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """`threshold` in place."""
    return _written(input, ops.threshold, threshold, value)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """x clamped to [min_val, max_val]."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if input.dtype is kagari.bool:
        raise RuntimeError("hardtanh: expected a number dtype for input, got bool")
    if inplace:
        return _written(input, ops.hardtanh, min_val, max_val)
    return ops.hardtanh(input, min_val, max_val)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """`hardtanh` in place."""
    return hardtanh(input, min_val, max_val, True)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """x clamped to [0, 6]."""
    return _written(input, ops.relu6) if inplace else ops.relu6(input)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, elsewhere alpha (exp(x) - 1)."""
    return _written(input, ops.elu, alpha) if inplace else ops.elu(input, alpha)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu` in place."""
    return _written(input, ops.elu, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Scaled `elu` with the constants that keep activations normalised."""
    return ops.selu_(input) if inplace else ops.selu(input)


def selu_(input: Tensor) -> Tensor:
    """`selu` in place."""
    return ops.selu_(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """max(0, x) + min(0, alpha (exp(x / alpha) - 1))."""
    return ops.celu_(input, alpha) if inplace else ops.celu(input, alpha)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`celu` in place."""
    return ops.celu_(input, alpha)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, elsewhere negative_slope * x."""
    if inplace:
        return _written(input, ops.leaky_relu, negative_slope)
    return ops.leaky_relu(input, negative_slope)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu` in place."""
    return _written(input, ops.leaky_relu, negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, elsewhere weight * x, with one weight or one per channel."""
    if weight.numel() != 1:
        if input.dim() == 0:
            raise RuntimeError("prelu: input is 0-d, but weight has more than one element")
        channels = input.shape[1] if input.dim() > 1 else 1
        if weight.dim() > 1 or weight.numel() != channels:
            raise RuntimeError(
                f"prelu: weight has {weight.numel()} elements, input {tuple(input.shape)} has "
                f"{channels} channels; use one weight, or one per channel"
            )
        weight = weight.reshape(-1, *[1] * (input.dim() - 2)) if input.dim() > 1 else weight
    if weight.dtype is not input.dtype:
        raise RuntimeError(f"prelu: input is {input.dtype}, weight is {weight.dtype}; use one type")
    return ops.prelu_kernel(input, weight.reshape(()) if weight.numel() == 1 else weight)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Any = None,
) -> Tensor:
    """`leaky_relu` whose slope is drawn from [lower, upper] in training."""
    if lower > upper:
        raise RuntimeError(f"rrelu: lower ({lower}) has to be at most upper ({upper})")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    slope = kagari.empty_like(input).uniform_(lower, upper, generator=generator)
    result = kagari.where(input <= 0, input * slope, input)
    return input.copy_(result) if inplace else result


def rrelu_(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False
) -> Tensor:
    """`rrelu` in place."""
    return rrelu(input, lower, upper, training, True)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a * sigmoid(b), where a and b are the halves of the input along `dim`."""
    if input.dim() == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    if input.shape[dim] % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {dim} is size {input.shape[dim]}"
        )
    first, second = input.chunk(2, dim)
    return first * second.sigmoid()


def gelu(input: Tensor, approximate: str = "none", *, out: Tensor | None = None) -> Tensor:
    """x times the normal distribution's cumulative probability of x."""
    return ops.gelu(input, approximate=approximate, out=out)


def logsigmoid(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """log(sigmoid(x)), without overflow."""
    return ops.logsigmoid(input, out=out)


def hardshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """x where |x| > lambd, elsewhere 0."""
    return ops.hardshrink(input, lambd, out=out)


def softshrink(input: Tensor, lambd: float = 0.5, *, out: Tensor | None = None) -> Tensor:
    """x moved towards 0 by lambd."""
    if lambd < 0:
        raise RuntimeError(f"softshrink: lambd has to be at least 0, got {lambd}")
    return ops.softshrink(input, lambd, out=out)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return ops.tanhshrink(input)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return ops.softsign(input)


def softplus(
    input: Tensor, beta: float = 1.0, threshold: float = 20.0, *, out: Tensor | None = None
) -> Tensor:
    """log(1 + exp(beta x)) / beta, and x itself where beta x > threshold."""
    return ops.softplus(input, beta, threshold, out=out)


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    return input.tanh()


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return input.sigmoid()


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """x / 6 + 1 / 2, clamped to [0, 1]."""
    return _written(input, ops.hardsigmoid) if inplace else ops.hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * hardsigmoid(x)."""
    return _written(input, ops.hardswish) if inplace else ops.hardswish(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x)."""
    return _written(input, ops.silu) if inplace else ops.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x))."""
    return _written(input, ops.mish) if inplace else ops.mish(input)


def _implicit_dim(name: str, dims: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        stacklevel=3,
    )
    return 0 if dims in (0, 1, 3) else 1


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """exp(x) divided by its sum along `dim`."""
    if dim is None:
        dim = _implicit_dim("softmax", input.dim())
    return ops.softmax(input, dim) if dtype is None else ops.softmax(input, dim, dtype=dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """`softmax` of -x."""
    if dim is None:
        dim = _implicit_dim("softmin", input.dim())
    return softmax(-input, dim, dtype=dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """Logarithm of `softmax`, without overflow."""
    if dim is None:
        dim = _implicit_dim("log_softmax", input.dim())
    if dtype is None:
        return ops.log_softmax(input, dim)
    return ops.log_softmax(input, dim, dtype=dtype)


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A sample of the Gumbel-softmax distribution; with `hard` one-hot, with soft gradients."""
    noise = -kagari.empty_like(logits).exponential_().log()
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    one_hot = kagari.zeros_like(logits).scatter_(dim, index, 1.0)
    return one_hot - soft.detach() + soft


__all__ = [
    "celu",
    "celu_",
    "elu",
    "elu_",
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
]
