"""transformers' ViT: classes of images, five steps."""

import torch
from record import record, train
from transformers import ViTConfig, ViTForImageClassification

torch.manual_seed(0)
config = ViTConfig(
    image_size=32, patch_size=8, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
    intermediate_size=64, num_labels=5,
)  # fmt: skip
model = ViTForImageClassification(config)
images, labels = torch.randn(2, 3, 32, 32), torch.tensor([1, 3])
out = model(images, output_hidden_states=True, labels=labels)
record("logits", out.logits)
record("hidden", out.hidden_states[1])
train(model, lambda model: model(images, labels=labels).loss)
record("larger", model(torch.randn(1, 3, 48, 48), interpolate_pos_encoding=True).logits)
