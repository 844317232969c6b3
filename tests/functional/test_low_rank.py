"""svd_lowrank, pca_lowrank, lobpcg: what holds for the exact decompositions."""

import pytest

import kagari


def _of_rank(m, n, rank, dtype=kagari.float64):
    return kagari.randn(m, rank, dtype=dtype) @ kagari.randn(rank, n, dtype=dtype)


@pytest.mark.parametrize("dtype", [kagari.float64, kagari.complex128], ids=str)
@pytest.mark.parametrize("shape", [(9, 6), (6, 9)])
def test_svd(shape, dtype):
    A = _of_rank(*shape, 3, dtype)
    U, S, V = kagari.svd_lowrank(A, 4)
    assert kagari.allclose((U * S) @ V.mH, A)
    assert kagari.allclose(S[:3], kagari.linalg.svdvals(A)[:3])
    assert kagari.allclose(U.mH @ U, kagari.eye(4, dtype=dtype))
    M = kagari.randn(shape[1], dtype=dtype)
    U, S, V = kagari.svd_lowrank(A + M, 4, M=M)
    assert kagari.allclose((U * S) @ V.mH, A)


def test_svd_gradient():
    A = _of_rank(6, 5, 3).requires_grad_()

    def product(A):
        kagari.manual_seed(0)
        U, S, V = kagari.svd_lowrank(A @ A.mT, 6)
        return S[:3]

    assert kagari.autograd.gradcheck(product, (A,), atol=1e-4)


def test_pca():
    A = _of_rank(8, 5, 2) + kagari.randn(5, dtype=kagari.float64)
    U, S, V = kagari.pca_lowrank(A, 3)
    centred = A - A.mean(0)
    assert kagari.allclose((U * S) @ V.mT, centred)
    assert kagari.pca_lowrank(A, center=False)[1].shape == (5,)
    for args in ((A, 7), (A, 2, True, -1), (A.long(), 2)):
        with pytest.raises(ValueError, match="."):
            kagari.pca_lowrank(*args)


def _symmetric(n):
    A = kagari.randn(n, n, dtype=kagari.float64)
    return A + A.mT


@pytest.mark.parametrize("largest", [True, False])
def test_lobpcg(largest):
    A = _symmetric(30)
    B = kagari.eye(30, dtype=kagari.float64) + 0.1 * _symmetric(30).square().mean()
    for metric in (None, B):
        values, vectors = kagari.lobpcg(A, 3, metric, largest=largest)
        left = vectors if metric is None else metric @ vectors
        assert kagari.allclose(A @ vectors, left * values, atol=1e-4)
        assert kagari.allclose(vectors.mT @ left, kagari.eye(3, dtype=A.dtype), atol=1e-8)
    exact = kagari.linalg.eigvalsh(A)
    exact = exact.flip(0)[:3] if largest else exact[:3]
    assert kagari.allclose(kagari.lobpcg(A, 3, largest=largest)[0], exact, rtol=1e-6)


def test_lobpcg_of_stacks_and_its_gradient():
    stack = kagari.stack([_symmetric(12), _symmetric(12)])
    values, vectors = kagari.lobpcg(stack, 2, X=kagari.randn(2, 12, 3, dtype=kagari.float64))
    assert kagari.allclose(stack @ vectors, vectors * values.unsqueeze(-2), atol=1e-4)
    A = _symmetric(6).requires_grad_()
    assert kagari.autograd.gradcheck(lambda A: kagari.lobpcg((A + A.mT) / 2, 2)[0], (A,))


@pytest.mark.parametrize(
    ("error", "options"),
    [
        (ValueError, {"k": 3}), (ValueError, {"method": "quick"}), (ValueError, {"k": 2, "n": 1}),
        (NotImplementedError, {"tracker": print}),
    ],
)  # fmt: skip
def test_lobpcg_errors(error, options):
    with pytest.raises(error):
        kagari.lobpcg(kagari.eye(6), **options)
