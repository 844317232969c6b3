"""The older window functions, periodic by default: hann_window, ... Newer ones: signal.windows."""

import math
from collections.abc import Callable
from typing import Any

import kagari
from kagari import Tensor


def _window(
    op: str, length: int, periodic: bool, formula: Callable[[Tensor, int], Tensor], options: Any
) -> Tensor:
    """`formula(places, points)` at 0, 1, ..., points - 1; the last left out where periodic."""
    dtype, layout, device = (options.pop(k, None) for k in ("dtype", "layout", "device"))
    requires_grad = options.pop("requires_grad", False)
    options.pop("pin_memory", None)
    if options:
        raise TypeError(f"{op}() got an unexpected keyword argument '{next(iter(options))}'")
    if layout not in (None, kagari.strided):
        raise RuntimeError(f"{op} is not implemented for sparse types, got: {layout}")
    dtype = kagari.get_default_dtype() if dtype is None else dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{op} expects floating point dtypes, got: {dtype}")
    if dtype.is_complex:
        raise NotImplementedError(f'"{op}" not implemented for {dtype}')
    if length < 0:
        raise RuntimeError(f"{op} requires non-negative window_length, got window_length={length}")
    if length <= 1:
        made = kagari.ones(length, dtype=dtype, device=device)
    else:
        points = length + 1 if periodic else length
        half = dtype in (kagari.float16, kagari.bfloat16)
        places = kagari.arange(points, dtype=kagari.float32 if half else dtype, device=device)
        made = formula(places, points)[:length].to(dtype)
        made = made.clone() if periodic else made
    return made.requires_grad_() if requires_grad else made


def hann_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """sin(pi n / N)^2, for N = window_length, or one less where not `periodic`.

    Options are dtype (floating), layout, device and requires_grad. RuntimeError for a negative
    length and other dtypes.

    >>> kagari.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _window("hann_window", window_length, periodic, _raised_cosine(0.5, 0.5), options)


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46,
    **options: Any,
) -> Tensor:  # fmt: skip
    """alpha - beta cos(2 pi n / N); options as of `hann_window`.

    >>> kagari.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    return _window("hamming_window", window_length, periodic, _raised_cosine(alpha, beta), options)


def _raised_cosine(alpha: float, beta: float) -> Callable[[Tensor, int], Tensor]:
    return lambda n, points: alpha - beta * (n * (2 * math.pi / (points - 1))).cos()


def blackman_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N); options as of `hann_window`.

    >>> kagari.blackman_window(4)[2]
    tensor(1.)
    """

    def formula(n: Tensor, points: int) -> Tensor:
        angle = n * (math.pi / (points - 1))
        return (angle * 4).cos() * 0.08 - (angle * 2).cos() * 0.5 + 0.42

    return _window("blackman_window", window_length, periodic, formula, options)


def bartlett_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """A triangle, 1 - |2 n / N - 1|; options as of `hann_window`.

    >>> kagari.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """

    def formula(n: Tensor, points: int) -> Tensor:
        rise = n * (2 / (points - 1))
        return kagari.minimum(rise, 2 - rise)

    return _window("bartlett_window", window_length, periodic, formula, options)


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, **options: Any
) -> Tensor:
    """I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta); options as of `hann_window`.

    >>> kagari.kaiser_window(4)[2]
    tensor(1.)
    """

    def formula(n: Tensor, points: int) -> Tensor:
        x = n * (2 / (points - 1)) - 1
        rounded = (1 - x * x).clamp(min=0)
        return kagari.i0(rounded.sqrt() * beta) / kagari.i0(x.new_full((), beta))

    return _window("kaiser_window", window_length, periodic, formula, options)
