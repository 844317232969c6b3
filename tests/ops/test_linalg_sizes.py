"""Factorisations of every size: written out, by LAPACK, block by block. NumPy multiplies back."""

import numpy as np
import pytest
import torch

import kagari


@pytest.mark.parametrize("n", [1, 5, 16, 17, 100, 255, 256, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_factorisations_at_every_size(n: int, dtype: type) -> None:
    generator = np.random.default_rng(n)
    a = generator.standard_normal((2, n, n)).astype(dtype)
    if np.iscomplexobj(a):
        a += (1j * generator.standard_normal(a.shape)).astype(dtype)
    unit = n * np.finfo(dtype).eps

    def close(found: np.ndarray, expected: np.ndarray, scale: float) -> bool:
        return bool(abs(found - expected).max() <= 5 * unit * scale)

    x, b = kagari.from_numpy(a), generator.standard_normal((2, n, n // 2 + 1)).astype(dtype)
    p, lower, upper = (part.numpy() for part in kagari.linalg.lu(x))
    assert close(p @ lower @ upper, a, abs(a).max())
    solution = kagari.linalg.solve(x, kagari.from_numpy(b)).numpy()
    assert close(a @ solution, b, abs(a).max() * abs(solution).max())
    positive = (a @ a.conj().swapaxes(-1, -2) + n * np.eye(n)).astype(dtype)
    for up in (False, True):
        c = kagari.linalg.cholesky(kagari.from_numpy(positive), upper=up).numpy()
        adjoint = c.conj().swapaxes(-1, -2)
        assert close(adjoint @ c if up else c @ adjoint, positive, abs(positive).max())
        assert not (np.tril(c, -1) if up else np.triu(c, 1)).any()
        t = ((np.triu(a) if up else np.tril(a)) + 4 * n * np.eye(n)).astype(dtype)
        for left in (False, True):
            right = b if left else np.ascontiguousarray(b.swapaxes(-1, -2))
            y = kagari.linalg.solve_triangular(
                kagari.from_numpy(t), kagari.from_numpy(right), upper=up, left=left
            ).numpy()
            assert close(t @ y if left else y @ t, right, abs(t).max())


@pytest.mark.parametrize("n", [3, 20, 300])
def test_verdicts_at_every_size(n: int) -> None:
    bad = n - n // 3
    x = np.eye(n)
    x[:, bad - 1] = 0
    info = kagari.linalg.lu_factor_ex(kagari.from_numpy(x)).info
    assert info.item() == torch.linalg.lu_factor_ex(torch.from_numpy(x)).info.item() == bad
    for wrong in (0.0, -1.0, float("nan")):
        x[bad - 1, bad - 1] = wrong
        assert kagari.linalg.cholesky_ex(kagari.from_numpy(x)).info.item() == bad
        with pytest.raises(kagari.linalg.LinAlgError, match=f"order {bad}"):
            kagari.linalg.cholesky(kagari.from_numpy(x))


def test_large_factors_are_the_same_on_any_number_of_threads() -> None:
    x = kagari.rand(400, 400, dtype=kagari.float64)
    positive, before = x @ x.mT + 400 * kagari.eye(400), kagari.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            kagari.set_num_threads(threads)
            results.append([kagari.linalg.solve(x, x.mT), kagari.linalg.cholesky(positive)])
    finally:
        kagari.set_num_threads(before)
    for other in results[1:]:
        assert all(kagari.equal(a, b) for a, b in zip(results[0], other, strict=True))
