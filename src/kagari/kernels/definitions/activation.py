"""Activation functions. Softmax and the other functions of a whole row are left to the row
kernels.
"""

from .. import expr as e
from .. import math as m
from ..define import Scalar, pointwise
from .complex import abs as absolute


@pointwise(
    dtypes="integral floating",
    flags="fmi",
    meaningless=("bool", "convert the input to numbers first"),
)
def relu(input):
    """max(input, 0). The gradient at 0 is 0.

    >>> kagari.relu(kagari.tensor([-1., 2.]))
    tensor([0., 2.])
    """
    return e.where(input < 0, e.const(0, input), input)


relu.derivative(lambda grad, output: e.where(output <= 0, e.const(0, grad), grad))


@pointwise(promote="float")
def sigmoid(input):
    """1 / (1 + exp(-input)).

    >>> kagari.sigmoid(kagari.tensor([0., 2.]))
    tensor([0.5000, 0.8808])
    """
    return m.sigmoid(input)


@pointwise(promote="float")
def tanh(input):
    """The hyperbolic tangent.

    >>> kagari.tanh(kagari.tensor([0., 1.]))
    tensor([0.0000, 0.7616])
    """
    return m.tanh(input)


@pointwise(
    dtypes="integral floating",
    flags="N",
    meaningless=("bool", "convert the input to numbers first"),
)
def relu6(input):
    """min(max(input, 0), 6). The gradient at 0 and 6 is 0.

    >>> kagari.nn.functional.relu6(kagari.tensor([-1., 3., 8.]))
    tensor([0., 3., 6.])
    """
    return e.where(input < 0, e.const(0, input), e.where(input > 6, e.const(6, input), input))


@relu6.derivative
def _(grad, input):
    return e.where((input <= 0) | (input >= 6), e.const(0, grad), grad)


@pointwise(
    dtypes="signed floating",
    flags="N",
    meaningless=("u8 u16 u32 u64 bool", "convert the input to a signed dtype"),
)
def hardtanh(input, min_val=-1.0, max_val=1.0):
    """input kept within [min_val, max_val]. The gradient at a bound is 0.

    >>> kagari.nn.functional.hardtanh(kagari.tensor([-2., 0.5, 3.]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return e.where(input < min_val, min_val, e.where(input > max_val, max_val, input))


@hardtanh.derivative
def _(grad, input, min_val, max_val):
    return e.where((input <= min_val) | (input >= max_val), e.const(0, grad), grad)


@pointwise(dtypes="floating", flags="N")
def leaky_relu(input, negative_slope=0.01):
    """input where positive, else negative_slope * input.

    >>> kagari.nn.functional.leaky_relu(kagari.tensor([-1., 2.]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return e.where(input > 0, input, input * negative_slope)


@pointwise(dtypes="floating", flags="p")
def prelu_kernel(input, weight):
    """input where positive, else weight * input; the weight is already shaped to broadcast."""
    return e.where(input > 0, input, input * weight)


@prelu_kernel.derivative
def _(grad, input, weight):
    positive = input > 0
    through = e.where(positive, grad, grad * weight)
    return through, e.where(positive, e.const(0, grad), grad * input)


@pointwise(dtypes="floating", flags="N")
def elu(input, alpha=1.0):
    """input where positive, else alpha * (exp(input) - 1).

    >>> kagari.nn.functional.elu(kagari.tensor([-1., 2.]))
    tensor([-0.6321,  2.0000])
    """
    return e.where(input > 0, input, m.expm1(input) * alpha)


def _negative_part(x: e.Expr) -> e.Expr:
    """Where a branch is not taken, its exponential must not overflow: 0 times infinity is NaN."""
    return e.where(x > 0, e.const(0, x), x)


@elu.derivative
def _(grad, input, alpha):
    return e.where(input > 0, grad, grad * (m.exp(_negative_part(input)) * alpha))


@pointwise(dtypes="floating", flags="fNi")
def celu(input, alpha=1.0):
    """max(0, input) + min(0, alpha * (exp(input / alpha) - 1)).

    >>> kagari.celu(kagari.tensor([-1., 2.]))
    tensor([-0.6321,  2.0000])
    """
    return e.where(input > 0, input, m.expm1(input / alpha) * alpha)


@celu.derivative
def _(grad, input, alpha):
    return e.where(input > 0, grad, grad * m.exp(_negative_part(input) / alpha))


_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


@pointwise(dtypes="floating", flags="fNi")
def selu(input):
    """The self-normalising exponential linear unit (Klambauer et al. 2017).

    >>> kagari.selu(kagari.tensor([-1., 2.]))
    tensor([-1.1113,  2.1014])
    """
    return e.where(input > 0, input, m.expm1(input) * _SELU_ALPHA) * _SELU_SCALE


@selu.derivative
def _(grad, input):
    below = m.exp(_negative_part(input)) * (_SELU_ALPHA * _SELU_SCALE)
    return grad * e.where(input > 0, _SELU_SCALE, below)


@pointwise(dtypes="floating complex", flags="N")
def silu(input):
    """input * sigmoid(input).

    >>> kagari.nn.functional.silu(kagari.tensor([-1., 2.]))
    tensor([-0.2689,  1.7616])
    """
    return input * m.sigmoid(input)


@pointwise(dtypes="floating", modes={"approximate": ("none", "tanh")}, flags="NO")
def gelu(input, *, approximate="none"):
    """input * P(a standard normal number is below input), or its approximation with tanh.

    >>> kagari.nn.functional.gelu(kagari.tensor([-1., 2.]))
    tensor([-0.1587,  1.9545])
    """
    if approximate == "none":
        return m.gelu(input)
    inner = (input + input * input * input * 0.044715) * 0.7978845608028654
    return input * m.sigmoid(inner * 2)


@pointwise(dtypes="floating", flags="N")
def mish(input):
    """input * tanh(softplus(input)).

    >>> kagari.nn.functional.mish(kagari.tensor([-1., 2.]))
    tensor([-0.3034,  1.9440])
    """
    return input * m.tanh_softplus(input)


@pointwise(dtypes="floating", flags="NO")
def softplus(input, beta=1.0, threshold=20.0):
    """log(1 + exp(beta * input)) / beta; input itself where beta * input > threshold.

    >>> kagari.nn.functional.softplus(kagari.tensor([-1., 2.]))
    tensor([0.3133, 2.1269])
    """
    scaled = input * beta
    return e.where(scaled > threshold, input, m.softplus(scaled) / beta)


@softplus.derivative
def _(grad, input, beta, threshold):
    scaled = input * beta
    return e.where(scaled > threshold, grad, grad * m.sigmoid(scaled))


@pointwise(dtypes="floating", flags="NO")
def logsigmoid(input):
    """log(sigmoid(input)), accurate on both sides.

    >>> kagari.nn.functional.logsigmoid(kagari.tensor([-1., 2.]))
    tensor([-1.3133, -0.1269])
    """
    return -m.softplus(-input)


@pointwise(promote="float", flags="N")
def softsign(input):
    """input / (1 + |input|).

    >>> kagari.nn.functional.softsign(kagari.tensor([-1., 3.]))
    tensor([-0.5000,  0.7500])
    """
    size = absolute(input)
    return input / (1 + size)


@pointwise(promote="float", flags="N")
def tanhshrink(input):
    """input - tanh(input).

    >>> kagari.nn.functional.tanhshrink(kagari.tensor([0., 1.]))
    tensor([0.0000, 0.2384])
    """
    return input - m.tanh(input)


@pointwise(dtypes="floating", flags="fmNO")
def hardshrink(input, lambd=0.5):
    """input where |input| > lambd, else 0.

    >>> kagari.hardshrink(kagari.tensor([-1., 0.2]))
    tensor([-1.,  0.])
    """
    inside = (input >= -lambd) & (input <= lambd)
    return e.where(inside, e.const(0, input), input)


@pointwise(dtypes="floating", flags="NO")
def softshrink(input, lambd=0.5):
    """input moved towards 0 by lambd, and 0 where |input| <= lambd.

    >>> kagari.nn.functional.softshrink(kagari.tensor([-1., 0.2]))
    tensor([-0.5000,  0.0000])
    """
    below = e.where(input < -lambd, input + lambd, input * 0)
    return e.where(input > lambd, input - lambd, below)


@softshrink.derivative
def _(grad, input, lambd):
    return e.where((input >= -lambd) & (input <= lambd), e.const(0, grad), grad)


@pointwise(dtypes="floating", flags="N")
def hardsigmoid(input):
    """min(max(input / 6 + 1/2, 0), 1).

    >>> kagari.nn.functional.hardsigmoid(kagari.tensor([-4., 0., 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    shifted = input + 3
    return e.where(shifted < 0, e.const(0, input), e.where(shifted > 6, 6, shifted)) / 6


@hardsigmoid.derivative
def _(grad, input):
    return e.where((input > -3) & (input < 3), grad / 6, e.const(0, grad))


@pointwise(dtypes="floating", flags="N")
def hardswish(input):
    """input * min(max(input + 3, 0), 6) / 6.

    >>> kagari.nn.functional.hardswish(kagari.tensor([-4., 1., 5.]))
    tensor([-0.0000,  0.6667,  5.0000])
    """
    shifted = input + 3
    return input * e.where(shifted < 0, 0, e.where(shifted > 6, 6, shifted)) / 6


@hardswish.derivative
def _(grad, input):
    middle = grad * (input / 3 + 0.5)
    return e.where(input <= -3, e.const(0, grad), e.where(input >= 3, grad, middle))


@pointwise(dtypes="integral floating", flags="fN")
def threshold(input, threshold: Scalar, value: Scalar):
    """input where it is above the threshold, else value.

    >>> kagari.threshold(kagari.tensor([0.5, 2.]), 1.0, 0.0)
    tensor([0., 2.])
    """
    return e.where(input <= threshold, value, input)
