"""What tests of programs need: comparing values with tolerances fit for their dtype."""

from .comparison import assert_close, default_tolerances

__all__ = ["assert_close", "default_tolerances"]
