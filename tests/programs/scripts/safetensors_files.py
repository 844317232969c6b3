"""safetensors.torch: tensors and models to files and back."""

import tempfile
from pathlib import Path

import torch
from record import record
from safetensors import safe_open
from safetensors.torch import load, load_file, load_model, save, save_file, save_model

torch.manual_seed(0)
folder = Path(tempfile.mkdtemp())
dtypes = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.bool)
tensors = {str(dtype): (10 * torch.randn(3, 4)).to(dtype) for dtype in dtypes}
tensors["empty"], tensors["scalar"] = torch.empty(0, 3), torch.tensor(7)
save_file(tensors, folder / "tensors.safetensors", metadata={"made": "here"})
for name, tensor in sorted(load_file(folder / "tensors.safetensors").items()):
    assert tensor.dtype == tensors[name].dtype and torch.equal(tensor, tensors[name])
    record(name, tensor)
for name, tensor in sorted(load(save(tensors)).items()):
    record("bytes " + name, tensor)
with safe_open(folder / "tensors.safetensors", framework="pt", device="cpu") as file:
    record("keys", [len(list(file.keys()))])
    record("slice", file.get_slice("torch.float32")[1:, :2])
    assert file.metadata() == {"made": "here"}
model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4))
model.append(model[0])  # shared weights
save_model(model, str(folder / "model.safetensors"))
other = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4))
other.append(other[0])
load_model(other, str(folder / "model.safetensors"))
record("model", other.eval()(torch.ones(2, 4)))
