"""DispatchKey and sets of them: names that PyTorch's extensions give to kinds of kernels.

kagari's ops know no keys. What is excluded by them is autocast, which is an interceptor here.
"""

import enum
from collections.abc import Iterable
from typing import Any

DispatchKey = enum.Enum(
    "DispatchKey",
    "CPU CUDA Meta Autograd AutogradCPU AutogradCUDA AutocastCPU AutocastCUDA AutocastXPU "
    "CompositeImplicitAutograd CompositeExplicitAutograd ADInplaceOrView Functionalize Python",
)


class DispatchKeySet:
    """Some of them.

    >>> both = DispatchKeySet(DispatchKey.CPU) | DispatchKeySet(DispatchKey.CUDA)
    >>> both.has(DispatchKey.CUDA), both.has(DispatchKey.Meta)
    (True, False)
    """

    def __init__(self, keys: DispatchKey | Iterable[DispatchKey] = ()) -> None:
        self.keys = frozenset([keys] if isinstance(keys, DispatchKey) else keys)

    def __or__(self, other: "DispatchKeySet") -> "DispatchKeySet":
        return DispatchKeySet(self.keys | other.keys)

    def __and__(self, other: "DispatchKeySet") -> "DispatchKeySet":
        return DispatchKeySet(self.keys & other.keys)

    def __sub__(self, other: "DispatchKeySet") -> "DispatchKeySet":
        return DispatchKeySet(self.keys - other.keys)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DispatchKeySet) and self.keys == other.keys

    def __hash__(self) -> int:
        return hash(self.keys)

    def has(self, key: DispatchKey) -> bool:
        """Is the key one of them?"""
        return key in self.keys

    def __repr__(self) -> str:
        return f"DispatchKeySet({', '.join(sorted(key.name for key in self.keys))})"
