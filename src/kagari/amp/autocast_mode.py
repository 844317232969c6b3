"""autocast: within a block, ops see their operands in another precision. An interceptor.

Which ops: PyTorch's lists for the CPU. Products take their operands in the block's dtype (bfloat16
or float16), losses and decompositions in float32, and what joins tensors in the widest of theirs.
float64 stays, and so do in-place ops and those with `out=`.
"""

import functools
import threading
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import kagari
from kagari import _C, Tensor

_PRODUCTS = frozenset(
    "addbmm addmm baddbmm bmm conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d "
    "conv_transpose3d linear linalg_vecdot matmul mm prelu".split()
)
_IN_FLOAT32 = frozenset(
    "adaptive_avg_pool3d avg_pool3d binary_cross_entropy_elements "
    "binary_cross_entropy_logits_elements hinge_embedding_loss_elements huber_loss_elements "
    "kl_div_elements l1_loss_elements max_pool3d mse_loss multi_margin_loss nll_loss polar prod "
    "smooth_l1_loss_elements soft_margin_loss_elements trace".split()
)
_WIDEST = frozenset("cat stack index_copy".split())
_FAST = (kagari.bfloat16, kagari.float16)
_DEVICES = ("cpu", "cuda", "xpu", "mps", "hpu", "mtia", "meta", "xla", "maia", "ipu")
_NARROW = (kagari.float32, kagari.bfloat16, kagari.float16)


class _State(threading.local):
    """What autocast does in this thread."""

    enabled = False
    dtype = kagari.bfloat16
    cache_enabled = True
    depth = 0

    def __init__(self) -> None:
        self.casts: dict[int, tuple[Tensor, Tensor]] = {}


state = _State()


def _cast(value: Any, dtype: Any) -> Any:
    """A tensor in that dtype, if it is one of float32 or fewer bits; what is in lists, too."""
    if isinstance(value, Tensor):
        if value.dtype is dtype or value.dtype not in _NARROW:
            return value
        # a parameter is cast once in a block, however often it is used
        keep = (
            state.cache_enabled and value.is_leaf and value.requires_grad
            and value.dtype is kagari.float32 and dtype in _FAST
        )  # fmt: skip
        if not keep:
            return value.to(dtype)
        key = id(value)
        if key not in state.casts or state.casts[key][1].dtype is not dtype:
            state.casts[key] = value, value.to(dtype)
        return state.casts[key][1]
    if isinstance(value, list | tuple):
        return [_cast(one, dtype) for one in value]
    return value


def _dtypes(value: Any) -> Any:
    if isinstance(value, Tensor):
        yield value.dtype
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _dtypes(one)


def _call(op: Any, args: Any) -> Any:
    """The interceptor."""
    name = op.name
    if state.enabled:
        if name in _PRODUCTS:
            args = _cast(list(args), state.dtype)
        elif name in _IN_FLOAT32 or name.startswith(("_linalg_", "_fft_")):
            args = _cast(list(args), kagari.float32)
        elif name == "pad" and any(mode in args for mode in ("reflect", "replicate")):
            args = _cast(list(args), kagari.float32)
        elif name in _WIDEST and kagari.float32 in _dtypes(list(args)):
            args = _cast(list(args), kagari.float32)
    return op.run(args)


class _Block:
    """A block with another state; the outermost puts the interceptor there."""

    def __init__(self, enabled: bool, dtype: Any, cache_enabled: bool) -> None:
        self._wanted = enabled, dtype, cache_enabled

    def enter(self) -> None:
        self._before = state.enabled, state.dtype, state.cache_enabled
        state.enabled, state.dtype, state.cache_enabled = self._wanted
        if state.depth == 0:
            _C._push_interceptor(_call)
        state.depth += 1

    def leave(self) -> None:
        state.depth -= 1
        if state.depth == 0:
            _C._pop_interceptor()
            state.casts.clear()
        state.enabled, state.dtype, state.cache_enabled = self._before


def _known(device_type: Any, what: str) -> str:
    if not isinstance(device_type, str):
        raise ValueError(f"{what}: device_type: expected a string, got {type(device_type)}")
    if device_type not in _DEVICES:
        raise RuntimeError(f"{what}: device_type: expected one of {_DEVICES}, got {device_type!r}")
    return device_type


class autocast:
    """A block, or a decorator, in which products are computed in fewer bits.

    Args:
        device_type: "cpu"; for devices that are not there it is off, with a warning.
        dtype: bfloat16 (the default) or float16; off for others, with a warning.
        enabled: False turns it off inside another block.
        cache_enabled: keep the casts of parameters until the outermost block ends.

    >>> with autocast("cpu"):
    ...     (kagari.ones(2, 2) @ kagari.ones(2, 2)).dtype
    torch.bfloat16
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:  # fmt: skip
        self.device = _known(device_type, "autocast")
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        self._cache = state.cache_enabled if cache_enabled is None else cache_enabled
        if enabled and device_type != "cpu":
            warnings.warn(
                f"autocast: there is no {device_type} device. Disabling autocast.", stacklevel=2
            )
            enabled = False
        if enabled and self.fast_dtype not in _FAST:
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._blocks: list[_Block] = []

    def __enter__(self) -> Self:
        if self.device == "cpu":
            block = _Block(self._enabled, self.fast_dtype, self._cache)
            block.enter()
            self._blocks.append(block)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._blocks:
            self._blocks.pop().leave()

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(func)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return func(*args, **kwargs)

        return inside


def is_autocast_available(device_type: str) -> bool:
    """Can autocast do something for such a device?

    >>> is_autocast_available("cpu"), is_autocast_available("cuda")
    (True, False)
    """
    return _known(device_type, "is_autocast_available") == "cpu"


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str, cast_inputs: Any = None
) -> Any:
    """Decorator of a Function's `forward` that is used with autocast.

    With `cast_inputs` its floating-point tensors come in that dtype and autocast is off inside.
    """
    _known(device_type, "custom_fwd")
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        args[0]._dtype = get_autocast_dtype(device_type)
        args[0]._fwd_used_autocast = is_autocast_enabled(device_type)
        if cast_inputs is None or not args[0]._fwd_used_autocast:
            return fwd(*args, **kwargs)
        args[0]._fwd_used_autocast = False
        with autocast(device_type, enabled=False):
            cast = {name: _cast(value, cast_inputs) for name, value in kwargs.items()}
            return fwd(args[0], *(_cast(arg, cast_inputs) for arg in args[1:]), **cast)

    return decorated


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Any:
    """Decorator of a Function's `backward`: it runs as its `forward` did."""
    _known(device_type, "custom_bwd")
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        used = args[0]._fwd_used_autocast and device_type == "cpu"
        with autocast(device_type, enabled=used, dtype=args[0]._dtype):
            return bwd(*args, **kwargs)

    return decorated


# --- what torch itself shows ---------------------------------------------------------------------


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Is it on for such a device, in this thread?"""
    return state.enabled and device_type == "cpu"


def is_autocast_cpu_enabled() -> bool:
    """Is it on for the CPU, in this thread?"""
    return state.enabled


def get_autocast_dtype(device_type: str) -> Any:
    """The dtype of products in such blocks."""
    cpu = _known(device_type, "get_autocast_dtype") == "cpu"
    return state.dtype if cpu else kagari.float16


def get_autocast_cpu_dtype() -> Any:
    """get_autocast_dtype("cpu")."""
    return state.dtype


def get_autocast_gpu_dtype() -> Any:
    """get_autocast_dtype("cuda")."""
    return kagari.float16


def is_autocast_cache_enabled() -> bool:
    """Are casts of parameters kept?"""
    return state.cache_enabled


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Says whether they are."""
    state.cache_enabled = enabled


def set_autocast_dtype(device_type: str, dtype: Any) -> None:
    """Chooses the dtype of blocks to come, in this thread."""
    if _known(device_type, "set_autocast_dtype") == "cpu":
        state.dtype = dtype


def set_autocast_cpu_dtype(dtype: Any) -> None:
    """set_autocast_dtype("cpu", dtype)."""
    state.dtype = dtype


def clear_autocast_cache() -> None:
    """Forgets the casts of parameters."""
    state.casts.clear()
