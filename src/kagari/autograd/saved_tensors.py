"""What is kept for backward: hooks that replace it, and writes that keep it as it was."""

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .. import _C
from .._C import Tensor, _pop_saved_hooks, _push_saved_hooks
from .modes import no_grad

_state = threading.local()  # .forbidden: why hooks are disabled; .allowing: the running context


class saved_tensors_hooks:
    """Inside, what is kept for backward is what `pack_hook(tensor)` returns; backward gets it back
    through `unpack_hook`. RuntimeError where `disable_saved_tensors_hooks` forbids it."""

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        if (message := getattr(_state, "forbidden", None)) is not None:
            raise RuntimeError(message)
        _push_saved_hooks(self.pack_hook, self.unpack_hook)
        _state.depth = getattr(_state, "depth", 0) + 1

    def __exit__(self, *exception: object) -> None:
        _state.depth -= 1
        _pop_saved_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Keeps what backward needs on the CPU; it returns to its device when it is needed."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda t: (t.device, t.cpu()), lambda kept: kept[1].to(kept[0]))


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Inside, hooks for saved tensors are a RuntimeError with this message, those that are already
    there too.

    >>> with kagari.autograd.graph.disable_saved_tensors_hooks("not here"):
    ...     (kagari.ones(2, requires_grad=True) ** 2).requires_grad
    True
    """
    before = getattr(_state, "forbidden", None)
    if getattr(_state, "depth", 0):
        raise RuntimeError(error_message)
    _state.forbidden = error_message
    try:
        yield
    finally:
        _state.forbidden = before


class _Kept:
    """A tensor that a node keeps, and its copy once it has been written to."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor, self.version, self.active = tensor, tensor._version, True

    def unpack(self) -> Tensor:
        if not self.active:
            raise AssertionError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in "
                "which the graph was originally recorded."
            )
        if self.tensor._version != self.version:
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an "
                "inplace operation that allow_mutation_on_saved_tensors does not see"
            )
        return self.tensor


class _AllowMutationOnSavedContext:
    """By the storages they look at, the tensors that nodes keep; copies are made before a write."""

    def __init__(self) -> None:
        self.kept: dict[int, weakref.WeakSet[_Kept]] = {}
        self.all: weakref.WeakSet[_Kept] = weakref.WeakSet()

    def pack(self, tensor: Tensor) -> _Kept:
        kept = _Kept(tensor)
        self.all.add(kept)
        key = tensor.untyped_storage()._cdata
        self.kept.setdefault(key, weakref.WeakSet()).add(kept)
        return kept

    def before_write(self, tensor: Tensor) -> None:
        for kept in self.kept.pop(tensor.untyped_storage()._cdata, ()):
            with no_grad():
                copy = kept.tensor.clone()
            kept.tensor, kept.version = copy, copy._version

    def clear(self) -> None:
        for kept in self.all:
            kept.active = False
        self.kept.clear()

    def call(self, op: Any, args: Any) -> Any:
        """Sees every op inside: those whose name ends in `_` write to their first argument."""
        if op.name.split(".")[0].endswith("_") and len(args) and isinstance(args[0], Tensor):
            self.before_write(args[0])
        return op.run(args)


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[_AllowMutationOnSavedContext]:
    """Inside, a tensor that is kept for backward may be written to: it is copied before. Backward
    has to run inside, too (else AssertionError); the contexts cannot be nested (RuntimeError).

    >>> with kagari.autograd.graph.allow_mutation_on_saved_tensors():
    ...     a = kagari.ones(2, requires_grad=True)
    ...     b = a.clone()
    ...     out = (b**2).sum()
    ...     _ = b.sin_()
    ...     out.backward()
    >>> a.grad
    tensor([2., 2.])
    """
    if getattr(_state, "allowing", None) is not None:
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    context = _state.allowing = _AllowMutationOnSavedContext()
    try:
        with saved_tensors_hooks(context.pack, _Kept.unpack):
            _C._push_interceptor(context.call)
            try:
                yield context
            finally:
                _C._pop_interceptor()
    finally:
        context.clear()
        _state.allowing = None
