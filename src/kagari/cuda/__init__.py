"""What programs ask before they use a GPU. kagari has no CUDA backend yet, and says so."""

from importlib import import_module
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
get_device_properties = get_device_capability = current_stream = _absent
default_stream = set_stream = get_rng_state = set_rng_state = mem_get_info = _absent
set_per_process_memory_fraction = get_per_process_memory_fraction = current_blas_handle = _absent
get_sync_debug_mode = set_sync_debug_mode = ipc_collect = initial_seed = init = cudart = _absent
is_current_stream_capturing = graph_pool_handle = make_graphed_callables = _absent
reset_peak_memory_stats = reset_accumulated_memory_stats = memory_summary = memory_snapshot = (
    _absent
)
can_device_access_peer = utilization = temperature = power_draw = clock_rate = _absent

default_generators: tuple[Any, ...] = ()
has_half, has_magma = True, False


class _AbsentClass:
    """A class that programs name in annotations and ask of objects; none can be made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _absent()


class Stream(_AbsentClass):
    """A queue of work on a device."""


class Event(_AbsentClass):
    """A mark in such a queue."""


class CUDAGraph(_AbsentClass):
    """Recorded work of a device."""


class graph(_AbsentClass):
    """A block whose work is recorded."""


class MemPool(_AbsentClass):
    """Memory of a device that is kept apart."""


class device:
    """A block in which another device is current: with None or a negative index, none is."""

    def __init__(self, device: Any) -> None:
        if device is not None and not (isinstance(device, int) and device < 0):
            _absent()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        pass


class StreamContext(device):
    """A block whose work goes to a stream: with None, it is any block."""


class device_of(device):
    """A block on the device of a tensor: with one on the CPU, it is any block."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device() if getattr(obj, "is_cuda", False) else None)


def stream(stream: Stream | None) -> StreamContext:
    """StreamContext(stream)."""
    return StreamContext(stream)


def get_arch_list() -> list[str]:
    """What it was built for: nothing."""
    return []


def get_rng_state_all() -> list[Any]:
    """The states of the generators of all devices: there are none."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """Sets the generators of all devices."""
    if list(new_states):
        _absent()


def memory_stats(device: Any = None) -> dict[str, Any]:
    """Nothing to count."""
    return {}


def seed() -> None:
    """Seeds the generators of all devices anew: there are none."""


seed_all = seed


def is_tf32_supported() -> bool:
    """Not without a device."""
    return False


def __getattr__(name: str) -> Any:
    if name == "amp":
        return import_module("kagari.cuda.amp")
    raise AttributeError(f"module 'kagari.cuda' has no attribute '{name}'")
