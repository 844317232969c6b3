"""einops: rearrange, reduce, repeat, einsum, pack and its layers, forward and backward."""

import torch
from einops import einsum, pack, rearrange, reduce, repeat, unpack
from einops.layers.torch import EinMix, Rearrange, Reduce
from record import record, train

torch.manual_seed(0)
x = torch.randn(2, 3, 8, 8, requires_grad=True)
patches = rearrange(x, "b c (h p) (w q) -> b (h w) (p q c)", p=2, q=2)
repeated = repeat(reduce(patches, "b n d -> b d", "mean"), "b d -> b k d", k=3)
similar = einsum(repeated, repeated, "b k d, b j d -> b k j")
similar.logsumexp((1, 2)).sum().backward()
record("similar", similar)
record("gradient", x.grad)
packed, shapes = pack([x, x[:, 0]], "b *")
record("packed", packed)
record("unpacked", unpack(packed, shapes, "b *")[1])
model = torch.nn.Sequential(
    Rearrange("b c h w -> b (h w) c"),
    EinMix("b n c -> b n d", weight_shape="c d", bias_shape="d", c=3, d=5),
    Reduce("b n d -> b d", "max"),
)
record("layers", model(x))
train(model, lambda model: (model(x.detach()) ** 2).mean())
