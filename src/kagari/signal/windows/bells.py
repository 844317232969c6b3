"""Windows of other shapes than sums of cosines: cosine, exponential, gaussian, kaiser.

The arguments that all windows share are described in sums.py.
"""

import math
from typing import Any

import kagari
from kagari import Tensor

from .options import checked, constant, finished, steps


def _middle(M: int, sym: bool) -> float:
    return (M if not sym and M > 1 else M - 1) / 2


def cosine(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """sin(pi (n + 1/2) / M).

    >>> kagari.signal.windows.cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """
    dtype = checked("cosine", M, dtype, layout)
    if M == 0:
        return constant(M, dtype, device, requires_grad)
    unit = math.pi / (M + 1 if not sym and M > 1 else M)
    angles = kagari.linspace(0.5 * unit, (M - 0.5) * unit, M, dtype=dtype, device=device)
    return finished(angles.sin(), requires_grad)


def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, dtype: Any = None,
    layout: Any = None, device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """exp(-|n - center| / tau).

    Args:
        center: where the peak is, only without `sym`; the middle by default.
        tau: the decay, positive.

    >>> kagari.signal.windows.exponential(3)
    tensor([0.3679, 1.0000, 0.3679])
    """
    dtype = checked("exponential", M, dtype, layout)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    if M == 0:
        return constant(M, dtype, device, requires_grad)
    middle = _middle(M, sym) if center is None else center
    places = kagari.linspace(-middle / tau, (M - 1 - middle) / tau, M, dtype=dtype, device=device)
    return finished((-places.abs()).exp(), requires_grad)


def gaussian(
    M: int, *, std: float = 1.0, sym: bool = True, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """exp(-((n - middle) / std)^2 / 2).

    >>> kagari.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    dtype = checked("gaussian", M, dtype, layout)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    if M == 0:
        return constant(M, dtype, device, requires_grad)
    middle, unit = _middle(M, sym), 1 / (std * math.sqrt(2))
    places = kagari.linspace(-middle * unit, (M - 1 - middle) * unit, M, dtype=dtype, device=device)
    return finished((-places * places).exp(), requires_grad)


def kaiser(
    M: int, *, beta: float = 12.0, sym: bool = True, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta), N = M - 1, or M where not `sym`.

    >>> kagari.signal.windows.kaiser(3, beta=0.0)
    tensor([1., 1., 1.])
    """
    dtype = checked("kaiser", M, dtype, layout)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    if M <= 1:
        return constant(M, dtype, device, requires_grad)
    end = min(beta, -beta + 2 * beta / steps(M, sym) * (M - 1))
    places = kagari.linspace(-beta, end, M, dtype=dtype, device=device)
    rounded = (beta * beta - places * places).clamp(min=0).sqrt()
    return finished(kagari.i0(rounded) / kagari.i0(places.new_full((), beta)), requires_grad)
