"""pow, and logarithms of two operands: xlogy, logaddexp, logit."""

from .. import expr as e
from .. import math as m
from ..define import Scalar, pointwise
from ..dtypes import bits, is_complex, is_floating, is_unsigned


def _integer_power(a: e.Expr, n: e.Expr) -> e.Expr:
    """By repeated squaring, wrapping around. A negative power is 0 unless a is 1 or -1."""
    one = e.const(1, a)
    result, square = one, a
    for bit in range(bits(a.dtype) - (0 if is_unsigned(a.dtype) else 1)):
        result = e.where((n & (1 << bit)) != 0, result * square, result)
        square = square * square
    if is_unsigned(a.dtype):
        return result
    odd = (n & 1) != 0
    inverse = e.where(a == 1, one, e.where(a == -1, e.where(odd, -one, one), e.const(0, a)))
    return e.where(n < 0, inverse, result)


@pointwise(dtypes="integral floating complex", numbers="input exponent")
def pow(input, exponent):
    """input to the power of exponent. Integers wrap around.

    >>> kagari.pow(kagari.tensor([2., 3.]), 2)
    tensor([4., 9.])
    """
    if is_floating(input.dtype) or is_complex(input.dtype):
        return m.pow(input, exponent)
    return _integer_power(input, exponent)


@pointwise(dtypes="integral floating complex", flags="p")
def pow__square(input):
    """What pow is for the exponent 2."""
    return input * input


@pointwise(promote="float", dtypes="floating", numbers="input other")
def xlogy(input, other):
    """input * log(other), and 0 where input is 0 (unless other is NaN).

    >>> kagari.xlogy(kagari.tensor([0., 2.]), kagari.tensor([0., 1.]))
    tensor([0., 0.])
    """
    zero = (input == 0) & ~e.isnan(other)
    return e.where(zero, e.const(0, input), input * m.log(other))


@xlogy.derivative
def _(grad, input, other):
    zero = e.const(0, grad)
    settled = (input == 0) & (other <= 0)
    return e.where(settled, zero, grad * m.log(other)), grad * input / other


@pointwise(promote="float", dtypes="floating", flags="So", numbers="input other")
def xlog1py(input, other):
    """input * log1p(other), and 0 where input is 0 (unless other is NaN).

    >>> kagari.special.xlog1py(kagari.tensor([0., 2.]), kagari.tensor([-1., 0.]))
    tensor([0., 0.])
    """
    zero = (input == 0) & ~e.isnan(other)
    return e.where(zero, e.const(0, input), input * m.log1p(other))


@xlog1py.derivative
def _(grad, input, other):
    zero = e.const(0, grad)
    settled = (input == 0) & (other <= -1)
    return e.where(settled, zero, grad * m.log1p(other)), grad * input / (other + 1)


@pointwise(promote="float", dtypes="floating", flags="So")
def entr(input):
    """-input * log(input); 0 at 0, -infinity below.

    >>> kagari.special.entr(kagari.tensor([0., 0.5]))
    tensor([0.0000, 0.3466])
    """
    outside = e.where(input == 0, e.const(0, input), float("-inf"))
    inside = (input > 0) | e.isnan(input)
    return e.where(inside, -input * m.log(input), outside)


entr.derivative(lambda grad, input: grad * (-m.log(input) - 1))


@pointwise(dtypes="floating complex", flags="fmo")
def logaddexp(input, other):
    """log(exp(input) + exp(other)) without overflow on the way.

    >>> kagari.logaddexp(kagari.tensor([0., 1000.]), kagari.tensor([0., 1000.]))
    tensor([6.9315e-01, 1.0007e+03])
    """
    if is_complex(input.dtype):
        return _complex_logaddexp(input, other)
    larger = e.where(input < other, other, input)
    distance = e.abs(input - other)
    equal = (input == other) & (e.abs(input) == float("inf"))
    return e.where(equal, input, larger + m.log1p(m.exp(-distance)))


def _complex_logaddexp(a: e.Expr, b: e.Expr) -> e.Expr:
    """The one with the larger real part is taken out. NaN in any part makes both NaN; where an
    infinite real part stands against a finite one, or both are -infinity, the larger is the sum."""
    swap = e.real(a) < e.real(b)
    large, small = e.where(swap, b, a), e.where(swap, a, b)
    missing = e.isnan(a) | e.isnan(b)
    infinite = e.abs(e.real(large)) == float("inf")
    alone = infinite & ((e.real(large) != e.real(small)) | (e.real(large) < 0))
    # exp of a difference that is finite in every lane that uses it
    distance = e.where(infinite | missing, e.const(0, a), small - large)
    same = e.complex_(e.const(0, e.real(a)), e.imag(small) - e.imag(large))
    distance = e.where(infinite & ~alone, same, distance)
    result = e.where(alone, large, large + m.log1p(m.exp(distance)))
    nan = e.const(float("nan"), e.real(a))
    return e.where(missing, e.complex_(nan, nan), result)


@logaddexp.derivative
def _(grad, input, other):
    if is_complex(input.dtype):
        weight = e.conj(1.0 / (1.0 + m.exp(other - input)))
        return grad * weight, grad * (1.0 - weight)
    return grad * m.sigmoid(input - other), grad * m.sigmoid(other - input)


@pointwise(dtypes="floating", flags="fmo")
def logaddexp2(input, other):
    """log2(2^input + 2^other) without overflow on the way.

    >>> kagari.logaddexp2(kagari.tensor([0., 1000.]), kagari.tensor([0., 1000.]))
    tensor([1.0000e+00, 1.0010e+03])
    """
    larger = e.where(input < other, other, input)
    distance = e.abs(input - other)
    equal = (input == other) & (e.abs(input) == float("inf"))
    return e.where(equal, input, larger + m.log1p(m.exp2(-distance)) * 1.4426950408889634)


@logaddexp2.derivative
def _(grad, input, other):
    step = (input - other) * 0.6931471805599453
    return grad * m.sigmoid(step), grad * m.sigmoid(-step)


@pointwise(promote="float", dtypes="floating")
def logit(input, eps: Scalar = None):
    """log(input / (1 - input)), the inverse of sigmoid; with `eps` input is first kept within
    [eps, 1 - eps].

    >>> kagari.logit(kagari.tensor([0.5, 0.8808]))
    tensor([0.0000, 2.0000])
    """
    x = input
    if eps is not None:
        x = e.where(x < eps, eps, e.where(x > 1 - eps, 1 - eps, x))
    return m.log(x / (1 - x))


@logit.derivative
def _(grad, input, eps):
    through = grad / (input * (1 - input))
    if eps is None:
        return e.where((input < 0) | (input > 1), float("nan"), through)
    return e.where((input < eps) | (input > 1 - eps), e.const(0, grad), through)


@pointwise(promote="float", flags="fmio")
def ldexp(input, other):
    """input * 2^other.

    >>> kagari.ldexp(kagari.tensor([1., 3.]), kagari.tensor([2, 3]))
    tensor([ 4., 24.])
    """
    return input * m.exp2(other)
