"""A program that a type checker rejects, at each line that says so. Never run."""

import kagari as torch
from kagari import Tensor


def wrong(x: Tensor) -> None:
    torch.exponent(x)  # error: attr-defined
    x.exponent()  # error: attr-defined
    torch.exp("x")  # error: arg-type
    torch.exp(x, 2)  # error: call-arg
    torch.exp(x, outt=x)  # error: call-arg
    torch.add(x, "2")  # error: arg-type
    torch.matmul(x, 2)  # error: arg-type
    torch.flip(x, dims=[0.5])  # error: list-item
    x.softmax(dim="last")  # error: arg-type
    x.size(0) + "1"  # error: operator
    y: int = x.sum()  # error: assignment
    x + "text"  # error: operator
    torch.tensor([1.0]).shape = (1,)  # error: misc
    torch.special.nothing(x)  # error: attr-defined
    torch.array_api.sum(x, dim=0)  # error: call-arg
    torch.sym_sum(x=y)  # error: call-arg
