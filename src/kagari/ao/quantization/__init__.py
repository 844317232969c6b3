"""The places in a model where values become quantised and floating again, and no more yet.

Until a model is converted they pass values on, as in PyTorch; converting is not here
(docs/not_supported.md).
"""

from .stubs import DeQuantStub, QuantStub, QuantWrapper

__all__ = ["DeQuantStub", "QuantStub", "QuantWrapper"]
