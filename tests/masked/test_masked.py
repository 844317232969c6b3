"""torch.masked beside PyTorch: reductions, scans and normalisations under masks."""

import pytest
import torch

import kagari
from tests.ops.beside_torch import compare, compare_gradients, sample

X = sample(torch.float64, 3, 4)
MASK = torch.tensor([[1, 0, 1, 1], [0, 0, 0, 1], [1, 1, 1, 1]]).bool()
REDUCTIONS = ("sum", "prod", "amax", "amin", "mean", "norm", "var", "std", "logsumexp")
SCANS = ("cumsum", "cumprod", "softmax", "log_softmax", "softmin")
DTYPES = (torch.uint8, torch.int32, torch.int64, torch.float16, torch.float32, torch.complex64)


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name):
    before = (2.0,) if name == "norm" else ()
    for mask in (None, MASK, MASK[:1], MASK[0], MASK.to(torch.int64), torch.zeros_like(MASK)):
        for dim in (None, 0, (1,), (0, -1), ()):
            for keepdim in (False, True):
                compare(f"masked.{name}", X, *before, dim, keepdim=keepdim, mask=mask)
    compare(f"masked.{name}", X.float(), *before, 1, dtype=torch.float64, mask=MASK)
    compare_gradients(f"masked.{name}", X.clone().requires_grad_(), *before, 1, mask=None, scale=10)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_dtypes(dtype):
    x = sample(dtype, 3, 4)
    names = ["sum", "prod", "var", "std"]
    names += [] if dtype.is_complex else ["amax", "amin", "argmax", "argmin"]
    for name in names:
        compare(f"masked.{name}", x, 1, mask=MASK, scale=10)
    if dtype.is_floating_point or dtype.is_complex:
        compare("masked.mean", x, 1, mask=MASK)
        compare("masked.normalize", x, 2.0, 1, mask=MASK)
    compare("masked.cumsum", x, 0, mask=MASK)
    compare("masked.sum", x, dtype=torch.complex128 if dtype.is_complex else torch.float64)


@pytest.mark.parametrize("name", SCANS)
def test_along(name):
    for mask in (None, MASK, MASK[0]):
        compare(f"masked.{name}", X, 1, mask=mask)
        compare(f"masked.{name}", X.float(), 0, dtype=torch.float64, mask=mask)
    compare_gradients(f"masked.{name}", X.clone().requires_grad_(), 1, scale=10)


def test_others():
    compare("masked.argmax", X, 1, mask=MASK)
    compare("masked.argmin", X, None, mask=MASK, dtype=torch.int64)
    compare("masked.median", X, 1, mask=MASK)
    compare("masked.median", X.to(torch.int64), 1, mask=MASK, keepdim=True)
    compare("masked.norm", X, float("-inf"), 1, mask=MASK)
    compare("masked.norm", X, float("inf"), 1, mask=torch.zeros_like(MASK))
    compare("masked.var", X, 1, False, mask=MASK)
    compare("masked.var", X, 1, correction=2, mask=MASK)
    compare("masked.logaddexp", X, X, input_mask=MASK, other_mask=~MASK)
    compare("masked.sum", torch.tensor(2.0), mask=torch.tensor(False))
    assert not kagari.masked.is_masked_tensor(kagari.ones(1))


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (RuntimeError, lambda m, x: m.sum(x, (0, 0))),
        (IndexError, lambda m, x: m.sum(x, 2)),
        (IndexError, lambda m, x: m.sum(x, mask=kagari.ones(1, 2, 2))),
        (RuntimeError, lambda m, x: m.sum(x, mask=kagari.ones(3))),
        (ValueError, lambda m, x: m.mean(x.long())),
        (ValueError, lambda m, x: m.median(x.long(), 0, mask=x < 0)),
        (NotImplementedError, lambda m, x: m.amax(x > 0, 0, mask=x > 0)),
        (AssertionError, lambda m, x: m.var(x, 0, True, correction=1)),
        (RuntimeError, lambda m, x: m.norm(x.long())),
    ],
)
def test_errors(error, call):
    with pytest.raises(error):
        call(kagari.masked, kagari.ones(2, 2))
