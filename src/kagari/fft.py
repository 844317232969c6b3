"""Discrete Fourier transforms, with gradients of any order.

The work is done in csrc/cpu/fft. Every function is made of three transforms (complex to complex,
real to half-complex, half-complex to real), which know their own gradients.
"""

import math
from collections.abc import Sequence
from typing import Any

import kagari
from kagari import _C, Tensor
from kagari.autograd import Function

__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2",
    "ifftn", "ifftshift", "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft",
    "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip

# How results are scaled, by the number of points n: not, by 1/n, by 1/sqrt(n).
_NONE, _BY_N, _BY_ROOT_N = range(3)
_COMPLEX = {
    kagari.float32: kagari.complex64,
    kagari.float64: kagari.complex128,
    kagari.complex64: kagari.complex64,
    kagari.complex128: kagari.complex128,
}
_ops = _C.places["ops"]


# ---- the three transforms ----


def _is_plain(x: Tensor) -> bool:
    return type(x) is Tensor and not x.requires_grad and not _C._intercepted()


def _factor(scale: int, sizes: Sequence[int]) -> float:
    n = math.prod(sizes)
    return 1.0 if scale == _NONE else 1.0 / n if scale == _BY_N else 1.0 / math.sqrt(n)


class _Transform(Function):
    """Over dimensions `dims`; other dimensions, those of vmap among them, are a batch."""

    _transposable = True

    @classmethod
    def run(cls, x: Tensor, *rest: Any) -> Tensor:
        """The transform, written into the graph where there is one."""
        return cls.compute(x, *rest) if _is_plain(x) else cls.apply(x, *rest)

    @staticmethod
    def compute(x: Tensor, dims: tuple[int, ...], scale: int, *rest: Any) -> Tensor:
        raise NotImplementedError

    @classmethod
    def vmap(cls, info: Any, in_dims: Any, x: Tensor, dims: Any, *rest: Any) -> tuple[Any, int]:
        return cls.apply(x.movedim(in_dims[0], 0), tuple(d + 1 for d in dims), *rest), 0


class _ComplexToComplex(_Transform):
    @staticmethod
    def compute(x: Tensor, dims: tuple[int, ...], scale: int, forward: bool) -> Tensor:
        factor = _factor(scale, [x.shape[d] for d in dims])
        return _ops["_fft_complex"](x, dims, factor, forward)

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], scale: int, forward: bool) -> Tensor:
        ctx.dims, ctx.scale, ctx.inverse = dims, scale, not forward
        return _ComplexToComplex.compute(x, dims, scale, forward)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        return _ComplexToComplex.apply(grad, ctx.dims, ctx.scale, ctx.inverse), None, None, None


class _RealToComplex(_Transform):
    """Only the first half of the last dimension is computed; the rest are conjugates of it."""

    @staticmethod
    def compute(x: Tensor, dims: tuple[int, ...], scale: int) -> Tensor:
        return _ops["_fft_real"](x, dims, _factor(scale, [x.shape[d] for d in dims]))

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], scale: int) -> Tensor:
        ctx.dims, ctx.scale, ctx.length = dims, scale, x.shape[dims[-1]]
        return _RealToComplex.compute(x, dims, scale)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        whole = _fit(grad, [ctx.dims[-1]], [ctx.length])
        return _ComplexToComplex.apply(whole, ctx.dims, ctx.scale, False).real, None, None


class _ComplexToReal(_Transform):
    """`length` is that of the last dimension of the result."""

    @staticmethod
    def compute(x: Tensor, dims: tuple[int, ...], scale: int, length: int) -> Tensor:
        factor = _factor(scale, [*(x.shape[d] for d in dims[:-1]), length])
        return _ops["_fft_half"](x, dims, factor, length)

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], scale: int, length: int) -> Tensor:
        ctx.dims, ctx.scale, ctx.length = dims, scale, length
        return _ComplexToReal.compute(x, dims, scale, length)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        half = _RealToComplex.apply(grad, ctx.dims, ctx.scale)
        # what was used twice, once as its own conjugate, counts twice
        last, doubled = ctx.dims[-1], ctx.length - half.shape[ctx.dims[-1]]
        weight = kagari.ones(half.shape[last], dtype=grad.dtype, device=grad.device)
        weight[1 : 1 + doubled] = 2
        shape = [1] * half.ndim
        shape[last] = -1
        return half * weight.reshape(shape), None, None, None


# ---- arguments ----


def _scale(norm: str | None, forward: bool) -> int:
    match norm:
        case None | "backward":
            return _NONE if forward else _BY_N
        case "forward":
            return _BY_N if forward else _NONE
        case "ortho":
            return _BY_ROOT_N
    raise RuntimeError(f'Invalid normalization mode: "{norm}"')


def _to_float(x: Tensor, complex_too: bool, name: str) -> Tensor:
    """Integers become the default float dtype; `complex_too`, and then complex."""
    if x.dtype in (kagari.float16, kagari.bfloat16):
        raise RuntimeError(f"fft.{name}: Unsupported dtype {x.dtype}")
    if not (x.is_floating_point() or x.is_complex()):
        x = x.to(kagari.get_default_dtype())
    return x.to(_COMPLEX[x.dtype]) if complex_too else x


def _wrap(dim: int, x: Tensor) -> int:
    rank = max(x.ndim, 1)
    if not -rank <= dim < rank:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-rank}, {rank - 1}], "
            f"but got {dim})"
        )
    return dim % rank


def _dims_and_sizes(
    x: Tensor, s: Sequence[int] | int | None, dim: Sequence[int] | int | None
) -> tuple[list[int], list[int]]:
    s = [s] if isinstance(s, int) else s
    dim = [dim] if isinstance(dim, int) else dim
    if dim is not None:
        dims = [_wrap(d, x) for d in dim]
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"FFT dims must be unique, got {tuple(dim)}")
        if s is not None and len(s) != len(dims):
            raise RuntimeError(
                "When given, dim and shape arguments must have the same length, got "
                f"{len(dims)} and {len(s)}"
            )
    elif s is not None:
        if len(s) > x.ndim:
            raise RuntimeError(
                f"Got shape with {len(s)} values but input tensor only has {x.ndim} dimensions."
            )
        dims = list(range(x.ndim - len(s), x.ndim))
    else:
        dims = list(range(x.ndim))
    sizes = [x.shape[d] for d in dims]
    if s is not None:
        sizes = [have if want == -1 else want for have, want in zip(sizes, s, strict=True)]
    for size in sizes:
        if size <= 0:
            raise RuntimeError(f"Invalid number of data points ({size}) specified")
    return dims, sizes


def _fit(x: Tensor, dims: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """Cuts or fills up with zeros at the end of each dimension."""
    for d, size in zip(dims, sizes, strict=True):
        if x.shape[d] > size:
            x = x.narrow(d, 0, size)
        elif x.shape[d] < size:
            pads = [0, 0] * (x.ndim - d)
            pads[-1] = size - x.shape[d]
            x = _ops["pad"](x, pads)
    return x


def _need_dims(x: Tensor, dims: Sequence[int], name: str) -> None:
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis, got input {tuple(x.shape)}")


def _complex(
    name: str, x: Tensor, s: Any, dim: Any, norm: str | None, forward: bool, out: Tensor | None
) -> Tensor:
    x = _to_float(x, True, name)
    dims, sizes = _dims_and_sizes(x, s, dim)
    scale = _scale(norm, forward)
    if not dims:
        return _give(x.clone(), out)
    x = _fit(x, dims, sizes)
    return _give(_ComplexToComplex.run(x, tuple(dims), scale, forward), out)


def _real(
    name: str, x: Tensor, s: Any, dim: Any, norm: str | None, forward: bool, out: Tensor | None
) -> Tensor:
    if x.is_complex():
        raise RuntimeError(f"{name} expects a real input tensor, but got {x.dtype}")
    x = _to_float(x, False, name)
    dims, sizes = _dims_and_sizes(x, s, dim)
    _need_dims(x, dims, name)
    x = _fit(x, dims, sizes)
    half = _RealToComplex.run(x, tuple(dims), _scale(norm, forward))
    return _give(half if forward else half.conj(), out)


def _hermitian(
    name: str, x: Tensor, s: Any, dim: Any, norm: str | None, forward: bool, out: Tensor | None
) -> Tensor:
    x = _to_float(x, True, name)
    given_last = s is not None and (s if isinstance(s, int) else s[-1]) != -1
    dims, sizes = _dims_and_sizes(x, s, dim)
    _need_dims(x, dims, name)
    length = sizes[-1] if given_last else 2 * (x.shape[dims[-1]] - 1)
    if length <= 0:
        raise RuntimeError(f"Invalid number of data points ({length}) specified")
    x = _fit(x, dims, [*sizes[:-1], length // 2 + 1])
    x = x.conj() if forward else x
    return _give(_ComplexToReal.run(x, tuple(dims), _scale(norm, forward), length), out)


def _give(result: Tensor, out: Tensor | None) -> Tensor:
    if out is None:
        return result
    if result.is_complex() and not out.is_complex():
        raise RuntimeError(f"fft expects a complex output tensor, but got {out.dtype}")
    if not result.is_complex() and not out.is_floating_point():
        raise RuntimeError(f"fft expects a floating point output tensor, but got {out.dtype}")
    if tuple(out.shape) != tuple(result.shape):
        out.resize_(result.shape)
    return out.copy_(result)


# ---- the public functions ----

_Dims = Sequence[int] | int | None
_DOC = """{what} over {over}.

`norm` scales the result: "backward" (the default) the inverse transform by 1/n, "forward" the
forward one, "ortho" both by 1/sqrt(n). Dimensions are cut or filled with zeros to the given sizes.
"""
_KINDS = {
    "fft": (_complex, True, "Discrete Fourier transform"),
    "ifft": (_complex, False, "Inverse discrete Fourier transform"),
    "rfft": (_real, True, "Fourier transform of real input, its redundant half left out,"),
    "irfft": (_hermitian, False, "Inverse of `rfft`: a real result from half a spectrum"),
    "hfft": (_hermitian, True, "Real Fourier transform of one half of a Hermitian signal"),
    "ihfft": (_real, False, "Inverse of `hfft`"),
}

# What the usual call over one dimension comes to, without a look at its options.
_COMPLEX_DTYPES, _REAL_DTYPES = (
    (kagari.complex64, kagari.complex128),
    (kagari.float32, kagari.float64),
)
_DIRECT: dict[str, Any] = {
    "fft": (lambda x, dims: _ops["_fft_complex"](x, dims, 1.0, True), _COMPLEX_DTYPES),
    "ifft": (lambda x, dims: _ops["_fft_complex"](x, dims, 1.0 / x.shape[dims[0]], False),
             _COMPLEX_DTYPES),
    "rfft": (lambda x, dims: _ops["_fft_real"](x, dims, 1.0), _REAL_DTYPES),
}  # fmt: skip


def _define(kind: str) -> tuple[Any, Any, Any]:
    """The functions over one, two and any number of dimensions."""
    run, forward, what = _KINDS[kind]
    direct, usual_dtypes = _DIRECT.get(kind, (None, ()))

    def one(
        input: Tensor,
        n: int | None = None,
        dim: int = -1,
        norm: str | None = None,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        if input.ndim == 0:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        usual = n is None and norm is None and out is None and direct is not None
        if usual and input.dtype in usual_dtypes and _is_plain(input) and input.numel():
            return direct(input, (_wrap(dim, input),))
        return run(kind, input, None if n is None else [n], [dim], norm, forward, out)

    def two(
        input: Tensor,
        s: Sequence[int] | None = None,
        dim: _Dims = (-2, -1),
        norm: str | None = None,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        return run(kind + "2", input, s, dim, norm, forward, out)

    def many(
        input: Tensor,
        s: Sequence[int] | None = None,
        dim: _Dims = None,
        norm: str | None = None,
        *,
        out: Tensor | None = None,
    ) -> Tensor:
        return run(kind + "n", input, s, dim, norm, forward, out)

    parts = {"": (one, "one dimension"), "2": (two, "two dimensions"), "n": (many, "dimensions")}
    for suffix, (function, over) in parts.items():
        function.__name__ = function.__qualname__ = kind + suffix
        function.__doc__ = _DOC.format(what=what, over=over)
    return one, two, many


fft, fft2, fftn = _define("fft")
ifft, ifft2, ifftn = _define("ifft")
rfft, rfft2, rfftn = _define("rfft")
irfft, irfft2, irfftn = _define("irfft")
hfft, hfft2, hfftn = _define("hfft")
ihfft, ihfft2, ihfftn = _define("ihfft")


def fftfreq(n: int, d: float = 1.0, **options: Any) -> Tensor:
    """The frequencies of the bins of `fft` for `n` points at distance `d`."""
    half = (n - 1) // 2 + 1
    bins = kagari.arange(n, **options)
    if not bins.is_floating_point():
        bins = bins.to(kagari.get_default_dtype())
    return kagari.where(bins < half, bins, bins - n) / (n * d)


def rfftfreq(n: int, d: float = 1.0, **options: Any) -> Tensor:
    """The frequencies of the bins of `rfft` for `n` points at distance `d`."""
    bins = kagari.arange(n // 2 + 1, **options)
    if not bins.is_floating_point():
        bins = bins.to(kagari.get_default_dtype())
    return bins / (n * d)


def _shift(input: Tensor, dim: _Dims, toward_middle: bool) -> Tensor:
    dims = range(input.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    sizes = [input.shape[d] for d in dims]
    amounts = [size // 2 if toward_middle else math.ceil(size / 2) for size in sizes]
    return input.roll(amounts, list(dims)) if amounts else input.clone()


def fftshift(input: Tensor, dim: _Dims = None) -> Tensor:
    """Moves frequency zero from the front to the middle."""
    return _shift(input, dim, True)


def ifftshift(input: Tensor, dim: _Dims = None) -> Tensor:
    """Undoes `fftshift`."""
    return _shift(input, dim, False)
