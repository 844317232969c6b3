"""Comparisons, tests for NaN and infinity, logic, bits, and choices between values."""

from .. import expr as e
from ..define import pointwise
from ..dtypes import is_complex, is_floating


@pointwise(promote="compare", numbers="other")
def eq(input, other):
    """input == other.

    >>> kagari.eq(kagari.tensor([1, 2]), 2)
    tensor([False,  True])
    """
    return input == other


@pointwise(promote="compare", aliases=("not_equal",), numbers="other")
def ne(input, other):
    """input != other.

    >>> kagari.ne(kagari.tensor([1, 2]), 2)
    tensor([ True, False])
    """
    return input != other


@pointwise(promote="compare", aliases=("less",), numbers="other")
def lt(input, other):
    """input < other.

    >>> kagari.lt(kagari.tensor([1, 2]), 2)
    tensor([ True, False])
    """
    return input < other


@pointwise(promote="compare", aliases=("less_equal",), numbers="other")
def le(input, other):
    """input <= other.

    >>> kagari.le(kagari.tensor([1, 3]), 2)
    tensor([ True, False])
    """
    return input <= other


@pointwise(promote="compare", aliases=("greater",), numbers="other")
def gt(input, other):
    """input > other.

    >>> kagari.gt(kagari.tensor([1, 3]), 2)
    tensor([False,  True])
    """
    return input > other


@pointwise(promote="compare", aliases=("greater_equal",), numbers="other")
def ge(input, other):
    """input >= other.

    >>> kagari.ge(kagari.tensor([1, 2]), 2)
    tensor([False,  True])
    """
    return input >= other


def _infinite(x: e.Expr) -> e.Expr:
    if is_complex(x.dtype):
        return _infinite(e.real(x)) | _infinite(e.imag(x))
    return e.abs(x) == float("inf") if is_floating(x.dtype) else e.const(False, "bool")


@pointwise(promote="compare", flags="fm")
def isnan(input):
    """Whether each element is NaN (for complex: either part).

    >>> kagari.isnan(kagari.tensor([1., float("nan")]))
    tensor([False,  True])
    """
    return e.isnan(input)


@pointwise(promote="compare", flags="fm")
def isinf(input):
    """Whether each element is infinite.

    >>> kagari.isinf(kagari.tensor([1., float("-inf")]))
    tensor([False,  True])
    """
    return _infinite(input)


@pointwise(promote="compare", flags="fm")
def isfinite(input):
    """Whether each element is neither infinite nor NaN.

    >>> kagari.isfinite(kagari.tensor([1., float("nan")]))
    tensor([ True, False])
    """
    return ~(_infinite(input) | e.isnan(input))


@pointwise(
    promote="compare",
    dtypes="real",
    flags="fmO",
    meaningless=("complex", "complex numbers have no order"),
)
def isposinf(input):
    """Whether each element is +infinity.

    >>> kagari.isposinf(kagari.tensor([float("inf"), float("-inf")]))
    tensor([ True, False])
    """
    return input == float("inf") if is_floating(input.dtype) else e.const(False, "bool")


@pointwise(
    promote="compare",
    dtypes="real",
    flags="fmO",
    meaningless=("complex", "complex numbers have no order"),
)
def isneginf(input):
    """Whether each element is -infinity.

    >>> kagari.isneginf(kagari.tensor([float("inf"), float("-inf")]))
    tensor([False,  True])
    """
    return input == float("-inf") if is_floating(input.dtype) else e.const(False, "bool")


@pointwise(promote="compare", flags="fm")
def isreal(input):
    """Whether the imaginary part is zero.

    >>> kagari.isreal(kagari.tensor([1 + 1j, 2 + 0j]))
    tensor([False,  True])
    """
    return e.imag(input) == 0 if is_complex(input.dtype) else e.const(True, "bool")


@pointwise(promote="bool")
def logical_not(input):
    """Whether each element is zero.

    >>> kagari.logical_not(kagari.tensor([0, 3]))
    tensor([ True, False])
    """
    return ~input


@pointwise(promote="bool")
def logical_and(input, other):
    """Whether both are non-zero.

    >>> kagari.logical_and(kagari.tensor([0, 3]), kagari.tensor([1, 1]))
    tensor([False,  True])
    """
    return input & other


@pointwise(promote="bool")
def logical_or(input, other):
    """Whether one of the two is non-zero.

    >>> kagari.logical_or(kagari.tensor([0, 3]), kagari.tensor([0, 0]))
    tensor([False,  True])
    """
    return input | other


@pointwise(promote="bool")
def logical_xor(input, other):
    """Whether exactly one of the two is non-zero.

    >>> kagari.logical_xor(kagari.tensor([0, 3]), kagari.tensor([1, 1]))
    tensor([ True, False])
    """
    return input ^ other


@pointwise(dtypes="bool integral", flags="fmiO")
def bitwise_not(input):
    """Every bit flipped; for bool, not.

    >>> kagari.bitwise_not(kagari.tensor([0, 5]))
    tensor([-1, -6])
    """
    return ~input


@pointwise(dtypes="bool integral", numbers="input other")
def bitwise_and(input, other):
    """The bits set in both.

    >>> kagari.bitwise_and(kagari.tensor([6, 5]), 3)
    tensor([2, 1])
    """
    return input & other


@pointwise(dtypes="bool integral", numbers="input other")
def bitwise_or(input, other):
    """The bits set in one of the two.

    >>> kagari.bitwise_or(kagari.tensor([6, 5]), 3)
    tensor([7, 7])
    """
    return input | other


@pointwise(dtypes="bool integral", numbers="input other")
def bitwise_xor(input, other):
    """The bits set in exactly one of the two.

    >>> kagari.bitwise_xor(kagari.tensor([6, 5]), 3)
    tensor([5, 6])
    """
    return input ^ other


@pointwise(dtypes="integral", numbers="input other")
def bitwise_left_shift(input, other):
    """input * 2^other in wrapping arithmetic; a shift by the width or more, or by less than 0,
    gives 0.

    >>> kagari.bitwise_left_shift(kagari.tensor([1, 3]), 2)
    tensor([ 4, 12])
    """
    return input << other


@pointwise(dtypes="integral", numbers="input other")
def bitwise_right_shift(input, other):
    """input shifted right, the sign filling in; a shift by the width or more leaves only the sign.

    >>> kagari.bitwise_right_shift(kagari.tensor([8, -8]), 2)
    tensor([ 2, -2])
    """
    return input >> other
