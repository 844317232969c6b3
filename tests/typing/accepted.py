"""A program that a type checker accepts: it goes through the surface once. Never run."""

from typing import assert_type

import kagari
import kagari as torch
from kagari import Tensor, nn
from kagari.nn import functional as F
from kagari.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.first = nn.Linear(4, hidden)
        self.rest = nn.Sequential(nn.ReLU(), nn.Linear(hidden, 2))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.rest(self.first(x))
        return result


def train() -> float:
    model = Net(8)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = torch.randn(16, 4), torch.randint(0, 2, (16,))
    loss = torch.zeros(())
    for inputs, targets in DataLoader(TensorDataset(x, y), batch_size=4):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
    torch.save(model.state_dict(), "model.pt")
    return float(loss)


def ops(x: Tensor) -> None:
    assert_type(torch.exp(x), Tensor)
    assert_type(torch.add(x, 2, alpha=3), Tensor)
    assert_type(x.exp().add_(1), Tensor)
    assert_type(x + 1 - x / 2.0 * 1j, Tensor)
    assert_type(1 - x, Tensor)
    assert_type(x == x, Tensor)
    assert_type(x[0, ..., None], Tensor)
    assert_type(x.sum(dim=(0, 1), keepdim=True), Tensor)
    assert_type(torch.matmul(x, x.mT) @ x, Tensor)
    assert_type(x.view(2, 3).permute(1, 0).reshape([3, 2]), Tensor)
    assert_type(torch.max(x, 0).values, Tensor)
    values, indices = x.max(1)
    assert_type(indices, Tensor)
    assert_type(torch.clamp(x, min=0.0, max=x), Tensor)
    assert_type(torch.where(x > 0, x, 0.0), Tensor)
    assert_type(torch.special.erfcx(x), Tensor)
    torch.exp(x, out=x)


def attributes(x: Tensor) -> None:
    assert_type(x.shape, torch.Size)
    assert_type(x.size(0), int)
    assert_type(x.size(), torch.Size)
    assert_type(x.stride(), tuple[int, ...])
    assert_type(x.dtype, torch.dtype)
    assert_type(x.grad, Tensor | None)
    assert_type(x.numel() + x.dim(), int)
    assert_type(bool(x), bool)
    torch.empty(2, 3, dtype=torch.float32, device=x.device)
    torch.linalg.svd(x)
    torch.fft.rfft(x, dim=-1)
    torch.FloatTensor(2, 3)
    with torch.no_grad():
        x.requires_grad_().detach().cpu().numpy()


def namespaces(x: Tensor) -> None:
    xp = kagari.array_api
    assert_type(xp.sum(x, axis=0), Tensor)
    assert_type(xp.linalg.svd(x).U, Tensor)
    assert_type(xp.add(1, x), Tensor)
    torch.testing.assert_close(x, x, rtol=1e-3, atol=0.0)
    torch.manual_seed(0)
    torch.autograd.grad(x.sum(), [x])
