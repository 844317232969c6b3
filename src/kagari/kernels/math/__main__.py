"""Prints docs/accuracy.md."""

from .accuracy import page

print(page(), end="")
