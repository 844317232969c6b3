"""Checkpointing: what lies between the inputs and the results of a function is not kept for
backward, which runs the function again.

Two ways: as an autograd Function that differentiates a second run (`use_reentrant=True`), or by
hooks that take the place of every saved tensor and fill it from a second run when it is needed.
"""

import traceback
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import kagari
from kagari import Tensor
from kagari.autograd.graph import saved_tensors_hooks
from kagari.utils import _pytree

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "detach_variable",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
]

Contexts = tuple[AbstractContextManager[Any], AbstractContextManager[Any]]

_early_stop = True
_debug: bool | None = None


class CheckpointError(RuntimeError):
    """The second run of a function has not saved what the first one did."""


def noop_context_fn() -> Contexts:
    """No contexts: the default `context_fn` of `checkpoint`."""
    return nullcontext(), nullcontext()


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Inside, whether second runs stop when all that is needed is there."""
    global _early_stop
    before, _early_stop = _early_stop, enable
    try:
        yield
    finally:
        _early_stop = before


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Inside, `debug` of every `checkpoint`; None leaves it as it is given."""
    global _debug
    before, _debug = _debug, enabled
    try:
        yield
    finally:
        _debug = before


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The tensors without history, as leaves that require what they required."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(
            "Only tuple of tensors is supported. Got Unsupported input type: "
            f"{type(inputs).__name__}"
        )
    return tuple(
        t.detach().requires_grad_(t.requires_grad) if isinstance(t, Tensor) else t for t in inputs
    )


def check_backward_validity(inputs: Iterable[Any]) -> None:
    """Warns where no tensor requires grad."""
    if not any(t.requires_grad for t in inputs if isinstance(t, Tensor)):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2
        )


@contextmanager
def _random_state(state: Tensor | None) -> Iterator[None]:
    """Inside, the generator is where it was; afterwards where it is."""
    if state is None:
        yield
        return
    now = kagari.get_rng_state()
    kagari.set_rng_state(state)
    try:
        yield
    finally:
        kagari.set_rng_state(now)


# ---- by an autograd Function ----


class CheckpointFunction(kagari.autograd.Function):
    """`checkpoint(use_reentrant=True)`. Its backward is a backward of its own, which adds to .grad
    of all leaves that the function uses."""

    @staticmethod
    def forward(ctx: Any, run_function: Any, preserve_rng_state: bool, *args: Any) -> Any:  # type: ignore[override]
        check_backward_validity(args)
        ctx.run_function, ctx.args = run_function, list(args)
        ctx.state = kagari.get_rng_state() if preserve_rng_state else None
        ctx.places = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.save_for_backward(*(args[i] for i in ctx.places))
        for i in ctx.places:
            ctx.args[i] = None
        with kagari.no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:  # type: ignore[override]
        inputs = list(ctx.args)
        for i, t in zip(ctx.places, ctx.saved_tensors, strict=True):
            inputs[i] = t
        detached = detach_variable(tuple(inputs))
        with _random_state(ctx.state), kagari.enable_grad():
            made = ctx.run_function(*detached)
        outputs = (made,) if isinstance(made, Tensor) else made
        wanted = [
            (t, g)
            for t, g in zip(outputs, grads, strict=True)
            if isinstance(t, Tensor) and t.requires_grad
        ]
        if not wanted:
            raise RuntimeError(
                "none of output has requires_grad=True, this checkpoint() is not necessary"
            )
        kagari.autograd.backward([t for t, _ in wanted], [g for _, g in wanted])
        found = (t.grad if isinstance(t, Tensor) else None for t in detached)
        return (None, None, *found)


# ---- by hooks ----


class _Kept(kagari.autograd.Function):
    """Saves the arguments as ops save tensors, so that an outer checkpoint takes them too."""

    @staticmethod
    def forward(ctx: Any, keep: list[Any], mark: Tensor, *tensors: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(*tensors)
        keep.append(ctx)
        return mark.detach()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:  # type: ignore[override]
        raise AssertionError("checkpoint: nothing depends on this")


class _Holder:
    """Stands for a saved tensor."""

    __slots__ = ("__weakref__", "meta")

    def __init__(self, t: Tensor) -> None:
        self.meta = (tuple(t.shape), t.dtype, t.device)


class _Stop(Exception):
    """All that is needed has been made."""


class _Frame:
    """One checkpointed call: its arguments, and the holders of what it would have saved."""

    def __init__(self, function: Any, args: Any, kwargs: Any, context: Any, keeps_state: bool):
        self.function, self.context = function, context
        self.state = kagari.get_rng_state() if keeps_state else None
        self.early_stop, self.checks, self.debug = _early_stop, True, False
        self.where = ""
        self.holders: list[weakref.ref[_Holder]] = []
        self.values: weakref.WeakKeyDictionary[_Holder, Tensor] = weakref.WeakKeyDictionary()
        flat, self.tree = _pytree.tree_flatten((args, kwargs))
        self.rest = [None if isinstance(a, Tensor) else a for a in flat]
        self.places = [i for i, a in enumerate(flat) if isinstance(a, Tensor)]
        kept: list[Any] = []
        mark = kagari.empty(0).requires_grad_()
        self.mark = _Kept.apply(kept, mark, *(flat[i] for i in self.places))
        self.inputs = kept[0]

    def arguments(self) -> Any:
        flat = list(self.rest)
        for i, t in zip(self.places, self.inputs.saved_tensors, strict=True):
            flat[i] = t
        return _pytree.tree_unflatten(flat, self.tree)

    def hooks(self) -> saved_tensors_hooks:
        def pack(t: Tensor) -> _Holder:
            holder = _Holder(t)
            self.holders.append(weakref.ref(holder))
            return holder

        def unpack(holder: _Holder) -> Tensor:
            if holder not in self.values:
                self.run_again()
            if holder not in self.values:
                raise CheckpointError(
                    "torch.utils.checkpoint: a tensor was unpacked that the second run did not make"
                )
            return self.values[holder]

        return saved_tensors_hooks(pack, unpack)

    def run_again(self) -> None:
        count = 0

        def pack(t: Tensor) -> Tensor:
            nonlocal count
            holder = self.holders[count]() if count < len(self.holders) else None
            count += 1
            if holder is not None:
                self._check(count - 1, holder, t)
                self.values[holder] = t.detach()
            if self.early_stop and count == len(self.holders):
                raise _Stop
            return t.detach()

        args, kwargs = self.arguments()
        with (
            _random_state(self.state),
            self.context,
            saved_tensors_hooks(pack, lambda t: t),
            kagari.enable_grad(),
        ):
            try:
                self.function(*args, **kwargs)
            except _Stop:
                return
        if count != len(self.holders):
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the "
                "original forward and recomputation.\nNumber of tensors saved during forward: "
                f"{len(self.holders)}\nNumber of tensors saved during recomputation: {count}."
                + self.where
            )

    def _check(self, i: int, holder: _Holder, t: Tensor) -> None:
        again = (tuple(t.shape), t.dtype, t.device)
        if self.checks and again != holder.meta:
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have "
                "different metadata than during the forward pass.\ntensor at position "
                f"{i}:\nsaved metadata: {holder.meta}\nrecomputed metadata: {again}" + self.where
            )


def checkpoint(
    function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None,
    context_fn: Callable[[], Contexts] = noop_context_fn, determinism_check: str = "default",
    debug: bool = False, early_stop: bool = True, **kwargs: Any,
) -> Any:  # fmt: skip
    """`function(*args, **kwargs)`, whose intermediate results are not kept: backward runs it again.

    Args:
        use_reentrant: False is the better way: it takes keyword arguments, nested structures,
            `autograd.grad` and derivatives of any order. True, the default so far, adds to .grad of
            leaves that the function uses, whatever backward was asked for.
        preserve_rng_state: (True) the second run draws the same random numbers.
        context_fn: gives two contexts, for the first run and for the second.
        determinism_check: "default" compares shapes, dtypes and devices of both runs; or "none".
        debug: errors show where the function was called.
        early_stop: the second run ends when all that is needed is there.

    CheckpointError, in backward, where both runs differ; ValueError for arguments that do not go
    with `use_reentrant=True`.

    >>> x = kagari.ones(2, requires_grad=True)
    >>> checkpoint(kagari.exp, x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([2.7183, 2.7183])
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. "
            "use_reentrant=False is recommended; so far the default is True.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    debug = debug if _debug is None else _debug
    if determinism_check not in ("default", "none"):
        raise ValueError(
            f"determinism_check should be one of ['default', 'none'], but got {determinism_check}"
        )
    if use_reentrant:
        if kwargs:
            raise ValueError(f"Unexpected keyword arguments: {', '.join(kwargs)}")
        if context_fn is not noop_context_fn or debug:
            raise ValueError(
                "Passing `context_fn` or `debug` is only supported when use_reentrant=False."
            )
        return CheckpointFunction.apply(function, preserve, *args)
    forward_context, context = context_fn()
    if not kagari.is_grad_enabled():
        with forward_context:
            return function(*args, **kwargs)
    frame = _Frame(function, args, kwargs, context, preserve)
    frame.early_stop, frame.checks = early_stop and _early_stop, determinism_check == "default"
    if debug:
        frame.where = "\nThe function was called here:\n" + "".join(traceback.format_stack()[:-1])
    with frame.hooks(), forward_context:
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Functions or modules one behind the other, cut into `segments`, of which all but the last are
    checkpointed.

    ValueError for unknown arguments.

    >>> x = kagari.ones(2, requires_grad=True)
    >>> checkpoint_sequential([kagari.exp, kagari.log], 2, x, use_reentrant=False)
    tensor([1., 1.], grad_fn=<LogBackward0>)
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be "
            "passed explicitly. use_reentrant=False is recommended; so far the default is True.",
            stacklevel=2,
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"Unexpected keyword arguments: {', '.join(kwargs)}")
    if isinstance(functions, kagari.nn.Sequential):
        functions = list(functions.children())

    def segment(first: int, last: int) -> Callable[[Any], Any]:
        def run(value: Any) -> Any:
            for function in functions[first:last]:
                value = function(value)
            return value

        return run

    size = len(functions) // segments
    for i in range(segments - 1):
        part = segment(i * size, (i + 1) * size)
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return segment((segments - 1) * size, len(functions))(input)
