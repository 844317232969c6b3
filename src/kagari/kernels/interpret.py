"""The slow interpreter: evaluates an expression on numpy arrays, node by node. The first oracle.

It shares nothing with the code generator but the expression. `evaluate` uses the dtypes of the
expression; for a float64 reference trace the op in f64 (or c128) and evaluate that.
"""

import numpy as np

from . import dtypes
from . import expr as e
from .rows import Row, dtype_of
from .scalar.semantics import apply, numpy_dtype


def evaluate(root: e.Expr, values: dict[str, np.ndarray]) -> np.ndarray:
    """The expression with arrays (or numbers) for its symbols."""
    known: dict[e.Expr, np.ndarray] = {}
    for x in e.topological([root]):
        if x.op == "input":
            known[x] = np.asarray(values[x.data]).astype(numpy_dtype(x.dtype))
        elif x.op == "const":
            known[x] = np.array(x.data, numpy_dtype(x.dtype))
        elif x.op == "call":
            types = tuple(a.dtype for a in x.args)
            places = zip(x.data.parameters, (known[a] for a in x.args), strict=True)
            known[x] = evaluate(x.data.trace(types), dict(places))
        else:
            known[x] = _node(x, tuple(known[a] for a in x.args))
    shape = np.broadcast_shapes(*(np.shape(v) for v in values.values()))
    return np.broadcast_to(known[root], shape)


def _node(x: e.Expr, args: tuple[np.ndarray, ...]) -> np.ndarray:
    """Numpy promotes; an expression says which dtype it has."""
    if x.op == "loop":
        loop, index = x.data
        return _loop(loop, index, args)
    if x.op == "complex":
        return apply(x.op, x.dtype, args)
    if dtypes.is_complex(x.dtype):
        args = tuple(a.astype(numpy_dtype(x.dtype)) if a.dtype.kind == "f" else a for a in args)
    return apply(x.op, x.dtype, args)


def _loop(loop: e.Loop, index: int, args: tuple[np.ndarray, ...]) -> np.ndarray:
    """Elements that are done keep their state."""
    names = [x.data for x in loop.state + loop.given]
    values = list(np.broadcast_arrays(*args))
    while True:
        places = dict(zip(names, values, strict=True))
        going = evaluate(loop.condition, places)
        if not going.any():
            return values[index]
        after = [evaluate(step, places) for step in loop.steps]
        values[: len(after)] = [np.where(going, a, v) for a, v in zip(after, values, strict=False)]


def run(row: Row, dtype: str, *operands) -> np.ndarray:
    """A row on arrays, computing in `dtype`."""
    values = {}
    for o, value in zip(row.operands, operands, strict=True):
        stored = numpy_dtype(dtypes.compute_of(dtype_of(o.kind, dtype)))
        values[o.name] = np.asarray(value).astype(stored)
    return evaluate(row.expression(dtype), values)
