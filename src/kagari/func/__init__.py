"""Transforms of functions: what torch.func offers."""

from .mapping import vmap

__all__ = ["vmap"]
