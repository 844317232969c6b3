"""timm: a model by name, its outputs, features and five steps."""

import sys

import timm
import torch
from record import record, train

torch.manual_seed(0)
name, size = sys.argv[1], int(sys.argv[2])
options = {"img_size": size} if "vit" in name else {}
model = timm.create_model(name, pretrained=False, num_classes=7, **options)
images, labels = torch.randn(2, 3, size, size), torch.tensor([1, 5])
model.eval()
with torch.no_grad():
    record("logits", model(images))
    record("features", model.forward_features(images))
    record("parameters", [sum(p.numel() for p in model.parameters())])
model.train()
torch.manual_seed(1)
train(model, lambda model: torch.nn.functional.cross_entropy(model(images), labels))
