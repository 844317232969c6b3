"""Arithmetic: sums, products, quotients and remainders, signs. Powers are left to powers.py."""

from .. import expr as e
from ..define import pointwise
from ..dtypes import is_complex, is_floating, is_integral
from ..function import function


@pointwise(numbers="input other", flags="fmion")
def add(input, other, *, alpha=1):
    """input + alpha * other, with broadcasting and type promotion.

    >>> kagari.add(kagari.tensor([1, 2]), kagari.tensor([10, 20]), alpha=2)
    tensor([21, 42])
    """
    return input + other * alpha


@pointwise(
    aliases=("subtract",),
    numbers="input other",
    meaningless=("bool", "use ^ or logical_xor() instead"),
    flags="fmion",
)
def sub(input, other, *, alpha=1):
    """input - alpha * other, with broadcasting and type promotion. Not defined for two bool
    tensors.

    >>> kagari.sub(kagari.tensor([1., 2.]), 0.5)
    tensor([0.5000, 1.5000])
    """
    return input - other * alpha


@pointwise(flags="f", numbers="other", meaningless=("bool", "use ^ or logical_xor() instead"))
def rsub(input, other, *, alpha=1):
    """other - alpha * input.

    >>> kagari.rsub(kagari.tensor([1, 2]), 10)
    tensor([9, 8])
    """
    return other - input * alpha


@pointwise(aliases=("multiply",), numbers="input other", flags="fmion")
def mul(input, other):
    """input * other, with broadcasting and type promotion.

    >>> kagari.mul(kagari.tensor([1., 2.]), 3)
    tensor([3., 6.])
    """
    return input * other


@function
def floor_quotient(a, b):
    """The quotient rounded down, exactly as Python's //."""
    if not is_floating(a.dtype):
        quotient = e.idiv(a, b)
        if not is_integral(a.dtype) or a.dtype.startswith("u"):
            return quotient
        uneven = (quotient * b != a) & ((a < 0) != (b < 0))
        return e.where(uneven & (b != 0), quotient - 1, quotient)
    remainder_ = e.fmod(a, b)
    quotient = (a - remainder_) / b
    quotient = e.where((remainder_ != 0) & ((b < 0) != (remainder_ < 0)), quotient - 1, quotient)
    floored = e.floor(quotient)
    floored = e.where(quotient - floored > 0.5, floored + 1, floored)
    floored = e.where(quotient == 0, e.copysign(e.const(0, a), a / b), floored)
    return e.where(b == 0, a / b, floored)


floor_quotient.derivative(lambda: (None, None))


@pointwise(
    promote={None: "float", "trunc": "same", "floor": "same"},
    modes={"rounding_mode": (None, "trunc", "floor")},
    aliases=("divide", "true_divide"),
    numbers="input other",
    flags="fmion",
)
def div(input, other, *, rounding_mode=None):
    """input / other. `rounding_mode`: None divides truly (integers give floats), "trunc" rounds
    towards zero, "floor" down; both keep the promoted dtype.

    >>> kagari.div(kagari.tensor([7, -7]), 2, rounding_mode="floor")
    tensor([ 3, -4])
    """
    if rounding_mode is None:
        return input / other
    if rounding_mode == "floor":
        return floor_quotient(input, other)
    return e.trunc(input / other) if is_floating(input.dtype) else e.idiv(input, other)


@div.derivative
def _(grad, other, output, rounding_mode):
    if rounding_mode is not None:
        return None, None
    return grad / e.conj(other), -grad * e.conj(output / other)


@pointwise(numbers="input other", flags="fmion")
def floor_divide(input, other):
    """The quotient rounded down, as Python's //.

    >>> kagari.floor_divide(kagari.tensor([7, -7]), 2)
    tensor([ 3, -4])
    """
    return floor_quotient(input, other)


floor_divide.derivative(lambda grad: (None, None))


@pointwise(numbers="input other")
def remainder(input, other):
    """The remainder with the sign of the divisor, as Python's %.

    >>> kagari.remainder(kagari.tensor([7, -7]), 3)
    tensor([1, 2])
    """
    rest = e.fmod(input, other) if is_floating(input.dtype) else e.irem(input, other)
    return e.where((rest != 0) & ((rest < 0) != (other < 0)), rest + other, rest)


@remainder.derivative
def _(grad, input, other):
    return grad, -grad * floor_quotient(input, other)


@pointwise(numbers="other")
def fmod(input, other):
    """The remainder with the sign of the dividend, as C's fmod.

    >>> kagari.fmod(kagari.tensor([7, -7]), 3)
    tensor([ 1, -1])
    """
    return e.fmod(input, other) if is_floating(input.dtype) else e.irem(input, other)


@pointwise(
    aliases=("negative",),
    meaningless=("bool", "use ~ or logical_not() to invert a mask"),
    flags="fmiO",
)
def neg(input):
    """-input. Not defined for bool.

    >>> kagari.neg(kagari.tensor([1, -2]))
    tensor([-1,  2])
    """
    return -input


@pointwise(promote="number")
def square(input):
    """input * input.

    >>> kagari.square(kagari.tensor([3., -4.]))
    tensor([ 9., 16.])
    """
    return input * input


@pointwise(promote="float")
def reciprocal(input):
    """1 / input.

    >>> kagari.reciprocal(kagari.tensor([2., 4.]))
    tensor([0.5000, 0.2500])
    """
    return 1 / input


reciprocal.derivative(lambda grad, output: -grad * e.conj(output * output))


@pointwise(dtypes="real", flags="fmiO")
def sign(input):
    """-1, 0 or 1; for bool the value itself. NaN gives 0.

    >>> kagari.sign(kagari.tensor([0.7, -1.2, 0.]))
    tensor([ 1., -1.,  0.])
    """
    if input.dtype == "bool":
        return input
    one, zero = e.const(1, input), e.const(0, input)
    below = zero if input.dtype.startswith("u") else e.where(input < 0, -one, zero)
    return e.where(input > 0, one, below)


@pointwise(promote="compare", dtypes="real", flags="fmO")
def signbit(input):
    """Whether the sign bit is set: true for negative numbers and -0.

    >>> kagari.signbit(kagari.tensor([0.7, -1.2, -0.0]))
    tensor([False,  True,  True])
    """
    if not is_floating(input.dtype):
        return input < 0 if input.dtype != "bool" else e.const(False, "bool")
    return e.bitcast(input, {"f32": "i32", "f64": "i64"}[input.dtype]) < 0


@pointwise(promote="float", dtypes="floating", numbers="other")
def copysign(input, other):
    """The size of input with the sign of other.

    >>> kagari.copysign(kagari.tensor([1., -2.]), -1)
    tensor([-1., -2.])
    """
    return e.copysign(input, other)


@copysign.derivative
def _(grad, input, other):
    one = e.const(1, input)
    same = e.copysign(one, input) * e.copysign(one, other)
    return e.where(input == 0, e.const(0, grad), grad * same), None


@pointwise(dtypes="floating")
def nextafter(input, other):
    """The next floating-point number after input towards other.

    >>> kagari.nextafter(kagari.tensor([1.]), kagari.tensor([2.])) - 1
    tensor([1.1921e-07])
    """
    return _step_towards(input, other, 0)


def _step_towards(input: e.Expr, other: e.Expr, spare: int) -> e.Expr:
    """To the neighbour of input that has its `spare` lowest bits zero."""
    integer = {"f32": "i32", "f64": "i64"}[input.dtype]
    step = 1 << spare
    bits, tiniest = e.bitcast(input, integer), e.bitcast(e.const(step, integer), input.dtype)
    away = (other > input) == (input > 0)
    stepped = e.bitcast(e.where(away, bits + step, bits - step), input.dtype)
    moved = e.where(input == 0, e.copysign(tiniest, other), stepped)
    stuck = (input == other) | e.isnan(other)
    return e.where(stuck, other, e.where(e.isnan(input), input, moved))


@nextafter.half
def _(dtype, result):
    """bfloat16 is the upper half of float32; float16 has steps of its own below 2^-14, and its
    infinity is further from its largest number."""
    input, other = e.symbol("input", "f32"), e.symbol("other", "f32")
    if dtype == "bf16":
        return _step_towards(input, other, 16)
    tiny = e.copysign(e.const(2.0**-24, input), other - input)
    moves = (input != other) & ~e.isnan(other)
    small = (e.abs(input) <= 2.0**-14) & moves
    down = (e.abs(input) == float("inf")) & moves
    moved = e.where(
        down, e.copysign(e.const(65504.0, input), input), _step_towards(input, other, 13)
    )
    near = e.where(input == -tiny, e.copysign(e.const(0, input), input), input + tiny)
    return e.where(small, near, moved)


@nextafter.derivative
def _(grad, input, other):
    return e.where(input == other, e.const(0, grad), grad), None


@pointwise(
    promote="equal",
    dtypes="real",
    meaningless=("complex", "complex numbers have no order"),
    flags="fmiO",
)
def heaviside(input, values):
    """0 below zero and for NaN, 1 above, `values` at zero.

    >>> kagari.heaviside(kagari.tensor([-1.5, 0., 2.]), kagari.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if input.dtype == "bool":
        return input | values
    inside = e.where(input > 0, e.const(1, input), e.const(0, input))
    return e.where(input == 0, values, inside)


heaviside.derivative(lambda grad: (None, None))


@pointwise(numbers="weight")
def lerp(input, end, weight):
    """input + weight * (end - input), exact at both ends.

    >>> kagari.lerp(kagari.tensor([1., 2.]), kagari.tensor([3., 4.]), 0.5)
    tensor([2., 3.])
    """
    if not is_floating(input.dtype) and not is_complex(input.dtype):
        raise e.Unsupported(f"lerp does not exist for {input.dtype}")
    size = weight if is_floating(weight.dtype) else e.real(weight)
    step = end - input
    return e.where(e.abs(size) < 0.5, input + weight * step, end - step * (1 - weight))


@lerp.derivative
def _(grad, input, end, weight):
    return grad * e.conj(1 - weight), grad * e.conj(weight), grad * e.conj(end - input)


@pointwise(dtypes="integral floating complex")
def addcmul(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 * tensor2.

    >>> kagari.addcmul(kagari.ones(2), kagari.tensor([1., 2.]), kagari.tensor([3., 4.]), value=0.5)
    tensor([2.5000, 5.0000])
    """
    return input + tensor1 * value * tensor2


@pointwise(
    meaningless=(
        "bool integral",
        "convert the inputs to a floating dtype for a true quotient; div(rounding_mode=...) rounds",
    )
)
def addcdiv(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 / tensor2. Not defined for integers.

    >>> kagari.addcdiv(kagari.ones(2), kagari.tensor([1., 2.]), kagari.tensor([2., 4.]))
    tensor([1.5000, 1.5000])
    """
    return input + tensor1 * value / tensor2


@pointwise(promote="float", dtypes="floating", meaningless=("complex", "give an angle"))
def deg2rad(input):
    """Degrees to radians.

    >>> kagari.deg2rad(kagari.tensor([180., 90.]))
    tensor([3.1416, 1.5708])
    """
    return input * 0.017453292519943295


@pointwise(promote="float", dtypes="floating", meaningless=("complex", "give an angle"))
def rad2deg(input):
    """Radians to degrees.

    >>> kagari.rad2deg(kagari.tensor([3.1416]))
    tensor([180.0004])
    """
    return input * 57.29577951308232
