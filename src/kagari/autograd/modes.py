"""Switching differentiation on and off: as context managers, decorators and plain calls."""

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, Self

from .. import _C
from .._C import _set_grad_enabled, _set_inference, is_grad_enabled


def differentiating(*values: Any) -> bool:
    """Is a derivative by one of these wanted: recorded for backward, or forward along a tangent?"""
    tensors = [v for v in values if isinstance(v, _C.Tensor)]
    if is_grad_enabled() and any(t.requires_grad for t in tensors):
        return True
    if not _C._dual_levels() or not _C._is_fwd_grad_enabled():
        return False
    levels = [level for is_dual, level in _C._transforms() if is_dual]
    return any(_C._tangent(t, level) is not None for t in tensors for level in levels)


_threads = threading.local()


def _set_multithreading(mode: bool) -> bool:
    before = getattr(_threads, "multithreading", True)
    _threads.multithreading = mode
    return before


class _Mode:
    """A context manager that also decorates functions, generator functions and classes' methods."""

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isclass(func):
            raise TypeError(
                f"{type(self).__name__} decorates functions; for a class, decorate its methods"
            )
        if inspect.isgeneratorfunction(func):
            return self._wrap_generator(func)

        @functools.wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return func(*args, **kwargs)

        return wrapped

    def _wrap_generator(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The mode holds while the generator runs, not while it is suspended."""

        @functools.wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            generator = func(*args, **kwargs)
            sent: Any = None
            failed: BaseException | None = None
            while True:
                try:
                    with self._again():
                        value = generator.send(sent) if failed is None else generator.throw(failed)
                except StopIteration as stop:
                    return stop.value
                sent, failed = None, None
                try:
                    sent = yield value
                except GeneratorExit:
                    generator.close()
                    raise
                except BaseException as error:
                    failed = error

        return wrapped

    def _again(self) -> "_Mode":
        return type(self)()

    def __enter__(self) -> Self:
        raise NotImplementedError

    def __exit__(self, *exception: object) -> None:
        raise NotImplementedError


class no_grad(_Mode):
    """Nothing is recorded inside.

    >>> x = kagari.ones(2, requires_grad=True)
    >>> with kagari.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        return made if orig_func is None else made(orig_func)

    def __enter__(self) -> Self:
        self.before = _set_grad_enabled(False)
        return self

    def __exit__(self, *exception: object) -> None:
        _set_grad_enabled(self.before)


class enable_grad(_Mode):
    """Recording is on inside, whatever it is outside."""

    def __new__(cls, orig_func: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        return made if orig_func is None else made(orig_func)

    def __enter__(self) -> Self:
        self.before = _set_grad_enabled(True)
        return self

    def __exit__(self, *exception: object) -> None:
        _set_grad_enabled(self.before)


class set_grad_enabled(_Mode):
    """Switches recording at once; used with `with`, until the end of the block."""

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self.before = _set_grad_enabled(self.mode)

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        _set_grad_enabled(self.before)
        return super().__call__(func)

    def _again(self) -> "set_grad_enabled":
        return set_grad_enabled(self.mode)

    def __enter__(self) -> Self:
        _set_grad_enabled(self.mode)
        return self

    def __exit__(self, *exception: object) -> None:
        _set_grad_enabled(self.before)

    def __repr__(self) -> str:
        return f"set_grad_enabled(mode={self.mode})"


class inference_mode(_Mode):
    """Like no_grad, and what is made inside never takes part in differentiation later."""

    def __new__(cls, mode: Any = True) -> Any:
        made = super().__new__(cls)
        if isinstance(mode, bool):
            return made
        made.mode = True
        return made(mode)

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode

    def _again(self) -> "inference_mode":
        return inference_mode(self.mode)

    def __enter__(self) -> Self:
        self.before = _set_inference(self.mode)
        self.grad_before = _set_grad_enabled(not self.mode)
        return self

    def __exit__(self, *exception: object) -> None:
        _set_inference(self.before)
        _set_grad_enabled(self.grad_before)


class _Switch(_Mode):
    """A switch of this thread that is set at once, and back at the end of the block if there is
    one; where it decorates a function, it is set while that runs."""

    _set: Callable[[bool], bool]  # sets it and returns what it was

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self.before = type(self)._set(self.mode)

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        type(self)._set(self.before)
        return super().__call__(func)

    def _again(self) -> Any:
        return type(self)(self.mode)

    def __enter__(self) -> Self:
        type(self)._set(self.mode)
        return self

    def __exit__(self, *exception: object) -> None:
        type(self)._set(self.before)


class set_multithreading_enabled(_Switch):
    """Whether backward may run on threads of its own; where it need not, it does not: here the
    engine runs on the calling thread, whatever is set, and only kernels use more.

    >>> with kagari.autograd.set_multithreading_enabled(False):
    ...     kagari.ones(1, requires_grad=True).exp().backward()
    """

    _set = staticmethod(_set_multithreading)


class enforce_grad_layout_policy(_Switch):
    """Whether backward gives a leaf that has no .grad a gradient laid out as the leaf (True), or
    takes over one of another layout that nobody else has, which saves a copy.

    >>> x = kagari.ones(2, 3, requires_grad=True)
    >>> with kagari.autograd.enforce_grad_layout_policy(False):
    ...     (x.t() @ kagari.ones(2, 1)).sum().backward()
    """

    _set = staticmethod(_C._set_grad_layout_policy)

    def __init__(self, enable: bool = True) -> None:
        super().__init__(enable)
