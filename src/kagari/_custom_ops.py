"""Older names of what kagari.library does."""

from kagari.library import register_fake as impl_abstract

__all__ = ["impl_abstract"]
