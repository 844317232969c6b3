"""What torchvision keeps in a compiled extension, as kagari's ops."""

from . import ops as ops
