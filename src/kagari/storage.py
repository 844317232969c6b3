"""torch.storage: the classes of storages."""

from kagari import TypedStorage, UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]
