"""Switches of the libraries under PyTorch, for programs that set them. What kagari does not have is
not available; what it always does cannot be switched off."""

from . import cuda, cudnn, mkldnn, mps, openmp

__all__ = ["cuda", "cudnn", "mkldnn", "mps", "openmp"]
