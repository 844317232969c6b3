"""torch.signal.windows: symmetric windows, or with sym=False periodic ones, by their shape."""

from .bells import cosine, exponential, gaussian, kaiser
from .sums import (
    bartlett,
    blackman,
    general_cosine,
    general_hamming,
    hamming,
    hann,
    nuttall,
)

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine",
    "general_hamming", "hamming", "hann", "kaiser", "nuttall",
]  # fmt: skip
