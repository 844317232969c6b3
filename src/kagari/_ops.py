"""The ops of the core as functions: those of this namespace, and beside them, for the modules made
of them, the ones that the core binds elsewhere or nowhere."""

from . import _C

for _place in ("ops", "functions.nn", "functions."):
    globals().update(_C.places[_place])
__all__ = list(_C.places["functions."])
