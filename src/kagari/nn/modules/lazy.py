"""Lazy modules: parameters that take their shapes from the first input."""

import warnings
from typing import Any

from ..parameter import is_lazy


class LazyModuleMixin:
    """Makes a module lazy: before its first forward, `initialize_parameters` sees the input;
    after it the module becomes `cls_to_become`."""

    cls_to_become: Any = None
    _parameters: Any
    _buffers: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        module: Any = self
        self._load_hook = module._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = module.register_forward_pre_hook(
            self._infer_parameters, with_kwargs=True
        )
        warnings.warn(
            "Lazy modules are a new feature under heavy development so changes to the API or "
            "functionality can happen at any moment.",
            stacklevel=2,
        )

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give shapes to the parameters, from the input; written by every lazy module."""
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {type(self).__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer has no shape yet."""
        values = [*self._parameters.values(), *self._buffers.values()]
        return any(is_lazy(value) for value in values)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        module: Any = self
        for name, value in [*self._parameters.items(), *self._buffers.items()]:
            if value is not None and name not in module._non_persistent_buffers_set:
                whole = is_lazy(value) or keep_vars
                destination[prefix + name] = value if whole else value.detach()

    def _lazy_load_hook(self, state_dict: Any, prefix: str, *unused: Any) -> None:
        """Give the shapes of `state_dict` to what has none yet."""
        for name, value in [*self._parameters.items(), *self._buffers.items()]:
            key = prefix + name
            if key in state_dict and value is not None and is_lazy(value):
                given = state_dict[key]
                if not is_lazy(given):
                    value.materialize(given.shape)

    @staticmethod
    def _infer_parameters(module: Any, args: Any, kwargs: Any = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {module._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become
