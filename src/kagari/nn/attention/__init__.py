"""torch.nn.attention: what goes with scaled_dot_product_attention. Which ways of computing it are
allowed is in backends.py, masks that need no memory are in bias.py, scores of one's own in
flex_attention.py."""

from .backends import WARN_FOR_UNFUSED_KERNELS, SDPBackend, sdpa_kernel
from .implementations import (
    activate_flash_attention_impl,
    current_flash_attention_impl,
    list_flash_attention_impls,
    register_flash_attention_impl,
    restore_flash_attention_impl,
)

__all__ = [
    "WARN_FOR_UNFUSED_KERNELS",
    "SDPBackend",
    "activate_flash_attention_impl",
    "current_flash_attention_impl",
    "list_flash_attention_impls",
    "register_flash_attention_impl",
    "restore_flash_attention_impl",
    "sdpa_kernel",
]


def __getattr__(name: str) -> object:
    if name in ("bias", "flex_attention"):  # loaded when they are first named
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
