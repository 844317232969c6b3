"""Parts of complex numbers, as far as they are not views, and what is made of size and angle."""

from .. import expr as e
from .. import math as m
from ..define import pointwise
from ..dtypes import is_complex


@pointwise(dtypes="integral floating complex", aliases=("absolute",), flags="fmiO")
def abs(input):
    """The absolute value; of a complex number its size, as a real number. The gradient at 0 is 0.

    >>> kagari.abs(kagari.tensor([-1., 2.]))
    tensor([1., 2.])
    """
    if is_complex(input.dtype):
        return m.hypot(e.real(input), e.imag(input))
    return e.abs(input)


@abs.derivative
def _(grad, input):
    return grad * sgn(input)


def _direction(z: e.Expr) -> e.Expr:
    """z / |z|, and 0 at 0."""
    if is_complex(z.dtype):
        size = m.hypot(e.real(z), e.imag(z))
        return e.where(size == 0, e.const(0, z), z / size)
    return e.where(z > 0, e.const(1, z), e.where(z < 0, e.const(-1, z), z * 0))


@pointwise(flags="fmiO")
def sgn(input):
    """The sign; of a complex number z / |z|, and 0 at 0.

    >>> kagari.sgn(kagari.tensor([3 + 4j]))
    tensor([0.6000+0.8000j])
    """
    if is_complex(input.dtype):
        return _direction(input)
    if input.dtype == "bool":
        return input
    one, zero = e.const(1, input), e.const(0, input)
    below = zero if input.dtype.startswith("u") else e.where(input < 0, -one, zero)
    return e.where(input > 0, one, below)


@sgn.derivative
def _(grad, input, output):
    if not is_complex(input.dtype):
        return None
    size = m.hypot(e.real(input), e.imag(input))
    across = grad / size - output * (e.real(grad * e.conj(output)) / size)
    return e.where(size == 0, e.const(0, grad), across)


@pointwise(promote="float")
def angle(input):
    """The angle of a complex number; of a real one 0, or pi below zero.

    >>> kagari.angle(kagari.tensor([-1., 1.]))
    tensor([3.1416, 0.0000])
    """
    if is_complex(input.dtype):
        return m.atan2(e.imag(input), e.real(input))
    flat = e.where(input < 0, 3.141592653589793, e.const(0, input))
    return e.where(e.isnan(input), input, flat)


@angle.derivative
def _(grad, input):
    if not is_complex(input.dtype):
        return None
    re, im = e.real(input), e.imag(input)
    through = grad / (re * re + im * im)
    turned = e.complex_(-im * through, re * through)
    return e.where(input == 0, e.const(0, turned), turned)


@pointwise(flags="fmiO")
def conj_physical(input):
    """The complex conjugate, written out; a real number as it is.

    >>> kagari.conj_physical(kagari.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return e.conj(input)


@pointwise(
    promote="equal",
    dtypes="f32 f64",
    flags="fO",
    meaningless=("bool integral bf16 complex", "both inputs must be float32 or float64"),
)
def complex(real, imag):
    """A complex number from its real and imaginary part.

    >>> kagari.complex(kagari.tensor([1.]), kagari.tensor([2.]))
    tensor([1.+2.j])
    """
    return e.complex_(real, imag)


@pointwise(
    promote="equal",
    dtypes="f32 f64",
    flags="fO",
    meaningless=("bool integral bf16 complex", "both inputs must be float32 or float64"),
)
def polar(abs, angle):
    """A complex number from its size and its angle.

    >>> kagari.polar(kagari.tensor([2.]), kagari.tensor([0.]))
    tensor([2.+0.j])
    """
    return e.complex_(abs * m.cos(angle), abs * m.sin(angle))
