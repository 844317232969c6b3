"""What programs ask before they train on several processes. kagari does not, and says so.

As in a PyTorch that was built without it, is_available() is False and little else is here.
"""

__all__ = [
    "ProcessGroup", "is_available", "is_backend_available", "is_gloo_available", "is_initialized",
    "is_mpi_available", "is_nccl_available", "is_torchelastic_launched", "is_ucc_available",
    "is_xccl_available",
]  # fmt: skip


class ProcessGroup:
    """A group of processes: for annotations and isinstance, as there are none."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        raise RuntimeError(
            "ProcessGroup: kagari trains in one process; ask torch.distributed.is_available() first"
        )


def is_available() -> bool:
    """Can processes train together? No.

    >>> is_available()
    False
    """
    return False


def is_initialized() -> bool:
    """Do processes train together now? No.

    >>> is_initialized()
    False
    """
    return False


def is_torchelastic_launched() -> bool:
    """Was this process started by torchrun? No: there is none.

    >>> is_torchelastic_launched()
    False
    """
    return False


def is_backend_available(backend: str) -> bool:
    """Is there that way for processes to talk? There is none.

    >>> is_backend_available("gloo")
    False
    """
    return False


def is_gloo_available() -> bool:
    """Is there Gloo? No.

    >>> is_gloo_available()
    False
    """
    return False


is_mpi_available = is_nccl_available = is_ucc_available = is_xccl_available = is_gloo_available
