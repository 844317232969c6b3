"""Joining, repeating, turning, triangles, diagonals and grids."""

import pytest
import torch

from tests.ops.beside_torch import layouts
from tests.ops.same_code import agree, gradients_agree

JOINS = [
    "lib.cat([x, s], 1)", "lib.cat([x, s[:, :2]], 1)", "lib.cat([x, s[:, :2]], 0)",
    "lib.cat([], 0)",
    "lib.cat([x, s[0]])", "lib.cat([x.flatten()[:0], x], 1)", "lib.cat([x, x.flatten()[:0]], -1)",
    "lib.cat((x, s, x), 2)", "lib.cat([x, s.double()])", "lib.cat([x, x > 0])", "lib.cat([x], 3)",
    "lib.cat([x[0, 0, 0], x])", "lib.cat([x[:0], x[:0]])", "lib.stack([x, s], 1)",
    "lib.stack([x, s], -1)",
    "lib.stack([x[0, 0, 0]] * 3)", "lib.stack([x, s[:1]])", "lib.stack([])", "lib.stack([x], 5)",
    "lib.hstack([x, s])", "lib.hstack([x[0, 0], s[0, 0]])", "lib.vstack([x[0, 0], s[0, 0]])",
    "lib.dstack([x[0], s[0]])", "lib.concat([x, s], dim=1)", "lib.concatenate([x, s])",
    "lib.column_stack([x[0, 0], s[0, 0]])", "lib.block_diag(x[0], s[0, 0], x[0, 0, 0])",
    "lib.cat([x.mT, s.mT], 0)", "lib.row_stack([x, s])", "lib.cat([x, x], out=x[:0].clone())",
]  # fmt: skip
MOVES = [
    "lib.flip(x, [0, 2])", "x.flip(1)", "x.flip(0, 0)", "x.flip(3)", "lib.fliplr(x)",
    "lib.flipud(x)",
    "lib.roll(x, 2)", "lib.roll(x, -7)", "lib.roll(x, [1, -1], [0, 2])", "lib.roll(x, 1, [0, 1])",
    "lib.rot90(x)", "lib.rot90(x, 2)", "lib.rot90(x, 3, [1, 2])", "lib.rot90(x, 4)",
    "lib.rot90(x, 1, [0])",
    "x.repeat(2, 1, 1, 2)", "x.repeat(1)", "x.repeat(0, 1, 1)", "lib.tile(x, (2,))",
    "x.tile(2, 1, 1, 1)",
    "x.repeat_interleave(2)", "x.repeat_interleave(2, dim=1)", "lib.repeat_interleave(n)",
    "x.repeat_interleave(n, dim=0)", "x.repeat_interleave(n, dim=1)", "x.repeat_interleave(-1)",
    "lib.tril(x)", "lib.triu(x, 1)", "lib.triu(x, -1)", "lib.tril(x, -9)", "lib.tril(x[0, 0])",
    "x.tril_()", "lib.diag(x[0, 0])", "lib.diag(x[0], 1)", "lib.diag(x)", "lib.diag_embed(x)",
    "lib.diag_embed(x, 1, 0, 2)", "lib.diag_embed(x, -1)", "lib.diagflat(x[0])",
    "lib.diag(x[0], -1)",
    "x[0].fill_diagonal_(7)", "x.reshape(15, 4).fill_diagonal_(7, wrap=True)",
]  # fmt: skip
GRIDS = [
    "lib.meshgrid(n, x[0, 0], indexing='ij')", "lib.meshgrid([n, x[0, 0], n], indexing='xy')",
    "lib.meshgrid(x, indexing='ij')", "lib.cartesian_prod(n, x[0, 0])", "lib.cartesian_prod(n)",
    "lib.combinations(n)", "lib.combinations(n, 3)", "lib.combinations(n, 2, True)",
    "lib.combinations(n, 0)", "lib.combinations(x)", "lib.tril_indices(3, 4)",
    "lib.tril_indices(3, 4, -1)",
    "lib.triu_indices(4, 3, 1)", "lib.triu_indices(4, 3, -2)", "lib.triu_indices(-1, 3)",
    "lib.unravel_index(n, (2, 2))",
]  # fmt: skip


@pytest.mark.parametrize("code", JOINS + MOVES + GRIDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
def test_values(code: str, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    x, s = (torch.randn(3, 4, 5) * 3).to(dtype), (torch.randn(3, 4, 5) * 3).to(dtype)
    n = torch.tensor([2, 0, 1])
    agree(lambda lib, x, s, n: eval(code), x, s, n, exact=True)
    if ".reshape(15, 4).fill" not in code:
        agree(lambda lib, x, s, n: eval(code), layouts(x)["transposed"], s, n, exact=True)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float16, torch.bfloat16,
                                   torch.complex64, torch.complex128])  # fmt: skip
@pytest.mark.parametrize("code", ["lib.cat([x, x], 1)", "lib.stack([x, x], 1)", "x.flip(1)",
                                  "lib.tril(x)",
                                  "x.repeat(2, 3)", "lib.diag(x)"])  # fmt: skip
def test_every_size_of_element(code: str, dtype: torch.dtype) -> None:
    agree(lambda lib, x: eval(code), torch.arange(6).reshape(2, 3).to(dtype), exact=True)


@pytest.mark.parametrize("code", [
    "lib.cat([x, s], 1)", "lib.cat([x, s[:, :2], x], 1)", "lib.stack([x, s], 1)",
    "lib.hstack([x, s])",
    "lib.block_diag(x[0], s[0])", "lib.flip(x, [0, 2])", "lib.roll(x, [1, -1], [0, 2])",
    "lib.rot90(x)",
    "x.repeat(2, 1, 1, 2)", "x.repeat_interleave(n, dim=0)", "lib.tril(x)", "lib.triu(x, 1)",
    "lib.diag(x[0, 0])", "lib.diag(x[0], 1)", "lib.diag_embed(x)",
    "lib.cartesian_prod(x[0, 0], s[0, 0])",
    "(x * 1).tril_()", "lib.cat([x.float(), s], 1)",
])  # fmt: skip
def test_gradients(code: str) -> None:
    torch.manual_seed(0)
    x, s = (torch.randn(3, 4, 5, dtype=torch.float64) for _ in range(2))
    gradients_agree(lambda lib, x, s, n: eval(code) ** 2, x, s, torch.tensor([2, 0, 1]))
