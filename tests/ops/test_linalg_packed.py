"""Factorisations as LAPACK packs them: reflectors, LU with and without exchanges, L D L^T."""

from collections.abc import Callable

import pytest
import torch

import kagari

from .pairs import close, compare, ours, same_error, theirs
from .test_linalg import DTYPES, scale_of, symmetric, well
from .test_matmul import make


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("size", [(4, 4), (5, 3), (3, 5), (0, 3), (3, 0)], ids=str)
def test_geqrf(size: tuple[int, int], dtype: torch.dtype) -> None:
    for batch in [(), (2,), (2, 0)]:
        a = make(*batch, *size, dtype=dtype, grad=False)
        compare(lambda lib, a: list(lib.geqrf(a)), a, scale=scale_of(dtype))


def test_geqrf_has_no_derivative() -> None:
    a, tau = kagari.geqrf(kagari.eye(3, requires_grad=True))
    with pytest.raises(NotImplementedError, match="geqrf"):
        (a.sum() + tau.sum()).backward()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_householder_product(dtype: torch.dtype) -> None:
    for m, n, k in [(4, 4, 4), (5, 3, 3), (5, 3, 2), (3, 3, 0), (3, 0, 0)]:
        for batch in [(), (2,)]:
            a, tau = make(*batch, m, n, dtype=dtype), make(*batch, k, dtype=dtype)
            call = lambda lib, a, t: lib.linalg.householder_product(a, t)  # noqa: E731
            compare(call, a.detach(), tau.detach(), scale=scale_of(dtype))
            compare(call, a, tau, scale=scale_of(dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex128], ids=str)
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("transpose", [True, False])
def test_ormqr(left: bool, transpose: bool, dtype: torch.dtype) -> None:
    def call(lib, a, tau, c):  # type: ignore[no-untyped-def]
        return lib.ormqr(a, tau, c, left, transpose)

    for size, columns in [(4, 3), (4, 4), (2, 4)]:
        for batch in [(), (3,)]:
            a = make(*batch, size, columns, dtype=dtype)
            tau = make(*batch, min(size, columns), dtype=dtype)
            c = make(*batch, *((size, 2) if left else (2, size)), dtype=dtype)
            plain = [t.detach() for t in (a, tau, c)]
            compare(call, *plain, scale=scale_of(dtype))
            if columns <= size:
                compare(call, a, tau, c, scale=scale_of(dtype))


def test_qr_of_reflectors() -> None:
    a = ours(make(2, 5, 3, grad=False))
    packed, tau = kagari.geqrf(a)
    q = kagari.linalg.householder_product(packed, tau)
    close(q @ packed[..., :3, :].triu(), theirs(a), 100)
    close(
        kagari.ormqr(packed, tau, a, True, True)[..., :3, :], theirs(packed[..., :3, :].triu()), 100
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("hermitian", [True, False])
def test_ldl(dtype: torch.dtype, hermitian: bool) -> None:
    for batch in [(), (3,), (0,)]:
        a = make(*batch, 4, 4, dtype=dtype, grad=False)
        a = symmetric(a) if hermitian or not dtype.is_complex else (a + a.mT) / 2
        b = make(*batch, 4, 2, dtype=dtype, grad=False)
        scale = scale_of(dtype) * 10
        compare(
            lambda lib, a: list(lib.linalg.ldl_factor_ex(a, hermitian=hermitian)), a, scale=scale
        )

        def solve(lib, a, b):  # type: ignore[no-untyped-def]
            factors = lib.linalg.ldl_factor(a, hermitian=hermitian)
            return lib.linalg.ldl_solve(*factors, b, hermitian=hermitian)

        compare(solve, a, b, scale=scale)
        close(ours(theirs(ours(a)) @ theirs(solve(kagari, ours(a), ours(b)))), b, scale)


def test_ldl_of_singular_matrix() -> None:
    zero = kagari.zeros(2, 2)
    assert kagari.linalg.ldl_factor_ex(zero).info.item() == 1
    with pytest.raises(kagari.linalg.LinAlgError, match="zero"):
        kagari.linalg.ldl_factor(zero)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("size", [(4, 4), (5, 3), (3, 5), (3, 0), (0, 3)], ids=str)
def test_lu_unpack(size: tuple[int, int], dtype: torch.dtype) -> None:
    def call(lib, a, **kwargs):  # type: ignore[no-untyped-def]
        return list(lib.lu_unpack(*lib.linalg.lu_factor(a), **kwargs))

    for batch in [(), (2,), (2, 0)]:
        a = make(*batch, *size, dtype=dtype)
        compare(call, a if 0 not in size else a.detach(), scale=scale_of(dtype) * 100)
        compare(lambda lib, a: call(lib, a, unpack_data=False), a.detach())
        compare(lambda lib, a: call(lib, a, unpack_pivots=False), a.detach(), scale=scale_of(dtype))


@pytest.mark.filterwarnings("ignore")
def test_lu_by_its_older_name() -> None:
    compare(lambda lib, a: list(lib.lu(a)), well(2, 3, 3), scale=100)
    compare(lambda lib, a: list(a.lu(get_infos=True)), well(2, 3, 3), scale=100)
    compare(lambda lib, a: list(lib.lu(a)), torch.zeros(2, 2))
    same_error(lambda lib, a: lib.linalg.lu_factor(a), torch.zeros(2, 2))


@pytest.mark.parametrize("size", [(4, 4), (5, 3), (3, 5)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
def test_lu_without_exchanges(size: tuple[int, int], dtype: torch.dtype) -> None:
    """L U = A itself; PyTorch has this on CUDA only. Gradients by finite differences."""
    a = ours(well(2, *size, dtype=dtype).detach()).requires_grad_()
    empty, lower, upper = kagari.linalg.lu(a, pivot=False)
    assert empty.shape == (0,)
    close(lower @ upper, theirs(a), 100)
    packed, pivots = kagari.linalg.lu_factor(a, pivot=False)
    assert pivots.tolist() == [list(range(1, min(size) + 1))] * 2
    close(packed, theirs(kagari.linalg.lu_factor_ex(a, pivot=False).LU))
    assert kagari.autograd.gradcheck(lambda a: kagari.linalg.lu(a, pivot=False)[1:], (a[0],))
    if size == (4, 4):
        b = ours(make(2, 4, 2, dtype=dtype, grad=False))
        close(a @ kagari.linalg.lu_solve(packed, pivots, b), theirs(b), 100)


def test_lu_without_exchanges_reports_a_zero_pivot() -> None:
    a = kagari.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert kagari.linalg.lu_factor_ex(a, pivot=False).info.item() == 1
    with pytest.raises(kagari.linalg.LinAlgError, match="element 1 of U"):
        kagari.linalg.lu_factor_ex(a, pivot=False, check_errors=True)


ERRORS: dict[str, Callable] = {
    "geqrf vector": lambda lib, a, t: lib.geqrf(t),
    "geqrf integers": lambda lib, a, t: lib.geqrf(a.int()),
    "product vector": lambda lib, a, t: lib.linalg.householder_product(t, t),
    "product wide": lambda lib, a, t: lib.linalg.householder_product(a[:2], t[:2]),
    "product tau": lambda lib, a, t: lib.linalg.householder_product(a[:, :2], t),
    "product dtype": lambda lib, a, t: lib.linalg.householder_product(a, t.double()),
    "product batch": lambda lib, a, t: lib.linalg.householder_product(a[None], t),
    "ormqr vector": lambda lib, a, t: lib.ormqr(t, t, a),
    "ormqr other": lambda lib, a, t: lib.ormqr(a, t, t),
    "ormqr left": lambda lib, a, t: lib.ormqr(a, t, a[:2]),
    "ormqr right": lambda lib, a, t: lib.ormqr(a, t, a[:, :2], False),
    "ormqr tau": lambda lib, a, t: lib.ormqr(a, t[:2], a),
    "ormqr dtype": lambda lib, a, t: lib.ormqr(a, t, a.double()),
    "ormqr batch": lambda lib, a, t: lib.ormqr(a[None], t[None], a),
    "unpack vector": lambda lib, a, t: lib.lu_unpack(t, t.int()),
    "unpack dtype": lambda lib, a, t: lib.lu_unpack(a, t),
    "unpack range": lambda lib, a, t: lib.lu_unpack(a, t.int() * 0 + 9),
    "unpack zero": lambda lib, a, t: lib.lu_unpack(a, t.int() * 0),
    "lu vector": lambda lib, a, t: lib.linalg.lu(t),
    "ldl vector": lambda lib, a, t: lib.linalg.ldl_factor(t),
    "ldl not square": lambda lib, a, t: lib.linalg.ldl_factor(a[:2]),
    "ldl integers": lambda lib, a, t: lib.linalg.ldl_factor(a.int()),
    "ldl pivots": lambda lib, a, t: lib.linalg.ldl_solve(a, t, a),
    "ldl pivots shape": lambda lib, a, t: lib.linalg.ldl_solve(a, t.int()[:2], a),
    "ldl shape": lambda lib, a, t: lib.linalg.ldl_solve(a, t.int(), a[:2]),
    "ldl dtype": lambda lib, a, t: lib.linalg.ldl_solve(a, t.int(), a.double()),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    same_error(ERRORS[name], well(3, 3, dtype=torch.float32).detach(), torch.ones(3))
