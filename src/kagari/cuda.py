"""What programs ask before they use a GPU. kagari has no CUDA backend yet, and says so."""

from typing import Any, NoReturn


def is_available() -> bool:
    """No."""
    return False


def device_count() -> int:
    """None."""
    return 0


def is_initialized() -> bool:
    """Never."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Not without a device."""
    return False


def manual_seed(seed: int) -> None:
    """Seeds the generators of all devices: there are none."""


manual_seed_all = manual_seed


def empty_cache() -> None:
    """Nothing is kept."""


def memory_allocated(device: Any = None) -> int:
    """Nothing is held."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated


def _absent(*args: Any, **kwargs: Any) -> NoReturn:
    """An error: there is no CUDA device."""
    raise RuntimeError(
        "cuda: kagari was built without support for CUDA devices; ask is_available() first"
    )


current_device = set_device = synchronize = get_device_name = _absent
get_device_properties = get_device_capability = current_stream = Stream = Event = _absent
