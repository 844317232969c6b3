"""Custom Functions inside vmap and forward-mode levels: the innermost transform goes first."""

from typing import Any

from .. import _C
from .._C import Tensor


def applied(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any] | None:
    """(result, ctx) of `cls` by the transform that comes first; None if none is concerned."""
    from ..func import levels
    from ..func.custom import map_function

    tensors = [a for a in args if isinstance(a, Tensor)]
    for is_dual, which in reversed(_C._transforms()):
        if not is_dual:
            if any(which in levels.levels_in(t) for t in tensors):
                return map_function(cls, args), None
        elif _C._is_fwd_grad_enabled():
            tangents = [_C._tangent(a, which) if isinstance(a, Tensor) else None for a in args]
            if any(t is not None for t in tangents):
                return _with_tangents(cls, args, kwargs, tangents, which)
    return None


def _with_tangents(
    cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any], tangents: list[Any], level: int
) -> tuple[Any, Any]:
    """Runs the function with the level out of the way, then its rule."""
    from .function import Function

    own = cls.jvp is not Function.jvp
    _C._enable_dual_level(level, False)
    try:
        if own or not cls._transposable:
            result, ctx = cls._applied(args, kwargs)
            outputs = list(result) if isinstance(result, (tuple, list)) else [result]
            found = _by_jvp(cls, ctx, args, tangents, outputs)
        else:
            result, found = _by_transpose(cls, args, kwargs, tangents, level)
            ctx, outputs = None, list(result) if isinstance(result, (tuple, list)) else [result]
    finally:
        _C._enable_dual_level(level, True)
    for output, tangent in zip(outputs, found, strict=True):
        if tangent is not None and isinstance(output, Tensor):
            _check_shape(output, tangent)
            _C._set_tangent(output, tangent, level)
    return result, ctx


def _check_shape(output: Tensor, tangent: Any) -> None:
    if not isinstance(tangent, Tensor):
        raise RuntimeError(f"jvp: expected Variable or None (got {type(tangent).__name__})")
    if output.shape != tangent.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported. Tensor is of size {list(output.shape)} while the "
            f"given forward gradient is of size {list(tangent.shape)}."
        )


def _by_jvp(
    cls: Any, ctx: Any, args: tuple[Any, ...], tangents: list[Any], outputs: list[Any]
) -> list[Any]:
    from .. import zeros_like

    if ctx is None:
        raise NotImplementedError(
            f"{cls.__name__}: forward mode inside vmap has no context for jvp; call vmap inside"
        )
    if ctx._materialize:
        tangents = [
            zeros_like(a) if t is None and isinstance(a, Tensor) and _differentiable(a) else t
            for a, t in zip(args, tangents, strict=True)
        ]
    ctx._in_jvp = True
    try:
        found = cls.jvp(ctx, *tangents)
    finally:
        ctx._in_jvp = False
    given = list(found) if isinstance(found, (tuple, list)) else [found]
    if len(given) != len(outputs):
        raise RuntimeError(
            "Function's jvp returned an invalid number of forward gradients (expected "
            f"{len(outputs)} but got {len(given)})"
        )
    constant = {id(t) for t in ctx._constant}
    return [None if id(o) in constant else t for o, t in zip(outputs, given, strict=True)]


def _differentiable(t: Tensor) -> bool:
    return t.dtype.is_floating_point or t.dtype.is_complex


class _AsOp:
    """A Function as an op whose backward can be transposed."""

    def __init__(self, cls: Any, kwargs: dict[str, Any]) -> None:
        self.cls, self.kwargs, self.name = cls, kwargs, cls.__name__
        self.single = True

    def run(self, args: list[Any]) -> list[Any]:
        result = self.cls._applied(tuple(args), self.kwargs)[0]
        self.single = not isinstance(result, (tuple, list))
        return [result] if self.single else list(result)


def _by_transpose(
    cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any], tangents: list[Any], level: int
) -> tuple[Any, list[Any]]:
    from .forward_rules import transposed

    op = _AsOp(cls, kwargs)
    given = [t for a, t in zip(args, tangents, strict=True) if isinstance(a, Tensor)]
    results, found, aliases = transposed(op, args, given)
    active = [a for a, t in zip(args, tangents, strict=True) if t is not None]
    for alias, value in zip(aliases, active, strict=True):
        _C._follow_tangents(alias, value, level)
    values = list(results)
    return (values[0] if op.single else tuple(values)), found
