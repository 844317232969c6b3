"""Ops defined while a program runs, from the same definitions that the built-in ones have.

    >>> @kagari.define.pointwise(promote="float")
    ... def softsign(input):
    ...     '''input / (1 + |input|).'''
    ...     return input / (1 + e.abs(input))
    >>> softsign(kagari.tensor([1., -3.]))
    tensor([ 0.5000, -0.7500])

What a body may say is left to kagari.kernels (expr.py, define.py).
"""

from collections.abc import Callable
from functools import cached_property

from . import _C
from .kernels import define, rows, table
from .kernels import expr as e


class DefinedOp:
    """A pointwise op of the program: called on tensors it runs, with all its derivatives; called on
    expressions it is part of another definition."""

    def __init__(self, definition: define.Pointwise):
        self.definition = definition
        self.__name__ = definition.name
        self.__doc__ = definition.__doc__

    def derivative(self, rule):
        """Set an explicit rule (kernels/define.py); before the first call."""
        if "_function" in self.__dict__:
            raise RuntimeError(f"{self.__name__}: set the derivative before the op is first called")
        return self.definition.derivative(rule)

    @cached_property
    def _function(self) -> Callable:
        op = self.definition
        found = rows.rows_of(op, order=0)
        fields = table.op_fields(op, [r for r in found if isinstance(r, rows.VariantRow)])
        described = [table.fields(r) for r in found]
        return _C._add_pointwise_op(
            fields["schemas"][0], op.flags, op.__doc__, described, fields["variants"]
        )

    def __call__(self, *args, **kwargs):
        if any(isinstance(a, e.Expr) for a in (*args, *kwargs.values())):
            return self.definition(*args, **kwargs)
        return self._function(*args, **kwargs)

    def __repr__(self):
        return f"<op {self.__name__}, defined at run time>"


def pointwise(*args, **kwargs) -> Callable[[Callable], DefinedOp]:
    """Define an op that runs on tensors; the parameters are those of kernels.define.pointwise."""
    kwargs.setdefault("flags", "f")
    decorate = define.pointwise(*args, **kwargs)
    return lambda body: DefinedOp(decorate(body))
