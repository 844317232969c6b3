"""The Fourier transforms of the array API standard: kagari.fft with `axis` for `dim`."""

from collections.abc import Callable, Sequence
from typing import Any

import kagari
from kagari import Tensor

__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft",
    "irfftn", "rfft", "rfftfreq", "rfftn",
]  # fmt: skip


def _along_one(name: str) -> Callable[..., Tensor]:
    def call(
        x: Tensor, /, *, n: int | None = None, axis: int = -1, norm: str = "backward"
    ) -> Tensor:
        return getattr(kagari.fft, name)(x, n=n, dim=axis, norm=norm)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"kagari.fft.{name} along one axis."
    return call


def _along_several(name: str) -> Callable[..., Tensor]:
    def call(
        x: Tensor,
        /,
        *,
        s: Sequence[int] | None = None,
        axes: Sequence[int] | None = None,
        norm: str = "backward",
    ) -> Tensor:
        return getattr(kagari.fft, name)(x, s=s, dim=axes, norm=norm)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"kagari.fft.{name} along several axes; all for None."
    return call


fft = _along_one("fft")
ifft = _along_one("ifft")
rfft = _along_one("rfft")
irfft = _along_one("irfft")
hfft = _along_one("hfft")
ihfft = _along_one("ihfft")
fftn = _along_several("fftn")
ifftn = _along_several("ifftn")
rfftn = _along_several("rfftn")
irfftn = _along_several("irfftn")


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of fft's results.

    >>> kagari.array_api.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    return kagari.fft.fftfreq(n, d, dtype=dtype, device=device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Tensor:
    """The frequencies of rfft's results.

    >>> kagari.array_api.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    return kagari.fft.rfftfreq(n, d, dtype=dtype, device=device)


def fftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """The zero frequency moved to the middle."""
    return kagari.fft.fftshift(x, axes)


def ifftshift(x: Tensor, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """The reverse of fftshift."""
    return kagari.fft.ifftshift(x, axes)
