"""Older names of kagari.amp for CUDA devices: off, with a warning, as there are none."""

import functools
from typing import Any

import kagari.amp

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


class autocast(kagari.amp.autocast):
    """amp.autocast("cuda", ...)."""

    def __init__(
        self, enabled: bool = True, dtype: Any = kagari.float16, cache_enabled: bool = True
    ) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)


class GradScaler(kagari.amp.GradScaler):
    """amp.GradScaler("cuda", ...)."""

    def __init__(
        self, init_scale: float = 65536.0, growth_factor: float = 2.0,
        backoff_factor: float = 0.5, growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            "cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled
        )


custom_fwd = functools.partial(kagari.amp.custom_fwd, device_type="cuda")
custom_bwd = functools.partial(kagari.amp.custom_bwd, device_type="cuda")
