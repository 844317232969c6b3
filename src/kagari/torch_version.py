"""TorchVersion: a version that is a string and compares as a version."""

import re
from typing import Any

__all__ = ["TorchVersion"]


def _parts(version: str) -> tuple[int, ...]:
    """The numbers of a release, without zeros at its end: "2.13.0+cpu" is (2, 13)."""
    release = re.split(r"[^\d.]", version)[0]
    numbers = [int(number) for number in release.split(".") if number]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _key(version: Any) -> tuple[Any, ...]:
    """What versions are ordered by: their numbers, then pre-releases before the release."""
    if isinstance(version, str):
        before = re.match(r"[\d.]+\.?(dev|a|b|rc)(\d*)", version)
        rank = ("dev", "a", "b", "rc").index(before[1]) if before else 4
        return _parts(version), rank, int(before[2] or 0) if before else 0
    if isinstance(version, tuple | list):
        return _key(".".join(str(part) for part in version))
    return _key(str(version))


class TorchVersion(str):
    """A string like "2.13.0" that is compared by its numbers, with strings, tuples and versions.

    >>> TorchVersion("2.13.0") > "2.9", TorchVersion("2.13.0") >= (2, 13)
    (True, True)
    """

    def __lt__(self, other: Any) -> bool:
        return _key(str(self)) < _key(other)

    def __le__(self, other: Any) -> bool:
        return _key(str(self)) <= _key(other)

    def __gt__(self, other: Any) -> bool:
        return _key(str(self)) > _key(other)

    def __ge__(self, other: Any) -> bool:
        return _key(str(self)) >= _key(other)

    def __eq__(self, other: object) -> bool:
        return _key(str(self)) == _key(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__
