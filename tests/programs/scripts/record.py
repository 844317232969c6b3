"""What a program has computed, as one line of JSON per name: how it is compared with PyTorch's."""

import json


def record(name, value):
    """Prints a name with numbers: a tensor's, nested lists' or a number's, at most 64 of them."""
    if hasattr(value, "detach"):
        flat = value.detach().float().flatten()
        step = max(1, flat.numel() // 64)
        numbers = [float(flat.abs().sum()), *flat[::step][:64].tolist()]
        print(json.dumps({"name": name, "shape": list(value.shape), "values": numbers}))
    else:
        values = value if isinstance(value, list | tuple) else [value]
        print(json.dumps({"name": name, "shape": [len(values)], "values": list(values)}))


def train(model, loss_of, steps=5, lr=0.01, momentum=0.9):
    """Five steps of SGD; records each loss and, at the first, the gradients' sizes."""
    import torch

    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        if step == 0:
            sizes = [float(p.grad.abs().sum()) for p in model.parameters() if p.grad is not None]
            record("gradients", sizes)
        optimizer.step()
        losses.append(float(loss))
    record("losses", losses)
