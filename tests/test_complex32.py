"""Complex numbers of two halves: stored so, computed in complex64, compared with PyTorch."""

import io
import warnings

import numpy as np
import pytest
import torch

import kagari

VALUES = [[1 + 2j, 3 - 1j], [0.5 + 0j, -2j], [100 - 7j, 1e-3 + 4j]]


def pair(requires_grad: bool = False) -> list:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch calls its own complex32 experimental
        theirs = torch.tensor(VALUES, dtype=torch.complex32)
    return [kagari.tensor(VALUES, dtype=kagari.complex32), theirs]


def same(ours, theirs, tolerance: float = 1e-3) -> None:
    assert str(ours.dtype) == str(theirs.dtype)
    wide = np.asarray(ours.cfloat() if ours.is_complex() else ours.float())
    expected = (theirs.cfloat() if theirs.is_complex() else theirs.float()).numpy()
    np.testing.assert_allclose(wide, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    "call",
    [
        lambda t, x: x * x, lambda t, x: x + 1.5, lambda t, x: x - 2j * x, lambda t, x: x.abs(),
        lambda t, x: x.real, lambda t, x: x.imag, lambda t, x: x.conj().resolve_conj(),
        lambda t, x: x.sgn(), lambda t, x: -x, lambda t, x: x.t().contiguous(),
        lambda t, x: t.cat([x, x], 1), lambda t, x: x[1:, 0],
        lambda t, x: t.where(x == x, x, 0 * x),
        lambda t, x: t.ones(2, dtype=t.float16) * 1j, lambda t, x: x.cdouble(),
        lambda t, x: x.cfloat().chalf(),
        lambda t, x: t.zeros_like(x).index_fill(0, t.tensor([1]), 2j),
        lambda t, x: t.complex(t.ones(2, dtype=t.float16), t.ones(2, dtype=t.float16)),
        lambda t, x: t.view_as_complex(t.ones(3, 2, dtype=t.float16)),
        lambda t, x: x.to(t.complex64) * x, lambda t, x: t.isfinite(x), lambda t, x: x == x[0],
    ],
)  # fmt: skip
def test_values(call):
    ours, theirs = pair()
    same(call(kagari, ours), call(torch, theirs))


def test_what_pytorch_lacks_is_summed_in_complex64():
    ours, _ = pair()
    expected = np.asarray(VALUES).sum(0)
    assert ours.sum(0).dtype == kagari.complex32
    np.testing.assert_allclose(np.asarray(ours.sum(0).cfloat()), expected, rtol=1e-3)


def test_gradient():
    grads = []
    for x in pair():
        x.requires_grad_()
        (x * (1 + 2j)).abs().float().sum().backward()
        grads.append(x.grad)
    same(*grads, tolerance=3e-3)


def test_gradients_through_parts():
    grads = []
    for t, x in zip((kagari, torch), pair(), strict=True):
        x.requires_grad_()
        turned = t.complex(x.imag, x.real * 2)
        (turned.real * turned.imag).sum().backward()
        grads.append(x.grad)
    same(*grads, tolerance=3e-3)


def test_same_numbers_from_the_same_seed():
    for size in (3, 40):
        kagari.manual_seed(1), torch.manual_seed(1)
        same(
            kagari.randn(size, dtype=kagari.complex32), torch.randn(size, dtype=torch.complex32), 0
        )


def test_exchange():
    ours, theirs = pair()
    same(ours, torch.from_dlpack(ours), 0)
    file = io.BytesIO()
    kagari.save(ours, file)
    file.seek(0)
    same(ours, torch.load(file), 0)
    assert repr(ours) == repr(theirs) and ours.tolist() == theirs.tolist()
    with pytest.raises(TypeError, match="complex32"):
        ours.numpy()


def test_no_matrix_product():
    ours, _ = pair()
    with pytest.raises((NotImplementedError, RuntimeError), match="complex32|ComplexHalf"):
        ours @ ours.t()
