"""Named scalar functions (exp, erf, ...): a body of expressions, and a derivative rule of their own.

Used in an expression, a function is one `call` node. Its body is put in its place only when code is
generated (`expand`), so a derivative never comes from a polynomial: diff.py asks `vjp`.
"""

import inspect
from collections.abc import Callable

from . import expr as e

Rule = Callable[..., "e.Expr | None | tuple[e.Expr | None, ...]"]


class Function:
    """A scalar function. `body` receives expressions and may look at their dtype."""

    def __init__(self, name: str, body: Callable[..., e.Expr], rule: Rule | None = None):
        self.name = name
        self.body = body
        self.rule = rule
        self.parameters = tuple(inspect.signature(body).parameters)
        self.__doc__ = body.__doc__
        self._traced: dict[tuple[str, ...], e.Expr] = {}

    def derivative(self, rule: Rule) -> Rule:
        """Set the rule: a function of some of `grad`, the parameters by name, and `output`. It gives
        the gradient of each parameter (None where there is none), `grad` being that of the output."""
        known = {"grad", "output", *self.parameters}
        unknown = set(inspect.signature(rule).parameters) - known
        if unknown:
            raise TypeError(f"derivative of {self.name}: unknown parameters {sorted(unknown)}")
        self.rule = rule
        return rule

    def __call__(self, *args) -> e.Expr:
        if len(args) != len(self.parameters):
            raise TypeError(f"{self.name} takes {len(self.parameters)} operands, got {len(args)}")
        lifted = self._lift(args)
        if all(e.is_const(a) for a in lifted):
            return _fold(self.expand(lifted))
        return e.node("call", lifted, self.trace(tuple(a.dtype for a in lifted)).dtype, self)

    def _lift(self, args) -> tuple[e.Expr, ...]:
        like = next((a for a in args if isinstance(a, e.Expr)), None)
        if like is None:
            raise TypeError(f"{self.name}: at least one operand must be an expression")
        return tuple(a if isinstance(a, e.Expr) else e.const(a, like) for a in args)

    def trace(self, types: tuple[str, ...]) -> e.Expr:
        """The body on symbols named as the parameters."""
        if types not in self._traced:
            inputs = [e.symbol(n, t) for n, t in zip(self.parameters, types, strict=True)]
            self._traced[types] = self.body(*inputs)
        return self._traced[types]

    def expand(self, args: tuple[e.Expr, ...]) -> e.Expr:
        """The body with `args` for its parameters; functions it calls are still calls."""
        types = tuple(a.dtype for a in args)
        inputs = (e.symbol(n, t) for n, t in zip(self.parameters, types, strict=True))
        return e.substitute([self.trace(types)], dict(zip(inputs, args, strict=True)))[0]

    def vjp(self, grad: e.Expr, call: e.Expr) -> tuple[e.Expr | None, ...] | None:
        """Gradients of the operands of a call, or None if the body is to be differentiated."""
        if self.rule is None:
            return None
        known = {"grad": grad, "output": call, **dict(zip(self.parameters, call.args, strict=True))}
        wanted = {n: known[n] for n in inspect.signature(self.rule).parameters}
        grads = self.rule(**wanted)
        grads = grads if isinstance(grads, tuple) else (grads,)
        if len(grads) != len(self.parameters):
            raise TypeError(
                f"derivative of {self.name}: expected {len(self.parameters)} gradients, "
                f"got {len(grads)}"
            )
        return grads

    def __repr__(self):
        return f"<function {self.name}({', '.join(self.parameters)})>"


def function(body: Callable[..., e.Expr]) -> Function:
    """Decorator: a scalar function that is no public op."""
    return Function(body.__name__, body)


def _fold(x: e.Expr) -> e.Expr:
    return expand([x])[0]


def expand(roots: list[e.Expr]) -> list[e.Expr]:
    """Put the bodies of all called functions in place, to the bottom."""

    def change(x: e.Expr) -> e.Expr | None:
        return expand([x.data.expand(x.args)])[0] if x.op == "call" else None

    return e.rewrite(roots, change)
