"""Linear algebra against PyTorch: values, two derivatives, batches, empty and singular matrices."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import kagari

from .pairs import close, compare, ours, same_error, theirs
from .test_matmul import make

DTYPES = [torch.float32, torch.float64, torch.complex64, torch.complex128]
BATCHES = [(), (2,), (2, 0), (2, 3)]


def scale_of(dtype: torch.dtype) -> float:
    return 100.0 if dtype in (torch.float32, torch.complex64) else 1000.0


def well(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Matrices far from singular, with well separated singular values."""
    a = make(*shape, dtype=dtype, grad=False)
    n = min(shape[-2:])
    eye = torch.zeros(shape[-2:], dtype=dtype)
    eye[range(n), range(n)] = torch.arange(1.0, n + 1).to(dtype) * 3
    return (a * 0.5 + eye).requires_grad_()


def symmetric(a):  # type: ignore[no-untyped-def]
    return (a + (a.conj() if a.is_complex() else a).transpose(-2, -1)) * 0.5


def positive(a):  # type: ignore[no-untyped-def]
    return a @ (a.conj() if a.is_complex() else a).transpose(-2, -1)


def square_magnitude(a):  # type: ignore[no-untyped-def]
    """Vectors are known up to a phase: compare what does not depend on it."""
    return (a * (a.conj() if a.is_complex() else a)).real if a.is_complex() else a * a


# each takes (library, A); what is compared does not depend on signs or phases
SQUARE: dict[str, Callable] = {
    "det": lambda lib, a: lib.linalg.det(a),
    "slogdet": lambda lib, a: lib.linalg.slogdet(a),
    "inv": lambda lib, a: lib.linalg.inv(a),
    "solve": lambda lib, a: lib.linalg.solve(a, a[..., :2] * 2),
    "solve right": lambda lib, a: lib.linalg.solve(a, a[..., :2, :] * 2, left=False),
    "solve vector": lambda lib, a: lib.linalg.solve(a, a[..., 0]),
    "cholesky": lambda lib, a: lib.linalg.cholesky(positive(a)),
    "cholesky upper": lambda lib, a: lib.linalg.cholesky(positive(a), upper=True),
    "eigh": lambda lib, a: lib.linalg.eigh(symmetric(a))[0],
    "eigh vectors": lambda lib, a: square_magnitude(lib.linalg.eigh(symmetric(a))[1]),
    "eigh upper": lambda lib, a: lib.linalg.eigh(symmetric(a), UPLO="U")[0],
    "eigvalsh": lambda lib, a: lib.linalg.eigvalsh(symmetric(a)),
    "lower": lambda lib, a: lib.linalg.solve_triangular(a, a[..., :2], upper=False),
    "upper": lambda lib, a: lib.linalg.solve_triangular(
        a, a[..., :2, :], upper=True, left=False, unitriangular=True
    ),
    "power": lambda lib, a: lib.linalg.matrix_power(a, 5),
    "negative power": lambda lib, a: lib.linalg.matrix_power(a, -2),
    "tensorinv": lambda lib, a: lib.linalg.tensorinv(a, a.dim() - 1) if a.dim() == 2 else a,
}
ANY: dict[str, Callable] = {
    "qr": lambda lib, a: lib.linalg.qr(a),
    "svdvals": lambda lib, a: lib.linalg.svdvals(a),
    "svd": lambda lib, a: lib.linalg.svd(a, full_matrices=False)[1],
    "svd left": lambda lib, a: square_magnitude(lib.linalg.svd(a, full_matrices=False)[0]),
    "svd right": lambda lib, a: square_magnitude(lib.linalg.svd(a, full_matrices=False)[2]),
    "pinv": lambda lib, a: lib.linalg.pinv(a),
    "lu": lambda lib, a: lib.linalg.lu(a),
    "lu_factor": lambda lib, a: lib.linalg.lu_factor(a)[0],
    "nuclear": lambda lib, a: lib.linalg.matrix_norm(a, "nuc"),
    "spectral": lambda lib, a: lib.linalg.matrix_norm(a, 2),
    "smallest": lambda lib, a: lib.linalg.matrix_norm(a, -2, keepdim=True),
    "frobenius": lambda lib, a: lib.linalg.matrix_norm(a),
    "1-norm": lambda lib, a: lib.linalg.matrix_norm(a, 1),
    "inf-norm": lambda lib, a: lib.linalg.matrix_norm(a, float("inf"), keepdim=True),
    "-1-norm": lambda lib, a: lib.linalg.matrix_norm(a, -1),
    "cond": lambda lib, a: lib.linalg.cond(a),
    "vector_norm": lambda lib, a: lib.linalg.vector_norm(a, 3, dim=-1),
    "norm": lambda lib, a: lib.linalg.norm(a, 1, dim=(-1, -2)),
}
# without a defined value on matrices without elements
NEEDS_ELEMENTS = {"smallest", "cond", "-1-norm", "spectral", "1-norm", "inf-norm", "norm"}


def batches(name: str) -> list[tuple[int, ...]]:
    """PyTorch does not differentiate condition numbers of no matrices."""
    return [b for b in BATCHES if 0 not in b] if "cond" in name else BATCHES


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", SQUARE)
def test_square(name: str, dtype: torch.dtype) -> None:
    for batch in batches(name):
        compare(SQUARE[name], well(*batch, 4, 4, dtype=dtype), scale=scale_of(dtype))
    compare(SQUARE[name], well(3, 3, dtype=dtype).mT.detach(), scale=scale_of(dtype))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ANY)
@pytest.mark.parametrize("size", [(4, 4), (5, 3), (3, 5)], ids=str)
def test_any(name: str, size: tuple[int, int], dtype: torch.dtype) -> None:
    for batch in batches(name):
        compare(ANY[name], well(*batch, *size, dtype=dtype), scale=scale_of(dtype))


@pytest.mark.parametrize("name", [*SQUARE, *ANY])
def test_no_rows(name: str) -> None:
    if name in NEEDS_ELEMENTS or "solve" in name or name in ("lower", "upper", "tensorinv"):
        return
    call = SQUARE.get(name) or ANY[name]
    compare(call, torch.zeros(0, 0, dtype=torch.float64), order=0)
    compare(call, torch.zeros(2, 0, 0, dtype=torch.float64), order=0)


@pytest.mark.parametrize("mode", ["complete", "r"])
@pytest.mark.parametrize("size", [(4, 4), (5, 3), (3, 5), (0, 3), (3, 0)], ids=str)
def test_qr_modes(size: tuple[int, int], mode: str) -> None:
    a = make(2, *size, grad=False)
    compare(lambda lib, a: lib.linalg.qr(a, mode), a)


@pytest.mark.parametrize("size", [(4, 4), (5, 3), (3, 5), (0, 3)], ids=str)
def test_full_svd_gives_orthogonal_matrices(size: tuple[int, int]) -> None:
    a = make(2, *size, grad=False)
    u, s, vh = (theirs(t) for t in kagari.linalg.svd(ours(a)))
    assert u.shape == (2, size[0], size[0]) and vh.shape == (2, size[1], size[1])
    k = min(size)
    close(ours(u @ u.mT), torch.eye(size[0], dtype=u.dtype).expand(u.shape), 100)
    close(ours(vh @ vh.mT), torch.eye(size[1], dtype=u.dtype).expand(vh.shape), 100)
    close(ours(u[..., :k] * s[:, None] @ vh[:, :k]), a, 100)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_eig(dtype: torch.dtype) -> None:
    a = well(2, 4, 4, dtype=dtype)

    def ordered(lib, a):  # type: ignore[no-untyped-def]
        values, vectors = lib.linalg.eig(a)
        return (values * values).sum(-1), square_magnitude(vectors).sum((-1, -2))

    compare(ordered, a, scale=scale_of(dtype))
    values, vectors = (theirs(t) for t in kagari.linalg.eig(ours(a)))
    close(ours(vectors * values.unsqueeze(-2)), a.detach().to(values.dtype) @ vectors, 100)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_lstsq(dtype: torch.dtype) -> None:
    for size in [(5, 3), (3, 5), (4, 4)]:
        a, b = well(2, *size, dtype=dtype), make(2, size[0], 2, dtype=dtype)
        compare(
            lambda lib, a, b: lib.linalg.lstsq(a, b).solution, a, b, scale=scale_of(dtype), order=1
        )
    a, b = well(5, 3, dtype=dtype).detach(), make(5, 2, dtype=dtype, grad=False)
    for driver in ("gelsy", "gels", "gelsd", "gelss"):
        compare(lambda lib, a, b, d=driver: list(lib.linalg.lstsq(a, b, driver=d)), a, b, scale=100)


def test_deficient_rank() -> None:
    a = torch.ones(4, 3, dtype=torch.float64)
    b = make(4, 2, grad=False)
    compare(lambda lib, a, b: lib.linalg.lstsq(a, b)[0], a, b, scale=100)
    compare(lambda lib, a, b: lib.linalg.lstsq(a, b)[2], a, b)
    compare(lambda lib, a: lib.linalg.pinv(a), a, scale=100)
    compare(lambda lib, a: lib.linalg.pinv(a @ a.mT, hermitian=True), a, scale=100)
    compare(lambda lib, a: lib.linalg.matrix_rank(a), a)
    compare(lambda lib, a: lib.linalg.matrix_rank(a @ a.mT, hermitian=True), a)


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
def test_singular_determinant(dtype: torch.dtype) -> None:
    """The gradient is the matrix of cofactors; PyTorch gives zeros here."""
    a = make(3, 3, dtype=dtype, grad=False)
    a[2] = 0
    x = ours(a).requires_grad_()
    kagari.view_as_real(kagari.linalg.det(x) * 1j).sum().backward() if dtype.is_complex else (
        kagari.linalg.det(x).backward()
    )
    rows = [torch.linalg.cross(a[i], a[j]) for i, j in ((1, 2), (2, 0), (0, 1))]
    factor = torch.tensor((1 + 1j) * -1j) if dtype.is_complex else 1
    close(x.grad, torch.stack(rows).conj().resolve_conj() * factor, 10)
    compare(lambda lib, a: lib.linalg.slogdet(a), a)


@pytest.mark.parametrize("shapes", [((4, 4), (2, 4, 3)),
                                    ((2, 4, 4), (4, 3)), ((2, 1, 4, 4), (3, 4, 2)),
                                    ((2, 4, 4), (2, 4)), ((4, 4), (4,))], ids=str)  # fmt: skip
def test_solve_broadcasts(shapes: tuple) -> None:
    compare(lambda lib, a, b: lib.linalg.solve(a, b), well(*shapes[0]), make(*shapes[1]), scale=100)


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
def test_lu_solve(left: bool, adjoint: bool, dtype: torch.dtype) -> None:
    def call(lib, a, b):  # type: ignore[no-untyped-def]
        return lib.linalg.lu_solve(*lib.linalg.lu_factor(a), b, left=left, adjoint=adjoint)

    compare(call, make(2, 4, 4, dtype=dtype), make(2, 4, 4, dtype=dtype), scale=1000)


@given(n=st.integers(0, 6), batch=st.lists(st.integers(0, 2), max_size=2), cols=st.integers(0, 3))
def test_any_size(n: int, batch: list[int], cols: int) -> None:
    a = well(*batch, n, n) if n else torch.zeros(*batch, 0, 0, dtype=torch.float64)
    b = make(*batch, n, cols, grad=False)
    compare(lambda lib, a, b: lib.linalg.solve(a, b), a.detach(), b, scale=100)
    compare(lambda lib, a: (lib.linalg.det(a), lib.linalg.inv(a)), a.detach(), scale=100)


def test_compositions() -> None:
    a, b, c = make(3, 5), make(5, 4), make(4, 2)
    compare(lambda lib, *m: lib.linalg.multi_dot(m), a, b, c)
    compare(lambda lib, *m: lib.linalg.multi_dot(m), make(5), b, make(4))
    compare(lambda lib, x, y: lib.linalg.cross(x, y), make(2, 3), make(1, 3))
    compare(lambda lib, x, y: lib.linalg.cross(x, y, dim=0), make(3, 2), make(3, 2))
    compare(lambda lib, x, y: lib.linalg.vecdot(x, y), make(2, 3), make(2, 3))
    compare(lambda lib, x: lib.linalg.vander(x, N=4), make(2, 3))
    compare(lambda lib, x: lib.linalg.matrix_exp(x), make(2, 3, 3), scale=100)
    compare(lambda lib, x: lib.linalg.matrix_exp(x * 20), make(3, 3), scale=1e5, order=1)
    compare(lambda lib, x: lib.linalg.matrix_power(x, 0), make(2, 3, 3, grad=False))
    compare(lambda lib, x: lib.linalg.cond(x, 1), well(2, 3, 3).detach())  # of PyTorch values only
    compare(lambda lib, x: lib.linalg.cond(x * 0, 1), well(3, 3).detach())
    compare(lambda lib, x: lib.linalg.diagonal(x), make(2, 3, 3))


def test_results_have_names() -> None:
    a = ours(well(3, 3).detach())
    assert kagari.linalg.svd(a).Vh.shape == (3, 3)
    assert kagari.linalg.slogdet(a).logabsdet.shape == ()
    assert kagari.linalg.inv_ex(a).info.item() == 0


def test_out() -> None:
    a = ours(well(3, 3).detach())
    target = kagari.empty(0, dtype=kagari.float64)
    assert kagari.linalg.inv(a, out=target) is target
    close(target, theirs(kagari.linalg.inv(a)))


ERRORS = {
    "inv singular": lambda lib, a: lib.linalg.inv(a * 0),
    "inv singular in batch": lambda lib, a: lib.linalg.inv(lib.stack([a, a * 0])),
    "solve singular": lambda lib, a: lib.linalg.solve(a * 0, a),
    "not positive": lambda lib, a: lib.linalg.cholesky(-(a @ a.mT)),
    "svd of nan": lambda lib, a: lib.linalg.svd(a * float("nan")),
    "det not square": lambda lib, a: lib.linalg.det(a[:2]),
    "inv not square": lambda lib, a: lib.linalg.inv(a[:2]),
    "solve not square": lambda lib, a: lib.linalg.solve(a[:2], a),
    "eigh not square": lambda lib, a: lib.linalg.eigh(a[:2]),
    "cholesky vector": lambda lib, a: lib.linalg.cholesky(a[0]),
    "qr vector": lambda lib, a: lib.linalg.qr(a[0]),
    "qr mode": lambda lib, a: lib.linalg.qr(a, "full"),
    "solve shapes": lambda lib, a: lib.linalg.solve(a, a[:2]),
    "integers": lambda lib, a: lib.linalg.inv((a * 3).long()),
    "half": lambda lib, a: lib.linalg.inv(a.half()),
    "uplo": lambda lib, a: lib.linalg.eigh(a, UPLO="X"),
    "norm order": lambda lib, a: lib.linalg.matrix_norm(a, 3),
    "norm name": lambda lib, a: lib.linalg.matrix_norm(a, "trace"),
    "norm dims": lambda lib, a: lib.linalg.matrix_norm(a, dim=(0, 0)),
    "norm range": lambda lib, a: lib.linalg.matrix_norm(a, dim=(0, 5)),
    "power": lambda lib, a: lib.linalg.matrix_power(a[:2], 2),
    "cross": lambda lib, a: lib.linalg.cross(a[:, :2], a[:, :2]),
    "multi_dot": lambda lib, a: lib.linalg.multi_dot([a]),
    "lstsq": lambda lib, a: lib.linalg.lstsq(a, a[:2]),
    "driver": lambda lib, a: lib.linalg.lstsq(a, a, driver="x"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    same_error(ERRORS[name], well(3, 3, dtype=torch.float32).detach())


def test_singular_message_names_the_matrix() -> None:
    a = well(3, 3).detach()
    with pytest.raises(kagari.linalg.LinAlgError, match=r"Batch element 1.*singular"):
        kagari.linalg.inv(ours(torch.stack([a, a * 0])))


OLDER = {
    "logdet": lambda lib, a: lib.logdet(positive(a)),
    "det": lambda lib, a: (lib.det(a), a.det()),
    "inverse": lambda lib, a: (lib.inverse(a), a.inverse()),
    "pinverse": lambda lib, a: lib.pinverse(a),
    "slogdet": lambda lib, a: a.slogdet(),
    "cholesky_solve": lambda lib, a: lib.cholesky_solve(a, lib.linalg.cholesky(positive(a))),
    "cholesky_inverse": lambda lib, a: lib.cholesky_inverse(lib.linalg.cholesky(positive(a))),
    "svd": lambda lib, a: lib.svd(a)[1],
    "svd without vectors": lambda lib, a: lib.svd(a.detach(), compute_uv=False),
    "qr": lambda lib, a: lib.qr(a),
    "matrix_power": lambda lib, a: a.matrix_power(3),
    "triangular_solve": lambda lib, a: lib.triangular_solve(a, a, transpose=True),
    "lu_solve": lambda lib, a: a.lu_solve(*lib.linalg.lu_factor(a)),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OLDER)
def test_older_names(name: str) -> None:
    compare(OLDER[name], well(2, 3, 3), scale=1000)


@pytest.mark.parametrize("shape", [(), (1,), (2,), (2, 3), (0, 3)], ids=str)
def test_vander(shape: tuple[int, ...]) -> None:
    compare(lambda lib, x: lib.linalg.vander(x, N=3), make(*shape))
    if shape in [(), (1,)]:
        same_error(lambda lib, x: lib.linalg.vander(x), torch.zeros(shape))


def _second_derivatives_of_norm_at_zero(lib: Any, p: float) -> Any:
    x = lib.zeros(3, dtype=lib.float64, requires_grad=True)
    w = lib.ones((), dtype=lib.float64, requires_grad=True)
    (first,) = lib.autograd.grad(lib.linalg.vector_norm(x, p), x, w, create_graph=True)
    return lib.autograd.grad(first, [x, w], lib.arange(3.0).to(lib.float64))


@pytest.mark.parametrize("p", [2, 1, float("inf")])
def test_second_derivatives_of_norms_at_zero(p: float) -> None:
    mine, theirs = (_second_derivatives_of_norm_at_zero(lib, p) for lib in (kagari, torch))
    for got, reference in zip(mine, theirs, strict=True):
        close(got, reference + 0)  # PyTorch's may have no memory


@pytest.mark.parametrize("p", [0.5, -1, 1.5, 3])
def test_second_derivatives_of_other_norms_at_zero(p: float) -> None:
    """NaN, as there are none; but the gradient there is zero times what came in."""
    by_x, by_w = _second_derivatives_of_norm_at_zero(kagari, p)
    assert by_x.isnan().all() and by_w == 0


def test_norms_of_matrices_without_elements() -> None:
    for shape in [(0, 3), (3, 0), (0, 0), (2, 0, 3)]:
        for order in [1, float("inf"), 2, "nuc", "fro"]:
            compare(lambda lib, a, o=order: lib.linalg.matrix_norm(a, o), torch.zeros(shape))


def test_older_norms() -> None:
    compare(lambda lib, a: (lib.norm(a, "nuc"), lib.norm(a, "fro")), well(4, 3), scale=100)
    compare(lambda lib, a: lib.norm(a, "nuc", dim=(2, 0), keepdim=True), well(4, 2, 3), scale=100)
    same_error(lambda lib, a: lib.norm(a, "nuc", dim=(0, 0)), torch.ones(2, 2))
    compare(lambda lib, a: lib.linalg.vector_norm(a, 5), torch.full((9,), 20, dtype=torch.float16))
