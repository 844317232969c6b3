"""Batching rules of the ops, by family. An op without one is an error that names it."""

from . import index, linalg, movement, nn, random, reduce, spectral
from .samples import RULES, Samples

__all__ = [
    "RULES", "Samples", "index", "linalg", "movement", "nn", "random", "reduce", "spectral",
]  # fmt: skip
