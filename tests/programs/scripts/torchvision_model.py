"""torchvision: a model by name, its outputs and five steps."""

import sys

import torch
import torchvision
from record import record, train

torch.manual_seed(0)
name, size = sys.argv[1], int(sys.argv[2])
options = {"image_size": size} if "vit" in name else {}
model = torchvision.models.get_model(name, weights=None, num_classes=7, **options)
images, labels = torch.randn(2, 3, size, size), torch.tensor([1, 5])
model.eval()
with torch.no_grad():
    record("logits", model(images))
model.train()
torch.manual_seed(1)
train(model, lambda model: torch.nn.functional.cross_entropy(model(images), labels))
