"""The ways of computing attention that PyTorch tells apart, and which of them may be used.

On a CPU PyTorch has two of them, MATH and FLASH_ATTENTION. Here both are one: blocks of rows, in
memory proportional to the lengths.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum

__all__ = ["WARN_FOR_UNFUSED_KERNELS", "SDPBackend", "check_available", "sdpa_kernel"]

WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(IntEnum):
    """Ways of computing attention, by PyTorch's names and numbers."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    def __repr__(self) -> str:
        return f"<SDPBackend.{self.name}: {self.value}>"

    def __str__(self) -> str:
        return f"SDPBackend.{self.name}"


_ON_CPU = {SDPBackend.MATH, SDPBackend.FLASH_ATTENTION}
_allowed: ContextVar[tuple[SDPBackend, ...] | None] = ContextVar("allowed", default=None)


@contextmanager
def sdpa_kernel(
    backends: SDPBackend | Sequence[SDPBackend], set_priority: bool = False
) -> Iterator[dict[None, None]]:
    """Inside, scaled_dot_product_attention may be computed in these ways only.

    AssertionError for what is no SDPBackend or list of them; where none of them is there on a CPU,
    attention raises RuntimeError. `set_priority` chooses between GPU kernels, which there are not.

    >>> x = kagari.ones(1, 2, 3)
    >>> with sdpa_kernel(SDPBackend.MATH):
    ...     kagari.nn.functional.scaled_dot_product_attention(x, x, x).shape
    torch.Size([1, 2, 3])
    """
    given = [backends] if isinstance(backends, SDPBackend) else backends
    listed = isinstance(given, Sequence) and all(isinstance(b, SDPBackend) for b in given)
    if not listed:
        raise AssertionError(
            "Backend must be an instance of SDPBackend or a list of SDPBackend instances, got "
            f"{type(backends).__name__}"
        )
    token = _allowed.set(tuple(dict.fromkeys(given)))
    try:
        yield {}
    finally:
        _allowed.reset(token)


def check_available() -> None:
    """RuntimeError where `sdpa_kernel` has left nothing that runs on a CPU."""
    allowed = _allowed.get()
    if allowed is not None and not _ON_CPU & set(allowed):
        raise RuntimeError(
            "scaled_dot_product_attention: No viable backend was found: sdpa_kernel allows "
            f"{list(allowed)}, and a CPU has MATH and FLASH_ATTENTION"
        )
