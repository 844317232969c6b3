"""Module: what a network is made of. Here are its attributes, its call, its printing and pickling.
Hooks are left to hooks.py, saving to state.py, walking and moving the tree to tree.py."""

import weakref
from collections.abc import Iterable
from typing import Any

from kagari import Tensor

from ..parameter import Buffer, Parameter, is_lazy, is_parameter
from . import hooks
from .registry import Registry, adopt, replace
from .state import EXTRA_STATE as _EXTRA_STATE_KEY_SUFFIX
from .state import IncompatibleKeys as _IncompatibleKeys
from .state import Saving
from .tree import Tree

__all__ = ["Module", "_EXTRA_STATE_KEY_SUFFIX", "_IncompatibleKeys", "type_name"]

_KINDS = ("_parameters", "_buffers", "_modules")


def type_name(value: object) -> str:
    """The type of `value` with its module, as error messages show it."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


class Module(hooks.Hooked, Saving, Tree):
    """Base class of all network modules.

    Assigning a Parameter or another Module to an attribute registers it. A subclass writes
    `forward`; calling the module runs `forward` and the registered hooks.
    """

    dump_patches: bool = False
    _version: int = 1
    call_super_init: bool = False

    training: bool
    _parameters: Registry
    _buffers: Registry
    _modules: Registry
    _non_persistent_buffers_set: set[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if (args or kwargs) and not self.call_super_init:
            got = f"{len(args)} positional" if args else f"keyword '{next(iter(kwargs))}'"
            raise TypeError(
                f"{type(self).__name__}.__init__() got unexpected arguments ({got}): "
                "nn.Module takes none"
            )
        attributes = self.__dict__
        attributes["training"] = True
        attributes["_non_persistent_buffers_set"] = set()
        hooks.make_hook_tables(attributes)
        for kind in _KINDS:
            attributes[kind] = Registry(self)
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *input: Any) -> Any:
        """The computation, written by every subclass. Call the module, not this."""
        raise NotImplementedError(
            f'Module [{type(self).__name__}] is missing the required "forward" function'
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if (
                self._forward_hooks
                or self._forward_pre_hooks
                or self._backward_hooks
                or self._backward_pre_hooks
                or hooks.any_global
            ):
                return hooks.call(self, args, kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            _note_where(error, self, args, kwargs)
            raise

    # -- registration ------------------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter; None reserves the name and is left out of `state_dict`."""
        registry = self._registry("_parameters", "parameter")
        self._check_name(name, "parameter", registry)
        if param is None:
            registry[name] = None
        elif not is_parameter(param):
            raise TypeError(
                f"cannot assign '{type_name(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        elif not is_lazy(param) and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                f"created explicitly. To express '{name}' as a function of another Tensor, compute "
                "the value in the forward() method."
            )
        else:
            for hook in hooks.global_parameter_registration.values():
                output = hook(self, name, param)
                param = param if output is None else output
            registry[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state but not a parameter, such as a running mean."""
        registry = self._registry("_buffers", "buffer")
        self._check_name(name, "buffer", registry)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type_name(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        for hook in hooks.global_buffer_registration.values():
            output = hook(self, name, tensor)
            tensor = tensor if output is None else output
        registry[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: "Module | None") -> None:
        """Add a child, readable as the attribute `name`."""
        registry = self._registry("_modules", "module")
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type_name(module)} is not a Module subclass")
        self._check_name(name, "module", registry)
        for hook in hooks.global_module_registration.values():
            output = hook(self, name, module)
            module = module if output is None else output
        registry[name] = module

    def register_module(self, name: str, module: "Module | None") -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def _registry(self, kind: str, noun: str) -> Registry:
        if kind not in self.__dict__:
            raise AttributeError(f"cannot assign {noun} before Module.__init__() call")
        return adopt(self, kind)

    def _check_name(self, name: str, noun: str, registry: Registry) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{noun} name should be a string. Got {type_name(name)}")
        if "." in name:
            raise KeyError(f'{noun} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{noun} name can\'t be empty string ""')
        if name not in registry and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    # -- attributes --------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if name in _KINDS:
            replace(self, name, value)
        elif is_parameter(value):
            self._registry("_parameters", "parameters")
            self._drop(name, "_buffers", "_modules", attribute=True)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            modules = self._registry("_modules", "module")
            self._drop(name, "_parameters", "_buffers", attribute=name not in modules)
            for hook in hooks.global_module_registration.values():
                output = hook(self, name, value)
                value = value if output is None else output
            modules[name] = value
        elif name in own.get("_parameters", ()):
            self._refuse(value, "parameter", name, "torch.nn.Parameter or None")
            self.register_parameter(name, None)
        elif name in own.get("_modules", ()):
            self._refuse(value, "child module", name, "torch.nn.Module or None")
            adopt(self, "_modules")[name] = None
        elif isinstance(value, Buffer) or name in own.get("_buffers", ()):
            self._set_buffer(name, value)
        else:
            super().__setattr__(name, value)

    def _set_buffer(self, name: str, value: Any) -> None:
        buffers = self._registry("_buffers", "buffer")
        if value is not None and not isinstance(value, Tensor):
            self._refuse(value, "buffer", name, "torch.nn.Buffer, torch.Tensor or None")
        persistent = name not in self._non_persistent_buffers_set
        if isinstance(value, Buffer):
            persistent = value.persistent
        if name not in buffers:
            self._drop(name, "_parameters", "_modules", attribute=True)
        self.register_buffer(name, value, persistent)

    def _refuse(self, value: Any, noun: str, name: str, expected: str) -> None:
        if value is not None:
            raise TypeError(
                f"cannot assign '{type_name(value)}' as {noun} '{name}' ({expected} expected)"
            )

    def _drop(self, name: str, *kinds: str, attribute: bool) -> None:
        """Forget `name` in these registries, and a plain attribute of that name."""
        own = self.__dict__
        for kind in kinds:
            if name in own[kind]:
                del adopt(self, kind)[name]
        if attribute and name not in own["_parameters"]:
            own.pop(name, None)
        if "_buffers" in kinds:
            own["_non_persistent_buffers_set"].discard(name)

    def __getattr__(self, name: str) -> Any:
        # Reached only where the attribute is absent, or a registry was changed behind its back.
        own = self.__dict__
        for kind in _KINDS:
            entries = own.get(kind)
            if entries is not None and name in entries:
                return entries[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        for kind in _KINDS:
            if name in self.__dict__.get(kind, ()):
                del adopt(self, kind)[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> Iterable[str]:
        names = set(dir(type(self))) | set(self.__dict__)
        for kind in _KINDS:
            names.update(self.__dict__.get(kind, ()))
        return sorted(name for name in names if not name[:1].isdigit())

    # -- pickling and printing ---------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        for kind in _KINDS:
            entries = state.get(kind, {})
            for name, value in entries.items():
                if state.get(name) is value:
                    state.pop(name, None)
            state[kind] = dict(entries)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        own = self.__dict__
        own.update(state)
        hooks.make_hook_tables(own)
        own.setdefault("_non_persistent_buffers_set", set())
        for kind in _KINDS:
            own[kind] = Registry(self, own.get(kind, {}))

    def extra_repr(self) -> str:
        """The arguments shown between the brackets when the module is printed."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [
            f"({name}): " + indent(repr(module), 2) for name, module in self._modules.items()
        ]
        if not children and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"

    def _describe(self) -> str:
        """How an error note shows this module."""
        extra = self.extra_repr()
        return f"{self._get_name()}({extra})" if len(extra) < 80 else self._get_name()


def indent(text: str, spaces: int) -> str:
    """`text` with every line but the first moved right."""
    return text.replace("\n", "\n" + " " * spaces)


# -- where an error happened -----------------------------------------------------------------


def _note_where(error: Exception, module: Module, args: Any, kwargs: Any) -> None:
    """Note on `error` which module it left: 'in encoder.layers.3: Linear(4 -> 8), input (2, 5)'.

    Every module that the error passes on its way up puts its child's name in front."""
    trail = error.__dict__.get("_module_trail")
    notes = getattr(error, "__notes__", None)
    if trail is None or not notes or trail["note"] not in notes:
        note = f"in {module._describe()}, input {_shapes([*args, *kwargs.values()])}"
        trail = {"path": "", "text": note[3:], "top": weakref.ref(module), "note": note}
        error._module_trail = trail  # type: ignore[attr-defined]
        error.add_note(note)
        return
    child = trail["top"]()
    names = [n for n, m in module.named_modules(remove_duplicate=False) if m is child and n]
    if child is module or not names:
        return
    trail["path"] = names[0] + ("." + trail["path"] if trail["path"] else "")
    note = f"in {trail['path']}: {trail['text']}"
    notes[notes.index(trail["note"])] = note
    trail["note"], trail["top"] = note, weakref.ref(module)


def _shapes(values: Iterable[Any]) -> str:
    return ", ".join(_shape(value) for value in values) or "nothing"


def _shape(value: Any) -> str:
    if isinstance(value, Tensor) and not is_lazy(value):
        sizes = tuple(value.shape)
        return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(map(str, sizes))})"
    if isinstance(value, (list, tuple)) and len(value) <= 8:
        return f"[{_shapes(value)}]"
    return (
        repr(value) if isinstance(value, (int, float, bool, type(None))) else type(value).__name__
    )


__all__ = ["Module"]
