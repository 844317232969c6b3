"""Windows that are sums of cosines, and the triangle: hann, hamming, blackman, nuttall, ...

All take the number of points `M`, `sym` (False for a window that continues itself with period M),
`dtype` (float32 or float64), `layout`, `device` and `requires_grad`. ValueError for a negative `M`,
another dtype and another layout.
"""

import math
from collections.abc import Iterable
from typing import Any

import kagari
from kagari import Tensor

from .options import checked, constant, finished, steps


def general_cosine(
    M: int, *, a: Iterable[float], sym: bool = True, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The sum over i of (-1)^i a[i] cos(2 pi i n / N), N = M - 1, or M where not `sym`.

    TypeError and ValueError for coefficients that are no list or empty.

    >>> kagari.signal.windows.general_cosine(3, a=[0.5, 0.5])
    tensor([0., 1., 0.])
    """
    dtype = checked("general_cosine", M, dtype, layout)
    if M == 0:
        return constant(M, dtype, device, requires_grad)
    if not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    factors = list(a)
    if not factors:
        raise ValueError("Coefficients cannot be empty")
    if M == 1:
        return constant(M, dtype, device, requires_grad)
    unit = 2 * math.pi / steps(M, sym)
    angles = kagari.linspace(0, (M - 1) * unit, M, dtype=dtype, device=device)
    terms = [(-1) ** i * factor * (i * angles).cos() for i, factor in enumerate(factors)]
    return finished(kagari.stack(terms).sum(0), requires_grad)


def general_hamming(
    M: int, *, alpha: float = 0.54, sym: bool = True, dtype: Any = None, layout: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """alpha - (1 - alpha) cos(2 pi n / N).

    >>> kagari.signal.windows.general_hamming(3, alpha=0.5)
    tensor([0., 1., 0.])
    """
    return general_cosine(M, a=[alpha, 1.0 - alpha], sym=sym, dtype=dtype, layout=layout,
                          device=device, requires_grad=requires_grad)  # fmt: skip


def hamming(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`general_hamming` with alpha = 0.54.

    >>> kagari.signal.windows.hamming(3)
    tensor([0.0800, 1.0000, 0.0800])
    """
    return general_hamming(M, sym=sym, dtype=dtype, layout=layout, device=device,
                           requires_grad=requires_grad)  # fmt: skip


def hann(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`general_hamming` with alpha = 0.5: sin(pi n / N)^2.

    >>> kagari.signal.windows.hann(3)
    tensor([0., 1., 0.])
    """
    return general_hamming(M, alpha=0.5, sym=sym, dtype=dtype, layout=layout, device=device,
                           requires_grad=requires_grad)  # fmt: skip


def blackman(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`general_cosine` with a = (0.42, 0.5, 0.08).

    >>> kagari.signal.windows.blackman(5)[2]
    tensor(1.)
    """
    dtype = checked("blackman", M, dtype, layout)
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, dtype=dtype, layout=layout,
                          device=device, requires_grad=requires_grad)  # fmt: skip


def nuttall(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """The minimum 4-term Blackman-Harris window after Nuttall (1981).

    >>> kagari.signal.windows.nuttall(5)[2]
    tensor(1.)
    """
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, dtype=dtype,
                          layout=layout, device=device, requires_grad=requires_grad)  # fmt: skip


def bartlett(
    M: int, *, sym: bool = True, dtype: Any = None, layout: Any = None, device: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """A triangle: 1 - |2 n / N - 1|.

    >>> kagari.signal.windows.bartlett(3)
    tensor([0., 1., 0.])
    """
    dtype = checked("bartlett", M, dtype, layout)
    if M <= 1:
        return constant(M, dtype, device, requires_grad)
    end = -1 + 2 / steps(M, sym) * (M - 1)
    places = kagari.linspace(-1, end, M, dtype=dtype, device=device)
    return finished(1 - places.abs(), requires_grad)
