"""What the namespace says of itself: capabilities, devices and dtypes."""

from typing import Any

import kagari

from ._dtypes import dtypes_of


class Info:
    """The answer of __array_namespace_info__()."""

    def capabilities(self) -> dict[str, Any]:
        """Boolean masks and results whose size depends on values are there; any rank."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": None}

    def default_device(self) -> Any:
        """Where arrays are made if nothing is said."""
        return kagari.get_default_device()

    def devices(self) -> list[Any]:
        """Where arrays can be computed with."""
        return [kagari.device("cpu")]

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtypes of results for which none is given."""
        real = kagari.get_default_dtype()
        return {
            "real floating": real,
            "complex floating": real.to_complex(),
            "integral": kagari.int64,
            "indexing": kagari.int64,
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """The standard's dtypes by name, of one kind or of a tuple of kinds.

        >>> sorted(kagari.array_api.__array_namespace_info__().dtypes(kind="bool"))
        ['bool']
        """
        kinds = (
            ("bool", "numeric") if kind is None else kind if isinstance(kind, tuple) else (kind,)
        )
        return {name: dtype for part in kinds for name, dtype in dtypes_of(part).items()}


def __array_namespace_info__() -> Info:
    """Capabilities, devices and dtypes.

    >>> kagari.array_api.__array_namespace_info__().default_device()
    device(type='cpu')
    """
    return Info()
