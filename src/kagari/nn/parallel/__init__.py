"""torch.nn.parallel: one module on several devices. With no GPU it is the module itself; training
in several processes is left out."""

from collections.abc import Sequence
from typing import Any

from ..modules.module import Module
from .distributed import DistributedDataParallel

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]


class DataParallel(Module):
    """The module, called with what it is called with: there is one device.

    As in PyTorch without a GPU, `device_ids` and `output_device` are of no consequence then.

    >>> kagari.nn.DataParallel(kagari.nn.Linear(2, 3))(kagari.zeros(4, 2)).shape
    torch.Size([4, 3])
    """

    def __init__(
        self, module: Any, device_ids: Sequence[Any] | None = None, output_device: Any = None,
        dim: int = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module gives."""
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module, inputs: Any, device_ids: Sequence[int] | None = None,
    output_device: Any = None, dim: int = 0, module_kwargs: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """The module, called with `inputs` (one, or a tuple) and `module_kwargs`.

    >>> data_parallel(kagari.nn.Linear(2, 3), kagari.zeros(4, 2)).shape
    torch.Size([4, 3])
    """
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*given, **(module_kwargs or {}))
