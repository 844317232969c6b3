"""DataParallel: without GPUs it runs its module, in PyTorch too."""

from typing import Any

from kagari.nn import Module


class DataParallel(Module):
    """Would divide a batch among GPUs; without any it calls the module.

    >>> import kagari
    >>> DataParallel(kagari.nn.Identity())(kagari.ones(2))
    tensor([1., 1.])
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        self.module, self.device_ids = module, []  # type: ignore[var-annotated]

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module, inputs: Any, device_ids: Any = None, output_device: Any = None, dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """DataParallel as a function."""
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*given, **(module_kwargs or {}))
