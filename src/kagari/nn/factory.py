"""Keyword arguments that say how parameters are made."""

from typing import Any

_NAMES = ("device", "dtype", "memory_format")


def factory_kwargs(kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """`device`, `dtype` and `memory_format` of keyword arguments, where they stand or in the
    dictionary `factory_kwargs` among them.

    TypeError for other names, and for what is given twice.

    >>> factory_kwargs({"device": "cpu", "factory_kwargs": {"dtype": kagari.float64}})
    {'dtype': torch.float64, 'device': 'cpu'}
    """
    if kwargs is None:
        return {}
    unknown = {name for name in kwargs if name not in (*_NAMES, "factory_kwargs")}
    if unknown:
        raise TypeError(f"unexpected kwargs {unknown}")
    found = dict(kwargs.get("factory_kwargs", {}))
    unknown = {name for name in found if name not in _NAMES}
    if unknown:
        raise TypeError(f"unexpected kwargs {unknown} in factory_kwargs")
    for name in _NAMES:
        if name in kwargs:
            if name in found:
                raise TypeError(f"{name} specified twice, in **kwargs and in factory_kwargs")
            found[name] = kwargs[name]
    return found
