"""The extensions linalg and fft of the array API standard."""

import numpy
import pytest

import kagari

from .beside_numpy import COMPLEX, REAL, agree, ours, same, values, xp

FLOATING = REAL + COMPLEX


def matrices(dtype, *shape):
    """Well-conditioned matrices."""
    return values(dtype, shape, 3) + 9 * numpy.eye(shape[-2], shape[-1], dtype=dtype)


def hermitian(dtype, *shape):
    a = matrices(dtype, *shape)
    return (a + a.conj().swapaxes(-1, -2)).astype(dtype)


@pytest.mark.parametrize("dtype", FLOATING)
def test_values(dtype):
    a = matrices(dtype, 2, 3, 3)
    agree("linalg.det", a, rtol=1e-4)
    agree("linalg.slogdet", a, rtol=1e-4)
    agree("linalg.inv", a, rtol=1e-4)
    agree("linalg.pinv", a[:, :2], rtol=1e-4)
    agree("linalg.matrix_power", a, 3, rtol=1e-4)
    agree("linalg.matrix_power", a, -2, rtol=1e-3)
    agree("linalg.matrix_power", a, 0)
    agree("linalg.matrix_rank", a)
    agree("linalg.svdvals", a, rtol=1e-4)
    agree("linalg.eigvalsh", hermitian(dtype, 2, 3, 3), rtol=1e-4)
    agree("linalg.cholesky", hermitian(dtype, 2, 3, 3), rtol=1e-4)
    agree("linalg.cholesky", hermitian(dtype, 3, 3), upper=True, rtol=1e-4)


def test_rank_with_a_tolerance():
    a = numpy.diag([1.0, 1e-3, 1e-9])
    for rtol in (None, 1e-2, 1e-6):
        agree("linalg.matrix_rank", a, rtol=rtol)
    agree("linalg.pinv", a, rtol=1e-6)


@pytest.mark.parametrize("dtype", FLOATING)
def test_factorisations(dtype):
    a = ours(matrices(dtype, 2, 4, 3))
    for mode in ("reduced", "complete"):
        q, r = found = xp.linalg.qr(a, mode=mode)
        assert found._fields == ("Q", "R")
        assert q.shape[-1] == r.shape[-2] == (3 if mode == "reduced" else 4)
        same(q @ r, a.numpy(), atol=1e-4)
    with pytest.raises(ValueError, match="mode"):
        xp.linalg.qr(a, mode="r")
    for full in (True, False):
        found = xp.linalg.svd(a, full_matrices=full)
        assert found._fields == ("U", "S", "Vh") and found.U.shape[-1] == (4 if full else 3)
        same((found.U[..., :3] * found.S[:, None].to(a.dtype)) @ found.Vh, a.numpy(), atol=1e-4)
    h = ours(hermitian(dtype, 2, 3, 3))
    found = xp.linalg.eigh(h)
    assert found._fields == ("eigenvalues", "eigenvectors")
    scaled = found.eigenvectors * found.eigenvalues[:, None].to(h.dtype)
    same(scaled @ found.eigenvectors.mT.conj(), h.numpy(), atol=1e-4)
    assert xp.linalg.slogdet(h)._fields == ("sign", "logabsdet")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3, 3), (3,)),
        ((3, 3), (3, 2)),
        ((3, 3, 3), (3, 3)),  # matrices for every matrix, not a batch of vectors
        ((2, 3, 3), (3,)),
        ((2, 3, 3), (2, 3, 4)),
        ((2, 1, 3, 3), (5, 3, 4)),
    ],
)
def test_solve(left, right):
    agree("linalg.solve", matrices("float64", *left), values("float64", right))


@pytest.mark.parametrize("dtype", FLOATING)
def test_norms(dtype):
    a = values(dtype, (2, 3, 4))
    for ord in (0, 1, 2, 2.5, -1, numpy.inf, -numpy.inf):
        for axis in (None, 0, (0, 2)):
            agree("linalg.vector_norm", a + 1, ord=ord, axis=axis, rtol=1e-4)
    agree("linalg.vector_norm", a, keepdims=True)
    agree("linalg.vector_norm", a, axis=1, keepdims=True)
    same(xp.linalg.vector_norm(ours(a), axis=()), numpy.abs(a))
    for ord in ("fro", "nuc", 1, 2, -1, -2, numpy.inf, -numpy.inf):
        agree("linalg.matrix_norm", a, ord=ord, rtol=1e-3)
    agree("linalg.matrix_norm", a, keepdims=True)


# --- fft -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("dtype", FLOATING)
def test_transforms(dtype, norm):
    a = values(dtype, (3, 4, 6))
    names = ["fft", "ifft", "hfft", "irfft"] + (["rfft", "ihfft"] if dtype in REAL else [])
    for name in names:
        for n in (None, 5, 8):
            agree(f"fft.{name}", a, n=n, axis=1, norm=norm, rtol=1e-4, atol=1e-4)
        agree(f"fft.{name}", a, norm=norm, rtol=1e-4, atol=1e-4)
    for name in ["fftn", "ifftn", "irfftn"] + (["rfftn"] if dtype in REAL else []):
        agree(f"fft.{name}", a, norm=norm, rtol=1e-4, atol=1e-4)
        agree(f"fft.{name}", a, s=(4, 5), axes=(0, 2), norm=norm, rtol=1e-4, atol=1e-4)
    for name in ("fftshift", "ifftshift"):
        agree(f"fft.{name}", a)
        agree(f"fft.{name}", a, axes=1)
        agree(f"fft.{name}", a, axes=(0, 2))


def test_frequencies():
    for n in (1, 4, 5):
        for name in ("fftfreq", "rfftfreq"):
            wanted = getattr(numpy.fft, name)(n, 0.5)
            same(getattr(xp.fft, name)(n, d=0.5), wanted.astype("float32"))
            same(getattr(xp.fft, name)(n, d=0.5, dtype=kagari.float64), wanted)
    assert xp.fft.fftfreq(4, device="meta").is_meta
