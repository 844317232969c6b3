"""TransformGetItemToIndex, which lets batched tensors index others inside vmap in PyTorch."""

from types import TracebackType
from typing import Self

__all__ = ["TransformGetItemToIndex"]


class TransformGetItemToIndex:
    """Within the block, `x[i]` with a batched i works. In kagari it always does.

    >>> import kagari
    >>> with TransformGetItemToIndex():
    ...     kagari.vmap(lambda i: kagari.arange(3)[i])(kagari.tensor([2, 0]))
    tensor([2, 0])
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass
