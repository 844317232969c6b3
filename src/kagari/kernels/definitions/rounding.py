"""Rounding to integers and to decimals."""

from .. import expr as e
from ..define import Int, pointwise


@pointwise(dtypes="integral floating", flags="fmiO")
def floor(input):
    """The largest integer not above input.

    >>> kagari.floor(kagari.tensor([1.7, -1.2]))
    tensor([ 1., -2.])
    """
    return e.floor(input)


@pointwise(dtypes="integral floating", flags="fmiO")
def ceil(input):
    """The smallest integer not below input.

    >>> kagari.ceil(kagari.tensor([1.2, -1.7]))
    tensor([ 2., -1.])
    """
    return e.ceil(input)


@pointwise(dtypes="integral floating", aliases=("fix",), flags="fmiO")
def trunc(input):
    """input without its fraction.

    >>> kagari.trunc(kagari.tensor([1.7, -1.7]))
    tensor([ 1., -1.])
    """
    return e.trunc(input)


@pointwise(dtypes="floating", flags="fmiO")
def frac(input):
    """The fraction, with the sign of input.

    >>> kagari.frac(kagari.tensor([1.5, -1.25]))
    tensor([ 0.5000, -0.2500])
    """
    return input - e.trunc(input)


def _power_of_ten(n: e.Expr, like: e.Expr) -> e.Expr:
    """10^n of 0 <= n < 512 by its bits; exact while it can be."""
    one = e.const(1, like)
    result = one
    for bit, power in enumerate((1e1, 1e2, 1e4, 1e8, 1e16, 1e32, 1e64, 1e128, 1e256)):
        result = result * e.where((n & (1 << bit)) != 0, e.const(min(power, 3.4e38), like), one)
    return result


@pointwise(flags="fmiO")
def round(input, *, decimals: Int = 0):
    """To the nearest integer, ties to even; with `decimals` to that many digits after the point, or
    before it if negative.

    >>> kagari.round(kagari.tensor([2.5, 3.5, -1.6]))
    tensor([ 2.,  4., -2.])
    """
    if not isinstance(decimals, e.Expr):
        return e.rint(input)
    if input.dtype not in ("f32", "f64"):
        raise e.Unsupported(f"round to decimals does not exist for {input.dtype}")
    ten = _power_of_ten(e.abs(decimals), input)
    up, down = input * ten, input / ten
    return e.where(decimals < 0, e.rint(down) * ten, e.rint(up) / ten)
