"""FlopCounterMode, to name: it refuses, as kagari does not count operations yet."""

from typing import Any


class FlopCounterMode:
    """Would count the floating-point operations of a block."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            "FlopCounterMode: kagari does not count operations (docs/not_supported.md); "
            "utils.logging.log_ops lists them with their shapes"
        )
