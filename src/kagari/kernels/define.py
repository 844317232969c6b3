"""`@pointwise`: how a pointwise op is defined, and the registry of all of them.

    @pointwise(promote="float")
    def sigmoid(input):
        '''The logistic function.'''
        return 1 / (1 + exp(-input))

    sigmoid.derivative(lambda grad, output: grad * (output * (1 - output)))

The Python signature is the op's signature. A parameter without a default is an operand; one with a
number as default is a scalar (folded away when the call leaves it at the default); one that is None
by default is an optional operand; one with a string as default, or listed in `modes`, selects a
specialised variant. An annotation (Bool, Int, Scalar, Real) says what an operand is if not of the
computing dtype. The body sees expressions of one concrete dtype, and is traced once per dtype. Rows
of the C++ table come from rows.py.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, product
from typing import Annotated, Any

from . import dtypes
from . import expr as e
from .function import Function, Rule, named_rule

# Annotations of operands that are not of the computing dtype; the letters are those of Kind in
# csrc/ops/pointwise/pointwise_spec.h.
Bool = Annotated[Any, "B"]
Int = Annotated[Any, "I"]
Scalar = Annotated[Any, "S"]
Real = Annotated[Any, "R"]

PROMOTIONS = ("same", "float", "compare", "bool", "number", "equal")

registry: dict[str, "Pointwise"] = {}


@dataclass(frozen=True)
class Parameter:
    """`role`: operand, optional (operand), scalar (with a default) or mode."""

    name: str
    role: str
    kind: str
    default: Any
    keyword: bool


@dataclass(frozen=True)
class Variant:
    """One specialisation: which parameters are operands, and the mode. `name` is its row's."""

    name: str
    operands: tuple[Parameter, ...]
    mode: str | None
    folded: tuple[tuple[str, Any], ...]


class Pointwise:
    """A defined op. Called on expressions, inside another definition, it gives an expression."""

    def __init__(
        self,
        body: Callable[..., e.Expr],
        promote,
        chosen: str | None,
        flags,
        modes,
        aliases,
        numbers: str = "",
        meaningless: tuple[str, str] = ("", ""),
        built: int | None = 2,
    ):
        self.name = body.__name__
        self.body = body
        self.flags = flags
        self.aliases = tuple(aliases)
        self.numbers = tuple(numbers.split())
        self.meaningless = (dtypes.select(meaningless[0]), meaningless[1])
        self.modes = modes
        self.built = built
        self.promotes = promote if isinstance(promote, dict) else {None: promote}
        self.chosen = dtypes.select(chosen) if chosen else None
        self.rule: Rule | None = None
        self.differentiable = True
        self.halved: Callable[[str, e.Expr], e.Expr] | None = None
        self.parameters = tuple(map(self._parameter, inspect.signature(body).parameters.values()))
        self.mode = next((p for p in self.parameters if p.role == "mode"), None)
        self.__doc__ = inspect.cleandoc(body.__doc__ or "")
        self.variants = tuple(self._variants())
        self.functions = {v.name: self._function(v) for v in self.variants}
        self._check()

    def _check(self) -> None:
        for promotion in self.promotes.values():
            if promotion not in PROMOTIONS:
                raise ValueError(f"{self.name}: promote is one of {PROMOTIONS}, got {promotion!r}")
        if not self.__doc__:
            raise ValueError(f"{self.name}: an op needs a docstring")
        operands = {p.name for p in self.parameters if p.role in ("operand", "optional")}
        if not operands.issuperset(self.numbers):
            raise ValueError(f"{self.name}: numbers are operands, got {self.numbers}")

    def _parameter(self, p: inspect.Parameter) -> Parameter:
        keyword = p.kind is p.KEYWORD_ONLY
        marks = getattr(p.annotation, "__metadata__", ())
        kind = marks[0] if marks else "T"
        if p.name in self.modes or isinstance(p.default, str):
            return Parameter(p.name, "mode", "", p.default, keyword)
        if p.default is p.empty or p.default is None:
            role = "operand" if p.default is p.empty else "optional"
            return Parameter(p.name, role, kind, None, keyword)
        if isinstance(p.default, bool) or not isinstance(p.default, (int, float)):
            raise TypeError(f"{self.name}: default of {p.name} must be a number, a string or None")
        return Parameter(p.name, "scalar", marks[0] if marks else "S", p.default, keyword)

    def _variants(self):
        """Fewest operands first: the first one that can serve a call is the most specialised."""
        optional = [p for p in self.parameters if p.role == "optional"]
        scalars = [p for p in self.parameters if p.role == "scalar"]
        subsets = [s for n in range(len(optional) + 1) for s in combinations(optional, n)]
        groups = [(), tuple(scalars)] if scalars else [()]
        values = self.modes.get(self.mode.name, ()) if self.mode else (None,)
        for mode, subset, group in product(values, subsets, groups):
            yield self._variant(mode, {*subset, *group})

    def _variant(self, mode: str | None, passed: set[Parameter]) -> Variant:
        operands, folded, name = [], [], [self.name]
        for p in self.parameters:
            if p.role == "mode":
                folded.append((p.name, mode))
            elif p.role == "operand" or p in passed:
                operands.append(p)
            else:
                folded.append((p.name, p.default))
        name += [p.name for p in operands if p.role != "operand"]
        if self.mode and mode != self.mode.default:
            name.append(mode or "none")
        return Variant(".".join(name), tuple(operands), mode, tuple(folded))

    def _function(self, variant: Variant) -> Function:
        folded = dict(variant.folded)
        names = tuple(p.name for p in variant.operands)

        def body(*operands):
            return self.body(**dict(zip(names, operands, strict=True)), **folded)

        body.__doc__ = self.__doc__
        return Function(variant.name, body, names)

    def derivative(self, rule: Rule | None) -> Rule | None:
        """Set an explicit rule. It asks by name for any of `grad`, the parameters (a folded one is
        its value) and `output`, and gives the gradient of each operand that can have one: an
        expression, None where it is zero everywhere, or MISSING (function.py). No rule: results
        are constants, as those of comparisons."""
        self.rule = rule
        if rule is None:
            self.differentiable = False
            return None
        for v in self.variants:
            names = tuple(p.name for p in v.operands)
            plain = named_rule(self.name, rule, names, dict(v.folded))
            self.functions[v.name].vjp = self._aligned(plain, v)
        return rule

    def half(self, change: Callable[[str, e.Expr], e.Expr]) -> Callable[[str, e.Expr], e.Expr]:
        """Set what becomes of the float32 result where a half type (named first) is computed."""
        self.halved = change
        return change

    def _aligned(self, plain, variant: Variant):
        """The rule speaks of all operands that can have a gradient; a variant may lack some."""
        able = [p for p in self.parameters if p.role != "mode" and p.kind in "TRC"]

        def vjp(grad, output, operands):
            grads = plain(grad, output, operands)
            if len(grads) != len(able):
                raise TypeError(
                    f"derivative of {self.name}: expected {len(able)} gradients "
                    f"({', '.join(p.name for p in able)}), got {len(grads)}"
                )
            by_name = {p.name: g for p, g in zip(able, grads, strict=True)}
            return tuple(by_name.get(p.name) for p in variant.operands)

        return vjp

    def __call__(self, *args, **kwargs) -> e.Expr:
        given = inspect.signature(self.body).bind(*args, **kwargs)
        given.apply_defaults()
        passed, mode = set(), None
        for p in self.parameters:
            value = given.arguments[p.name]
            if p.role == "mode":
                mode = value
            elif p.role == "optional" and value is not None:
                passed.add(p)
            elif p.role == "scalar" and (isinstance(value, e.Expr) or value != p.default):
                passed.update(q for q in self.parameters if q.role == "scalar")
        variant = self._variant(mode, passed)
        return self.functions[variant.name](*(given.arguments[p.name] for p in variant.operands))

    def promote_of(self, variant: Variant) -> str:
        """same, float, bool, number or equal."""
        promotion = self.promotes.get(variant.mode) or self.promotes.get(None) or "same"
        return "same" if promotion == "compare" else promotion

    def __repr__(self):
        return f"<pointwise {self.name}>"


def pointwise(
    promote: "str | dict[str | None, str]" = "same",
    dtypes: str | None = None,
    flags: str = "fmio",
    modes: "dict[str, tuple[str | None, ...]] | None" = None,
    aliases: tuple[str, ...] = (),
    numbers: str = "",
    meaningless: tuple[str, str] = ("", ""),
    built: int | None = 2,
) -> Callable[[Callable[..., e.Expr]], Pointwise]:
    """Define an op. `promote`: same, float (integers become the default float), compare (the same,
    result bool), bool, number (bool becomes int64), equal (operands have to be of one dtype); or
    one of these per mode. `dtypes`: those it computes in ("floating c64"),
    by default all for which the body can be traced. `flags` as in csrc/ops/op.h: f function,
    m method, i in place, o out=, O out= of the result's dtype only, n also on numbers alone,
    S special, N nn.functional, p private. `modes`: {"rounding_mode": (None, "trunc")}.
    `numbers`: the operands that may be numbers ("input other"); the others are tensors.
    `meaningless`: dtypes for which the op could have no meaning, and what to do instead: an error
    of another class than for what is merely not there. `built`: the highest derivative that is
    compiled ahead of time; None, as suits what is rare: all is compiled at first use."""

    def decorate(body: Callable[..., e.Expr]) -> Pointwise:
        op = Pointwise(
            body, promote, dtypes, flags, modes or {}, aliases, numbers, meaningless, built
        )
        if op.name in registry:
            raise ValueError(f"pointwise op {op.name} is defined twice")
        registry[op.name] = op
        return op

    return decorate


def load() -> dict[str, Pointwise]:
    """The registry, after importing every module of definitions/."""
    from . import definitions

    for module in sorted(m.name for m in pkgutil.iter_modules(definitions.__path__)):
        importlib.import_module(f"{definitions.__name__}.{module}")
    return registry
