"""L-BFGS (Liu and Nocedal, 1989), with a line search for Wolfe's strong conditions (Nocedal and
Wright, "Numerical Optimization", chapters 3 and 7)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import kagari
from kagari import Tensor

from .optimizer import Optimizer, number


class LBFGS(Optimizer):
    """A quasi-Newton method: steps along the gradient times an approximation of the inverse Hessian
    matrix, from the last `history_size` steps. `step` needs a closure, which it calls many times.
    All parameters are one group.

    Args:
        lr: learning rate; the length of the first trial step of a search.
        max_iter: iterations in one call of `step`.
        max_eval: evaluations in one call (1.25 max_iter).
        tolerance_grad: ends where no element of the gradient is larger.
        tolerance_change: ends where parameters and loss change less.
        history_size: how many steps are kept.
        line_search_fn: "strong_wolfe", or None for steps of length lr.

    >>> p = kagari.ones(1, requires_grad=True)
    >>> kagari.optim.LBFGS([p]).param_groups[0]["max_eval"]
    25
    """

    def __init__(
        self, params: Any, lr: Any = 1, max_iter: int = 20, max_eval: int | None = None,
        tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= number(lr):
            raise ValueError(f"Invalid learning rate: {lr}")
        super().__init__(
            params,
            {
                "lr": lr, "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
                "history_size": history_size, "line_search_fn": line_search_fn,
            },
        )  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params: list[Tensor] = self.param_groups[0]["params"]

    # -- parameters as one vector ------------------------------------------------------------

    @staticmethod
    def _real(t: Tensor) -> Tensor:
        return kagari.view_as_real(t) if t.is_complex() else t

    def _flat_grad(self) -> Tensor:
        grads = (
            kagari.zeros_like(p, requires_grad=False) if p.grad is None else p.grad
            for p in self._params
        )  # fmt: skip
        return kagari.cat([self._real(g).reshape(-1) for g in grads])

    def _move(self, size: Any, direction: Tensor) -> None:
        offset = 0
        for param in self._params:
            real = self._real(param)
            count = real.numel()
            piece = direction[offset : offset + count].view_as(real)
            real.add_(piece, alpha=number(size))
            offset += count

    def _evaluate(
        self, closure: Callable[[], Any], start: list[Tensor], size: Any, direction: Tensor
    ) -> tuple[float, Tensor]:
        """Loss and gradient a step away; the parameters stay."""
        self._move(size, direction)
        loss, grad = float(closure()), self._flat_grad()
        for param, value in zip(self._params, start, strict=True):
            param.copy_(value)
        return loss, grad

    # -- the step ----------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Runs up to max_iter iterations; returns the loss before the first.

        closure: clears the gradients, computes the loss, its backward, and returns it."""
        with kagari.no_grad():
            return self._minimise(kagari.enable_grad()(closure))

    def _minimise(self, closure: Callable[[], Any]) -> Any:
        (group,) = self.param_groups
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = closure()
        loss, grad, evaluations = float(first), self._flat_grad(), 1
        state["func_evals"] += 1
        if grad.abs().max() <= group["tolerance_grad"]:
            return first
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = self._direction(state, grad, group["history_size"])
            state["prev_flat_grad"], state["prev_loss"] = grad.clone(), loss
            t = number(group["lr"])
            if state["n_iter"] == 1:
                t *= min(1.0, 1.0 / grad.abs().sum().item())
            state["t"] = t
            slope = grad.dot(direction).item()
            if slope > -group["tolerance_change"]:
                break
            last = iteration == group["max_iter"]
            most = min(25, group["max_eval"] - evaluations)
            found = self._advance(closure, group, last, t, Point(0.0, loss, grad, slope), most)
            loss, grad, t, calls = found
            state["t"] = t
            evaluations += calls
            state["func_evals"] += calls
            if (
                last
                or evaluations >= group["max_eval"]
                or grad.abs().max() <= group["tolerance_grad"]
                or (direction * t).abs().max() <= group["tolerance_change"]
                or abs(loss - state["prev_loss"]) < group["tolerance_change"]
            ):
                break
        return first

    def _advance(
        self, closure: Callable[[], Any], group: dict[str, Any], last: bool, t: float,
        begin: "Point", most: int,
    ) -> tuple[float, Tensor, float, int]:  # fmt: skip
        """Moves the parameters; loss and gradient there, the step's length, and the evaluations."""
        direction = self.state[self._params[0]]["d"]
        if group["line_search_fn"] is None:
            self._move(t, direction)
            if last:  # nobody would look at it
                return begin.loss, begin.grad, t, 0
            loss = float(closure())
            return loss, self._flat_grad(), t, 1
        if group["line_search_fn"] != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        start = [p.clone() for p in self._params]

        def at(size: float) -> Point:
            value, gradient = self._evaluate(closure, start, size, direction)
            return Point(size, value, gradient, gradient.dot(direction).item())

        found, calls = strong_wolfe(at, begin, t, direction.abs().max().item(), most=most)
        self._move(found.t, direction)
        return found.loss, found.grad, found.t, calls

    @staticmethod
    def _direction(state: dict[str, Any], grad: Tensor, history: int) -> Tensor:
        """The two loops over the kept steps and changes of the gradient."""
        if state["n_iter"] == 1:
            state.update(d=-grad, old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return state["d"]
        changes, steps, inverses = state["old_dirs"], state["old_stps"], state["ro"]
        change, moved = grad - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = change.dot(moved)
        if curvature > 1e-10:
            if len(changes) == history:
                for kept in (changes, steps, inverses):
                    kept.pop(0)
            changes.append(change)
            steps.append(moved)
            inverses.append(1.0 / curvature)
            state["H_diag"] = curvature / change.dot(change)
        al = state.setdefault("al", [None] * history)
        q = -grad
        for i in reversed(range(len(changes))):
            al[i] = steps[i].dot(q) * inverses[i]
            q = q - changes[i] * al[i]
        q = q * state["H_diag"]
        for i in range(len(changes)):
            q = q + steps[i] * (al[i] - changes[i].dot(q) * inverses[i])
        state["d"] = q
        return q


class Point(NamedTuple):
    """A place on the line of a search."""

    t: float
    loss: float
    grad: Tensor
    slope: float


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through two points with these slopes is least, within the bounds."""
    low, high = bounds or (min(a.t, b.t), max(a.t, b.t))
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:  # NaN too
        return (low + high) / 2.0
    left, right = (a, b) if a.t <= b.t else (b, a)
    root = square**0.5
    share = (right.slope + root - d1) / (right.slope - left.slope + 2 * root)
    return min(max(right.t - (right.t - left.t) * share, low), high)


def strong_wolfe(
    at: Callable[[float], Point], begin: Point, t: float, size: float, c1: float = 1e-4,
    c2: float = 0.9, tolerance_change: float = 1e-9, most: int = 25,
) -> tuple[Point, int]:  # fmt: skip
    """A point whose loss has fallen enough and whose slope is flat enough (c1, c2); and how often
    the loss was computed. `size` is that of the direction's largest element."""

    def too_high(p: Point) -> bool:
        return p.loss > begin.loss + c1 * p.t * begin.slope

    def flat(p: Point) -> bool:
        return abs(p.slope) <= -c2 * begin.slope

    before, new, calls, tries = begin, at(t), 1, 0
    while True:
        if tries == most:
            bracket = [begin, new]
            break
        if too_high(new) or (tries > 1 and new.loss >= before.loss):
            bracket = [before, new]
            break
        if flat(new):
            return new, calls
        if new.slope >= 0:
            bracket = [before, new]
            break
        bounds = new.t + 0.01 * (new.t - before.t), new.t * 10
        before, new = new, at(cubic_minimum(before, new, bounds))
        calls, tries = calls + 1, tries + 1

    stuck = False
    low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
    while tries < most and abs(bracket[1].t - bracket[0].t) * size >= tolerance_change:
        t, stuck = _inside(bracket, stuck)
        new = at(t)
        calls, tries = calls + 1, tries + 1
        if too_high(new) or new.loss >= bracket[low].loss:
            bracket[high] = new
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
            continue
        done = flat(new)
        if not done and new.slope * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]
        bracket[low] = new
        if done:
            break
    return bracket[low], calls


def _inside(bracket: list[Point], stuck: bool) -> tuple[float, bool]:
    """Where to try next, kept away from the bracket's ends if the last try was near one too."""
    t = cubic_minimum(bracket[0], bracket[1])
    ends = [p.t for p in bracket]
    smallest, largest = min(ends), max(ends)
    margin = 0.1 * (largest - smallest)
    if min(largest - t, t - smallest) >= margin:
        return t, False
    if not (stuck or t >= largest or t <= smallest):
        return t, True
    return (largest - margin if abs(t - largest) < abs(t - smallest) else smallest + margin), False
