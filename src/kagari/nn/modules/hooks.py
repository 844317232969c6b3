"""Hooks of modules: their tables, how they are registered, and the call that runs them.
Module.__call__ comes here only where there is a hook to run."""

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from kagari import Tensor
from kagari.utils.hooks import RemovableHandle

from .backward_hooks import BackwardHooks, watch_result

Table = OrderedDict[int, Callable[..., Any]]


class _GlobalTable(OrderedDict):  # type: ignore[type-arg]
    """A table of global hooks; keeps `any_global` true while one is registered."""

    def __setitem__(self, key: int, hook: Any) -> None:
        super().__setitem__(key, hook)
        _count_globals()

    def __delitem__(self, key: int) -> None:
        super().__delitem__(key)
        _count_globals()

    def pop(self, key: int, default: Any = None) -> Any:  # type: ignore[override]
        """Remove a hook."""
        value = super().pop(key, default)
        _count_globals()
        return value


def _count_globals() -> None:
    global any_global
    any_global = bool(
        global_forward or global_forward_pre or global_backward or global_backward_pre
    )


# Global hooks, run for every module. `any_global` is what Module.__call__ reads.
any_global = False
global_forward: Table = _GlobalTable()
global_forward_pre: Table = _GlobalTable()
global_backward: Table = _GlobalTable()
global_backward_pre: Table = _GlobalTable()
global_forward_with_kwargs: dict[int, bool] = OrderedDict()
global_forward_always: dict[int, bool] = OrderedDict()
global_backward_is_full: bool | None = None
global_parameter_registration: Table = OrderedDict()
global_buffer_registration: Table = OrderedDict()
global_module_registration: Table = OrderedDict()

_TABLES = (
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


def make_hook_tables(attributes: dict[str, Any]) -> None:
    """Put the tables that are missing among a module's attributes."""
    for name in _TABLES:
        if name not in attributes:
            attributes[name] = OrderedDict()
    attributes.setdefault("_is_full_backward_hook", None)


def _put(table: Any, hook: Any, prepend: bool, *flags: tuple[dict[int, bool], bool]) -> Any:
    """Register `hook` and, where its flag is set, its id in the tables of flags."""
    handle = RemovableHandle(table, extra_dict=[t for t, _ in flags])
    table[handle.id] = hook
    for flag_table, flag in flags:
        if flag:
            flag_table[handle.id] = True
    if prepend:
        table.move_to_end(handle.id, last=False)
    return handle


class Hooked:
    """The part of Module that registers hooks."""

    _forward_hooks: Table
    _forward_hooks_with_kwargs: dict[int, bool]
    _forward_hooks_always_called: dict[int, bool]
    _forward_pre_hooks: Table
    _forward_pre_hooks_with_kwargs: dict[int, bool]
    _backward_hooks: Table
    _backward_pre_hooks: Table
    _is_full_backward_hook: bool | None
    forward: Callable[..., Any]

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before every `forward`; what it returns replaces the args."""
        flags = (self._forward_pre_hooks_with_kwargs, with_kwargs)
        return _put(self._forward_pre_hooks, hook, prepend, flags)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after every `forward`; what it returns replaces the
        output. With `always_call` also when `forward` raised."""
        return _put(
            self._forward_hooks,
            hook,
            prepend,
            (self._forward_hooks_with_kwargs, with_kwargs),
            (self._forward_hooks_always_called, always_call),
        )

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the gradients of the module are computed."""
        return _put(self._backward_pre_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Older form of `register_full_backward_hook`: sees the last operation only."""
        if self._is_full_backward_hook is True:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single "
                "Module. Please use only one of them."
            )
        self._is_full_backward_hook = False
        return _put(self._backward_hooks, hook, False)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients with respect to the
        inputs have been computed; what it returns replaces `grad_input`."""
        if self._is_full_backward_hook is False:
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single "
                "Module. Please use only one of them."
            )
        self._is_full_backward_hook = True
        return _put(self._backward_hooks, hook, prepend)

    def _slow_forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)


# -- the call with hooks ---------------------------------------------------------------------


def call(module: Any, args: Any, kwargs: Any) -> Any:
    """Run the hooks of `module` and its `forward`."""
    called: set[int] = set()
    try:
        return _call(module, args, kwargs, called)
    except Exception:
        _call_always(module, args, kwargs, called)
        raise


def _call(module: Any, args: Any, kwargs: Any, called: set[int]) -> Any:
    args, kwargs = _run_pre_hooks(module, args, kwargs)
    full, legacy = _backward_hooks_of(module)
    pre = [*global_backward_pre.values(), *module._backward_pre_hooks.values()]
    watcher = BackwardHooks(module, full, pre) if full or pre else None
    if watcher:
        args = watcher.watch_inputs(args)
    result = module.forward(*args, **kwargs)
    result = _run_hooks(module, args, kwargs, result, called)
    if watcher:
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of "
                f"Tensors but received {type(result)}",
                stacklevel=4,
            )
        result = watcher.watch_outputs(result)
    if legacy:
        watch_result(module, legacy, result)
    return result


def _run_pre_hooks(module: Any, args: Any, kwargs: Any) -> Any:
    for key, hook in [*global_forward_pre.items(), *module._forward_pre_hooks.items()]:
        if key in module._forward_pre_hooks_with_kwargs:
            changed = hook(module, args, kwargs)
            if changed is None:
                continue
            if not isinstance(changed, tuple) or len(changed) != 2:
                raise RuntimeError(
                    "forward pre-hook must return None or a tuple of (new_args, new_kwargs), but "
                    f"got {changed}."
                )
            args, kwargs = changed
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _run_hooks(module: Any, args: Any, kwargs: Any, result: Any, called: set[int]) -> Any:
    own = module._forward_hooks
    for key, hook in [*global_forward.items(), *own.items()]:
        called.add(key)
        if key in module._forward_hooks_with_kwargs or key in global_forward_with_kwargs:
            changed = hook(module, args, kwargs, result)
        else:
            changed = hook(module, args, result)
        result = result if changed is None else changed
    return result


def _call_always(module: Any, args: Any, kwargs: Any, called: set[int]) -> None:
    """After an exception: the hooks registered with `always_call` that were not reached."""
    for key, hook in [*global_forward.items(), *module._forward_hooks.items()]:
        always = key in module._forward_hooks_always_called or key in global_forward_always
        if not always or key in called:
            continue
        try:
            if key in module._forward_hooks_with_kwargs or key in global_forward_with_kwargs:
                hook(module, args, kwargs, None)
            else:
                hook(module, args, None)
        except Exception as error:
            warnings.warn(
                "forward hook with ``always_call=True`` raised an exception that was silenced as "
                f"another error was raised in forward: {error}",
                stacklevel=4,
            )


def _backward_hooks_of(module: Any) -> tuple[list[Any], list[Any]]:
    """The hooks for whole modules, and those of the older kind."""
    full: list[Any] = []
    legacy: list[Any] = []
    (full if global_backward_is_full is True else legacy).extend(global_backward.values())
    own = full if module._is_full_backward_hook is True else legacy
    own.extend(module._backward_hooks.values())
    return full, legacy


# -- global registration ---------------------------------------------------------------------


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, args)` before the forward of every module."""
    return _put(global_forward_pre, hook, False)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call `hook(module, args, output)` after the forward of every module."""
    return _put(
        global_forward,
        hook,
        False,
        (global_forward_with_kwargs, with_kwargs),
        (global_forward_always, always_call),
    )


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, grad_output)` before the backward of every module."""
    return _put(global_backward_pre, hook, False)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` in the backward of every module."""
    return _register_global_backward(hook, True)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Older form of `register_module_full_backward_hook`."""
    return _register_global_backward(hook, False)


def _register_global_backward(hook: Callable[..., Any], full: bool) -> RemovableHandle:
    global global_backward_is_full
    if global_backward and global_backward_is_full is not full:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module "
            "hook. Please use only one of them."
        )
    global_backward_is_full = full
    return _put(global_backward, hook, False)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, name, param)` when a parameter is registered."""
    return _put(global_parameter_registration, hook, False)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, name, buffer)` when a buffer is registered."""
    return _put(global_buffer_registration, hook, False)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, name, submodule)` when a child is registered."""
    return _put(global_module_registration, hook, False)
