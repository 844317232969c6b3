"""The names that linear algebra has outside kagari.linalg: kagari.det, Tensor.inverse, ...

kagari.linalg itself is imported at the first call of one of them.
"""

from collections.abc import Callable
from typing import Any

# name here and as a method of Tensor: module and name of the function
_FUNCTIONS = {
    "cholesky": "older.cholesky", "det": "systems.det", "inverse": "systems.inv",
    "slogdet": "systems.slogdet", "pinverse": "older.pinverse",
    "matrix_exp": "matrices.matrix_exp", "matrix_power": "matrices.matrix_power",
    "logdet": "older.logdet", "cholesky_solve": "older.cholesky_solve",
    "cholesky_inverse": "older.cholesky_inverse", "qr": "older.qr", "svd": "older.svd",
    "lu_solve": "older.lu_solve", "triangular_solve": "older.triangular_solve",
    "lu": "older.lu", "lu_unpack": "lu_factors.lu_unpack", "geqrf": "reflectors.geqrf",
    "orgqr": "reflectors.householder_product", "ormqr": "reflectors.ormqr",
}  # fmt: skip


def _late(name: str, target: str) -> Callable[..., Any]:
    module, function = target.split(".")

    def call(*args: Any, **kwargs: Any) -> Any:
        from importlib import import_module

        found = getattr(import_module(f"kagari.linalg.{module}"), function)
        return found(*args, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"See kagari.linalg.{function}."
    return call


METHODS = {name: _late(name, target) for name, target in _FUNCTIONS.items()}
globals().update(METHODS)
__all__ = list(_FUNCTIONS)
