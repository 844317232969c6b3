"""einsum against PyTorch: equations of every kind, two derivatives, errors."""

import pytest
import torch

from .pairs import compare, same_error
from .test_matmul import make

CASES = [
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 4)]), ("ii->i", [(3, 3)]),
    ("ii", [(3, 3)]), ("ij->ji", [(2, 3)]), ("ij->", [(2, 3)]), ("i,j->ij", [(2,), (3,)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]), ("...ij,...jk->...ik", [(2, 1, 3, 4), (5, 4, 2)]),
    ("...ii->...i", [(2, 3, 3)]), ("bn,anm,bm->ba", [(2, 3), (5, 3, 4), (2, 4)]),
    ("i,i->", [(3,), (3,)]), ("ijk,k->ij", [(2, 3, 4), (4,)]), ("iij,j->i", [(3, 3, 2), (2,)]),
    ("ij,ij->ij", [(2, 3), (2, 3)]), ("ij,kl->ijkl", [(2, 3), (4, 5)]), (" i j , j k -> i k ",
    [(2, 3), (3, 4)]), ("ij,j->i", [(2, 1), (3,)]), ("ij,ij->i", [(2, 1), (2, 3)]),
    ("...,...->...", [(2, 3), (3,)]), ("...a->a...", [(2, 3, 4)]), ("a...b", [(2, 3, 4)]),
    ("ij,jk->ik", [(0, 3), (3, 4)]), ("ij,jk->ik", [(2, 0), (0, 4)]), ("->", [()]),
    ("Ab,bC->AC", [(2, 3), (3, 4)]), ("abc,cd,be->ade", [(2, 3, 4), (4, 2), (3, 5)]),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex128], ids=str)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_einsum(case: tuple, dtype: torch.dtype) -> None:
    equation, shapes = case
    compare(
        lambda lib, *a: lib.einsum(equation, *a), *(make(*s, dtype=dtype) for s in shapes), scale=10
    )


def test_sublists() -> None:
    a, b = make(2, 3), make(3, 4)
    compare(lambda lib, a, b: lib.einsum(a, [0, 1], b, [1, 2], [0, 2]), a, b)
    compare(lambda lib, a, b: lib.einsum(a, [0, 1], b, [1, 2]), a, b)
    compare(lambda lib, a, b: lib.einsum("ij,jk", [a, b]), a, b)


ERRORS = {
    "size": ("ij,jk->ik", [(2, 3), (4, 5)]),
    "rank": ("ij->i", [(2, 3, 4)]),
    "too few": ("ij,jk->ik", [(2, 3)]),
    "too many": ("ij->i", [(2, 3), (2, 3)]),
    "unknown output": ("ij->k", [(2, 3)]),
    "repeated output": ("ij->ii", [(2, 3)]),
    "diagonal": ("ii->i", [(2, 3)]),
    "symbol": ("i1->i", [(2, 3)]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    equation, shapes = ERRORS[name]
    same_error(lambda lib, *a: lib.einsum(equation, *a), *(torch.ones(s) for s in shapes))
