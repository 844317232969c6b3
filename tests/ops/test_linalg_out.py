"""out= of linear algebra and products: filled, resized, strides kept, refused before a write."""

import pytest
import torch

import kagari

from .pairs import close, ours, same_error, theirs
from .test_linalg import positive, well


def call_out(lib, name: str, a, out):  # type: ignore[no-untyped-def]
    """The function of that name on arguments made of `a`, a square positive matrix."""
    scope, _, short = name.rpartition(".")
    function = getattr(lib.linalg if scope else lib, short)
    vector, info = a[0], {"out": out}
    lu = lib.linalg.lu_factor(a)
    special = {
        "cholesky_solve": (a, a), "solve": (a, a), "solve_ex": (a, a), "ormqr": (a, vector, a),
        "householder_product": (a, vector), "triangular_solve": (a, a), "multi_dot": ([a, a],),
        "tensorsolve": (a, vector), "vecdot": (a, a), "cross": (a, a), "matrix_power": (a, 2),
        "mm": (a, a), "matmul": (a, a), "mv": (a, vector), "dot": (vector, vector), "inner": (a, a),
        "outer": (vector, vector), "addmm": (a, a, a), "addmv": (vector, a, vector),
        "addr": (a, vector, vector), "kron": (a, a), "tensordot": (a, a, 1), "lu_unpack": lu,
        "ldl_solve": (*lib.linalg.ldl_factor(a), a), "vdot": (vector, vector),
    }  # fmt: skip
    args = special.get(short, (a,))
    if short == "lu_solve":
        args = (*lu, a) if scope else (a, *lu)
    if short == "tensorinv":
        info["ind"] = 1
    if name == "linalg.solve_triangular":
        args, info["upper"] = (a, a), True
    return function(*args, **info)


# how many results, and which of them are integers
NAMES = {
    "cholesky": 1, "linalg.cholesky": 1, "linalg.cholesky_ex": 2, "cholesky_inverse": 1,
    "cholesky_solve": 1, "qr": 2, "linalg.qr": 2, "svd": 3, "linalg.svd": 3, "linalg.svdvals": 1,
    "triangular_solve": 2, "lu_solve": 1, "linalg.lu_solve": 1, "linalg.lu": 3, "lu_unpack": 3,
    "linalg.lu_factor": 2, "linalg.lu_factor_ex": 3, "cross": 1, "linalg.cross": 1, "linalg.det": 1,
    "linalg.slogdet": 2, "slogdet": 2, "linalg.cond": 1, "linalg.eig": 2, "linalg.eigvals": 1,
    "linalg.eigh": 2, "linalg.eigvalsh": 1, "linalg.inv": 1, "inverse": 1, "linalg.inv_ex": 2,
    "linalg.matrix_norm": 1, "linalg.vector_norm": 1, "linalg.norm": 1, "linalg.multi_dot": 1,
    "linalg.pinv": 1, "linalg.solve": 1, "linalg.solve_ex": 2, "linalg.solve_triangular": 1,
    "linalg.tensorinv": 1, "linalg.tensorsolve": 1, "linalg.vecdot": 1, "linalg.matrix_power": 1,
    "linalg.householder_product": 1, "geqrf": 2, "ormqr": 1, "linalg.ldl_factor": 2,
    "linalg.ldl_factor_ex": 3, "linalg.ldl_solve": 1, "mm": 1, "matmul": 1, "mv": 1, "dot": 1,
    "vdot": 1, "inner": 1, "outer": 1, "addmm": 1, "addmv": 1, "addr": 1, "kron": 1, "tensordot": 1,
}  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def a() -> torch.Tensor:
    return positive(well(3, 3, dtype=torch.float32).detach())


def results(name: str, a: torch.Tensor) -> list[torch.Tensor]:
    made = call_out(torch, name, a, None)
    return [made] if isinstance(made, torch.Tensor) else list(made)


def one_or_all(tensors: list) -> object:
    return tensors[0] if len(tensors) == 1 else tuple(tensors)


@pytest.mark.parametrize("name", NAMES)
def test_out(name: str, a: torch.Tensor) -> None:
    expected = [theirs(t) for t in kagari_results(name, a)]
    assert len(expected) == NAMES[name]
    empty = [ours(t.new_empty(0)) for t in expected]
    returned = call_out(kagari, name, ours(a), one_or_all(empty))
    assert (
        (returned is empty[0])
        if len(empty) == 1
        else all(one is other for one, other in zip(returned, empty, strict=True))
    )
    close(empty, expected)
    spaced = [ours(t.new_zeros(*t.shape, 2))[..., 1] for t in expected]
    strides = [t.stride() for t in spaced]
    call_out(kagari, name, ours(a), one_or_all(spaced))
    close(spaced, expected)
    assert [t.stride() for t in spaced] == strides


def kagari_results(name: str, a: torch.Tensor) -> list:
    made = call_out(kagari, name, ours(a), None)
    return [made] if isinstance(made, kagari.Tensor) else list(made)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_dtype_is_refused_before_a_write(name: str, a: torch.Tensor) -> None:
    """In any of the results; the others stay as they were."""
    expected = results(name, a)
    for wrong in range(len(expected)):
        targets = [torch.full_like(t, 7) for t in expected]
        targets[wrong] = torch.full(expected[wrong].shape, 7, dtype=torch.int64)
        out = [ours(t) for t in targets]
        with pytest.raises(RuntimeError):
            call_out(torch, name, a, one_or_all(targets))
        with pytest.raises(RuntimeError, match=r"float32|complex64|int32"):
            call_out(kagari, name, ours(a), one_or_all(out))
        assert all(bool((t == 7).all()) for t in out)


@pytest.mark.parametrize("name", NAMES)
def test_another_float_dtype(name: str, a: torch.Tensor) -> None:
    """float64 for a float32 result: PyTorch says for each function whether it will do."""
    expected = results(name, a)
    kinds = {torch.float32: torch.float64, torch.complex64: torch.complex128}
    targets = [t.new_empty(0).to(kinds.get(t.dtype, t.dtype)) for t in expected]
    try:
        call_out(torch, name, a, one_or_all(targets))
        refused = False
    except RuntimeError:
        refused = name != "linalg.matrix_power"  # depends on the power there
    out = [ours(t.new_empty(0)) for t in targets]
    if refused:
        with pytest.raises(RuntimeError):
            call_out(kagari, name, ours(a), one_or_all(out))
    else:
        call_out(kagari, name, ours(a), one_or_all(out))


def test_other_mistakes(a: torch.Tensor) -> None:
    same_error(lambda lib, a: lib.linalg.svd(a, out=lib.empty(0)), a)
    same_error(lambda lib, a: lib.linalg.svd(a, out=(lib.empty(0), lib.empty(0))), a)
    same_error(lambda lib, a: lib.linalg.inv(a, out=lib.empty(0)), a.clone().requires_grad_())


def test_resizing_what_holds_something_warns(a: torch.Tensor) -> None:
    with pytest.warns(UserWarning, match="resized"):
        kagari.linalg.inv(ours(a), out=kagari.ones(2))
