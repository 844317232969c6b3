"""Named scalar functions (exp, erf, ...): a body of expressions, and a rule for the derivative.

Used in an expression, a function is one `call` node. Its body is put in its place only when code is
generated (`expand`), so a derivative never comes from a polynomial: diff.py asks `vjp`.
"""

import inspect
from collections.abc import Callable

from . import expr as e

Rule = Callable[..., "e.Expr | None | tuple[e.Expr | None, ...]"]
# What a rule gives for an operand whose gradient nobody has: asking for it is an error.
MISSING = e.symbol("missing", "f64")
Gradients = Callable[[e.Expr, e.Expr, tuple[e.Expr, ...]], tuple[e.Expr | None, ...]]


class Function:
    """A scalar function. `body` receives expressions and may look at their dtype.

    `vjp(grad, output, operands)` gives the gradient of each operand (None: zero everywhere); where
    there is none, diff.py differentiates the body.
    """

    def __init__(
        self,
        name: str,
        body: Callable[..., e.Expr],
        parameters: tuple[str, ...] = (),
        vjp: Gradients | None = None,
    ):
        self.name = name
        self.body = body
        self.parameters = parameters or tuple(inspect.signature(body).parameters)
        self.vjp = vjp
        self.__doc__ = body.__doc__
        self._traced: dict[tuple[str, ...], e.Expr] = {}

    def derivative(self, rule: Rule) -> Rule:
        """Set the rule: a function of any of `grad`, the parameters by name, and `output`. It gives
        the gradient of each parameter: one expression, or a tuple, or None where it is zero."""
        self.vjp = named_rule(self.name, rule, self.parameters)
        return rule

    def __call__(self, *args) -> e.Expr:
        if len(args) != len(self.parameters):
            raise TypeError(f"{self.name} takes {len(self.parameters)} operands, got {len(args)}")
        lifted = self._lift(args)
        if all(e.is_const(a) for a in lifted):
            return expand([self.expand(lifted)])[0]
        return e.node("call", lifted, self.trace(tuple(a.dtype for a in lifted)).dtype, self)

    def _lift(self, args) -> tuple[e.Expr, ...]:
        like = next((a for a in args if isinstance(a, e.Expr)), None)
        if like is None:
            raise TypeError(f"{self.name}: at least one operand must be an expression")
        return tuple(a if isinstance(a, e.Expr) else e.const(a, like) for a in args)

    def inputs(self, types: tuple[str, ...]) -> list[e.Expr]:
        return [e.symbol(n, t) for n, t in zip(self.parameters, types, strict=True)]

    def trace(self, types: tuple[str, ...]) -> e.Expr:
        """The body on symbols named as the parameters."""
        if types not in self._traced:
            self._traced[types] = self.body(*self.inputs(types))
        return self._traced[types]

    def expand(self, args: tuple[e.Expr, ...]) -> e.Expr:
        """The body with `args` for its parameters; functions it calls are still calls."""
        types = tuple(a.dtype for a in args)
        places = dict(zip(self.inputs(types), args, strict=True))
        return e.substitute([self.trace(types)], places)[0]

    def __repr__(self):
        return f"<function {self.name}({', '.join(self.parameters)})>"


def function(body: Callable[..., e.Expr]) -> Function:
    """Decorator: a scalar function that is no public op."""
    return Function(body.__name__, body)


def named_rule(
    name: str, rule: Rule, parameters: tuple[str, ...], folded: dict[str, object] | None = None
) -> Gradients:
    """A `vjp` from a rule that asks for what it needs by name; `folded` are known values."""
    folded = folded or {}
    wanted = tuple(inspect.signature(rule).parameters)
    unknown = set(wanted) - {"grad", "output", *parameters, *folded}
    if unknown:
        raise TypeError(f"derivative of {name}: unknown parameters {sorted(unknown)}")

    def vjp(grad, output, operands):
        known = {"grad": grad, "output": output, **folded}
        known.update(zip(parameters, operands, strict=True))
        grads = rule(*(known[n] for n in wanted))
        return grads if isinstance(grads, tuple) else (grads,)

    return vjp


def expand(roots: list[e.Expr]) -> list[e.Expr]:
    """Put the bodies of all called functions in place, to the bottom."""

    def change(x: e.Expr) -> e.Expr | None:
        if x.op == "loop":
            loop, index = x.data
            condition, *steps = expand([loop.condition, *loop.steps])
            inside = e.Loop(loop.state, loop.given, condition, tuple(steps))
            return inside.results(x.args)[index]
        return expand([x.data.expand(x.args)])[0] if x.op == "call" else None

    return e.rewrite(roots, change)
