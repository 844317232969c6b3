"""A log of the ops that a block of code runs: the simplest interceptor."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import kagari
from kagari import _C, Tensor


class log_ops:
    """Within the block, writes down every op: name, arguments and results.

    >>> with log_ops() as log:
    ...     kagari.ones(2).exp()
    >>> log.names
    ['_full', 'exp']

    Args:
        write: called with each line as it happens, `print` for instance; None only collects.
    """

    def __init__(self, write: Callable[[str], Any] | None = None) -> None:
        self.lines: list[str] = []
        self.names: list[str] = []
        self._write = write

    def __enter__(self) -> Self:
        _C._push_interceptor(self._call)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _C._pop_interceptor()

    def _call(self, op: Any, args: Any) -> Any:
        results = op.run(args)
        inputs = ", ".join(_describe(a) for a in args)
        line = f"{op.name}({inputs}) -> {', '.join(_describe(r) for r in results)}"
        self.names.append(op.name)
        self.lines.append(line)
        if self._write is not None:
            self._write(line)
        return results


def _describe(value: Any) -> str:
    """A tensor as its dtype and shape, f.e. "float32(2, 3)"; anything else as it prints."""
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{tuple(value.shape)}"
    if isinstance(value, list | tuple) and any(isinstance(v, Tensor) for v in value):
        return f"[{', '.join(map(_describe, value))}]"
    return repr(tuple(value) if isinstance(value, kagari.Size) else value)
