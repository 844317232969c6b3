"""torch.ao: quantisation, of which there is little yet."""

from . import quantization as quantization
