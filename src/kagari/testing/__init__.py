"""What tests of programs need: comparing values with tolerances fit for their dtype; data."""

from .comparison import assert_allclose, assert_close, default_tolerances
from .creation import make_tensor

__all__ = ["assert_allclose", "assert_close", "default_tolerances", "make_tensor"]
