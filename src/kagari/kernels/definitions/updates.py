"""Updates of parameters by optimizers: each one expression of a parameter, its gradient and state.

    @update("square_avg acc_delta", "sign decay lr rho eps")
    def adadelta(m, param, grad, square_avg, acc_delta, sign, decay, lr, rho, eps): ...

`m` has the functions (`sqrt`, `abs`, `where`): expr here, those of tensors where a step is made of
tensor operations because it is to be differentiated. The result is the new parameter, then the new
state. The numbers of a step are computed by its optimizer; `sign` is -1 to go up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import dtypes
from .. import expr as e
from ..rowwise import Row, define


@dataclass(frozen=True)
class Update:
    """A formula with the names of its state and of its numbers, in order."""

    formula: Callable[..., tuple[Any, ...]]
    states: tuple[str, ...]
    numbers: tuple[str, ...]

    def program(self, row: Row, dtype: str) -> None:
        """All elements of a tensor are one row: a kernel reads and writes each of them once."""
        wide = dtypes.compute_of(dtype)
        tensors = [row.element(name, dtype) for name in ("param", "grad", *self.states)]
        numbers = [e.cast(row.scalar(name), wide) for name in self.numbers]
        results = self.formula(e, *tensors, *numbers)
        for name, value in zip(("param", *self.states), results, strict=True):
            row.store(f"new_{name}", dtype, value)


updates: dict[str, Update] = {}


def update(states: str, numbers: str, name: str = "") -> Callable[[Any], Any]:
    """Decorator: registers a formula, and the kernels `update_<name>.<dtype>`."""

    def register(formula: Any) -> Any:
        made = Update(formula, tuple(states.split()), tuple(numbers.split()))
        key = name or formula.__name__
        updates[key] = made
        define(f"update_{key}", made.program, "floating", built="f32")
        return formula

    return register


def _larger(m: Any, a: Any, b: Any) -> Any:
    """The larger one; NaN if `a` is."""
    return m.where(a >= b, a, m.where(a == a, b, a))


@update("square_avg acc_delta", "sign decay lr rho eps")
def adadelta(m, param, grad, square_avg, acc_delta, sign, decay, lr, rho, eps):
    """Zeiler, 2012."""
    grad = grad * sign + param * decay
    square_avg = square_avg * rho + grad * grad * (1 - rho)
    delta = m.sqrt(acc_delta + eps) / m.sqrt(square_avg + eps) * grad
    return param - delta * lr, square_avg, acc_delta * rho + delta * delta * (1 - rho)


@update("sum", "sign decay lr eps")
def adagrad(m, param, grad, sum, sign, decay, lr, eps):
    """Duchi, Hazan and Singer, 2011; `lr` is that of the step."""
    grad = grad * sign + param * decay
    sum = sum + grad * grad
    return param - grad * lr / (m.sqrt(sum) + eps), sum


@update("exp_avg exp_inf", "sign decay weight beta2 eps lr")
def adamax(m, param, grad, exp_avg, exp_inf, sign, decay, weight, beta2, eps, lr):
    """Kingma and Ba, 2014, section 7.1; `lr` is over the correction of the mean."""
    grad = grad * sign + param * decay
    exp_avg = exp_avg + (grad - exp_avg) * weight
    exp_inf = _larger(m, m.abs(grad) + eps, exp_inf * beta2)
    return param - exp_avg * lr / exp_inf, exp_avg, exp_inf


@update("ax", "sign decay keep eta mu")
def asgd(m, param, grad, ax, sign, decay, keep, eta, mu):
    """Polyak and Juditsky, 1992: the mean of the parameters is kept beside them."""
    grad = grad * sign + param * decay
    param = param * keep - grad * eta
    return param, m.where(mu == 1, param, ax + (param - ax) * mu)


@update(
    "exp_avg exp_avg_sq",
    "sign decay keep weight1 beta2 weight2 correction2 eps grad_size mean_size",
)
def nadam(
    m, param, grad, exp_avg, exp_avg_sq, sign, decay, keep, weight1, beta2, weight2, correction2,
    eps, grad_size, mean_size,
):  # fmt: skip
    """Dozat, 2016."""
    grad = grad * sign + param * decay
    exp_avg = exp_avg + (grad - exp_avg) * weight1
    exp_avg_sq = exp_avg_sq * beta2 + grad * grad * weight2
    size = m.sqrt(exp_avg_sq / correction2) + eps
    param = param * keep - grad * grad_size / size - exp_avg * mean_size / size
    return param, exp_avg, exp_avg_sq


@update("exp_avg exp_avg_sq", "sign decay keep weight1 beta2 weight2 eps size adaptive")
def radam(
    m, param, grad, exp_avg, exp_avg_sq, sign, decay, keep, weight1, beta2, weight2, eps, size,
    adaptive,
):  # fmt: skip
    """Liu et al., 2019; `adaptive` says whether the variance of the divisor is known by now."""
    grad = grad * sign + param * decay
    exp_avg = exp_avg + (grad - exp_avg) * weight1
    exp_avg_sq = exp_avg_sq * beta2 + grad * grad * weight2
    divisor = m.where(adaptive > 0, m.sqrt(exp_avg_sq) + eps, exp_avg_sq * 0 + 1)
    return param * keep - exp_avg * size / divisor, exp_avg, exp_avg_sq


def _rmsprop(centered: bool, momentum: bool) -> Callable[..., tuple[Any, ...]]:
    """Tieleman and Hinton, 2012; centered as in Graves, 2013."""

    def formula(m, param, grad, square_avg, *others):
        *others, sign, decay, lr, alpha, weight, eps, kept = others
        grad = grad * sign + param * decay
        square_avg = square_avg * alpha + grad * grad * weight
        results = [square_avg]
        variance = square_avg
        if centered:
            mean = others[-1] + (grad - others[-1]) * weight
            results.append(mean)
            variance = square_avg - mean * mean
        moved = grad / (m.sqrt(variance) + eps)
        if momentum:
            moved = others[0] * kept + moved
            results.insert(1, moved)
        return param - moved * lr, *results

    return formula


for _centered in (False, True):
    for _momentum in (False, True):
        update(
            "square_avg" + " momentum_buffer" * _momentum + " grad_avg" * _centered,
            "sign decay lr alpha weight eps momentum",
            "rmsprop" + "_momentum" * _momentum + "_centered" * _centered,
        )(_rmsprop(_centered, _momentum))


@update("prev step_size", "sign shrink grow smallest largest")
def rprop(m, param, grad, prev, step_size, sign, shrink, grow, smallest, largest):
    """Riedmiller and Braun, 1993: steps grow while the gradient keeps its sign."""
    grad = grad * sign
    agree = grad * prev
    grown, shrunk = step_size * grow, step_size * shrink
    step_size = m.where(agree > 0, grown, m.where(agree < 0, shrunk, step_size))
    step_size = m.where(step_size < smallest, smallest, step_size)
    step_size = m.where(step_size > largest, largest, step_size)
    grad = m.where(agree < 0, grad * 0, grad)
    moved = m.where(grad > 0, step_size, m.where(grad < 0, -step_size, step_size * 0))
    return param - moved, grad, step_size
