"""The ops of the core as functions of this namespace."""

from . import _C

globals().update(_C.places["functions."])
__all__ = list(_C.places["functions."])
