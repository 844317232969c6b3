"""Instance normalisation under the name PyTorch's file has; the classes are in batchnorm.py."""

from .batchnorm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]
