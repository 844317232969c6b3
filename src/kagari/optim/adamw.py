"""AdamW under the name of its module in PyTorch; the class is in adam.py."""

from .adam import AdamW

__all__ = ["AdamW"]
