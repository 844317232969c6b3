"""The elementwise part of losses; reductions over it are left to nn.functional."""

from .. import expr as e
from .. import math as m
from ..define import pointwise
from .complex import abs


@pointwise(dtypes="floating complex", flags="p")
def mse_loss_elements(input, target):
    """(input - target)^2."""
    difference = input - target
    return difference * difference


@pointwise(dtypes="integral floating complex", flags="p")
def l1_loss_elements(input, target):
    """|input - target|."""
    return abs(input - target)


@pointwise(dtypes="floating", flags="p")
def smooth_l1_loss_elements(input, target, beta=1.0):
    """Half the square over beta up to a distance of beta, beyond it the distance less beta / 2."""
    difference = input - target
    distance = e.abs(difference)
    return e.where(distance < beta, difference * difference * 0.5 / beta, distance - 0.5 * beta)


@smooth_l1_loss_elements.derivative
def _(grad, input, target, beta):
    difference = input - target
    slope = e.where(e.abs(difference) < beta, difference / beta, _sign(difference))
    return grad * slope, -grad * slope


def _sign(x: e.Expr) -> e.Expr:
    return e.where(x > 0, e.const(1, x), e.where(x < 0, e.const(-1, x), e.const(0, x)))


@pointwise(dtypes="floating", flags="p")
def huber_loss_elements(input, target, delta=1.0):
    """Half the square up to a distance of delta, beyond it delta (distance - delta / 2)."""
    difference = input - target
    distance = e.abs(difference)
    return e.where(
        distance < delta, difference * difference * 0.5, (distance - 0.5 * delta) * delta
    )


@huber_loss_elements.derivative
def _(grad, input, target, delta):
    difference = input - target
    slope = e.where(e.abs(difference) < delta, difference, _sign(difference) * delta)
    return grad * slope, -grad * slope


@pointwise(dtypes="floating", flags="p")
def binary_cross_entropy_elements(input, target):
    """-(target log input + (1 - target) log(1 - input)), each logarithm at least -100."""
    taken = e.max(m.log(input), e.const(-100, input))
    other = e.max(m.log1p(-input), e.const(-100, input))
    return (target - 1) * other - target * taken


@binary_cross_entropy_elements.derivative
def _(grad, input, target):
    through = grad * (input - target) / e.max((1 - input) * input, e.const(1e-12, input))
    return through, grad * (m.log1p(-input) - m.log(input))


@pointwise(dtypes="floating", flags="p")
def binary_cross_entropy_logits_elements(input, target):
    """The same of sigmoid(input): (1 - target) input + log(1 + exp(-input))."""
    return (1 - target) * input + m.softplus(-input)


@binary_cross_entropy_logits_elements.derivative
def _(grad, input, target):
    return grad * (m.sigmoid(input) - target), -grad * input


@pointwise(dtypes="floating", flags="p")
def kl_div_elements(input, target):
    """target (log target - input), and 0 where the target is 0."""
    zero = e.const(0, target)
    return e.where(target == 0, zero, target * m.log(target)) - target * input


@kl_div_elements.derivative
def _(grad, input, target):
    return -grad * target, grad * (m.log(target) + 1 - input)


@pointwise(dtypes="floating", flags="p")
def soft_margin_loss_elements(input, target):
    """log(1 + exp(-target input))."""
    return m.softplus(-target * input)
