"""Switches of the libraries under PyTorch, for programs that set them. What kagari does not have is
not available; what it always does cannot be switched off."""

from . import cpu, cuda, cudnn, mkldnn, mps, openmp

__all__ = ["cpu", "cuda", "cudnn", "mkldnn", "mps", "openmp"]
