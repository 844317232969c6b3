"""Products of matrices and vectors against PyTorch: values, two derivatives, layouts, errors."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import kagari

from .pairs import close, compare, ours, same_error, theirs

DTYPES = [torch.float32, torch.float64, torch.complex64, torch.complex128]
ALL = [*DTYPES, torch.float16, torch.bfloat16, torch.int8, torch.uint8, torch.int32, torch.int64]


def make(*shape: int, dtype: torch.dtype = torch.float64, grad: bool | None = None) -> torch.Tensor:
    seed = sum((i + 1) * s for i, s in enumerate(shape)) + 17
    generator = torch.Generator().manual_seed(seed)
    if dtype.is_floating_point or dtype.is_complex:
        wide = torch.complex128 if dtype.is_complex else torch.float64
        value = torch.randn(shape, dtype=wide, generator=generator).to(dtype)
        return value.requires_grad_(dtype in DTYPES if grad is None else grad)
    return torch.randint(0, 100, shape, dtype=dtype, generator=generator)


MATMUL_SHAPES = [
    ((3, 4), (4, 5)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 5)), ((2, 3, 4), (4, 5)),
    ((2, 3, 4), (4,)), ((4,), (2, 4, 5)), ((2, 3, 4), (2, 4, 5)), ((3, 4), (2, 4, 5)),
    ((6, 1, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (1, 5, 4, 2)), ((0, 4), (4, 5)), ((3, 0), (0, 5)),
    ((2, 3, 0), (0, 5)), ((0, 3, 4), (0, 4, 5)), ((2, 0, 3, 4), (4, 1)), ((1, 1), (1, 1)),
    ((1, 7), (7, 1)), ((70, 65), (65, 80)), ((2, 66, 70), (2, 70, 68)), ((0,), (0,)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ALL, ids=str)
@pytest.mark.parametrize("shapes", MATMUL_SHAPES, ids=str)
def test_matmul(shapes: tuple, dtype: torch.dtype) -> None:
    first, second = (make(*shape, dtype=dtype) for shape in shapes)
    compare(lambda lib, a, b: lib.matmul(a, b), first, second, scale=8)


def layouts(rows: int, cols: int, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    base = make(2 * rows, 3 * cols, dtype=dtype, grad=False)
    return {
        "contiguous": make(rows, cols, dtype=dtype, grad=False),
        "transposed": make(cols, rows, dtype=dtype, grad=False).t(),
        "window": base[:rows, :cols],
        "window, transposed": make(3 * cols, 2 * rows, dtype=dtype, grad=False)[:cols, :rows].t(),
        "strided": base[::2, ::3],
        "rows repeated": make(1, cols, dtype=dtype, grad=False).expand(rows, cols),
        "columns repeated": make(rows, 1, dtype=dtype, grad=False).expand(rows, cols),
        "all one element": make(1, 1, dtype=dtype, grad=False).expand(rows, cols),
    }


LAYOUTS = list(layouts(1, 1, torch.float64))


@pytest.mark.parametrize(
    "size", [(3, 4, 5), (1, 4, 5), (3, 1, 5), (3, 4, 1), (90, 70, 80)], ids=str
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.complex128, torch.bfloat16], ids=str)
def test_layouts(size: tuple[int, int, int], dtype: torch.dtype) -> None:
    m, k, n = size
    for left in LAYOUTS:
        for right in LAYOUTS:
            a, b = layouts(m, k, dtype)[left], layouts(k, n, dtype)[right]
            compare(lambda lib, a, b: lib.mm(a, b), a, b, scale=8)


def test_batch_layouts() -> None:
    a, b = make(4, 3, 5, grad=False), make(4, 5, 2, grad=False)
    for dims in [(0, 1, 2), (1, 0, 2), (2, 1, 0), (0, 2, 1)]:
        order = sorted(range(3), key=dims.__getitem__)
        moved = b.permute(dims).contiguous().permute(order)
        compare(lambda lib, a, b: lib.bmm(a, b), a, moved)
    compare(lambda lib, a, b: lib.bmm(a, b), a, b[:1].expand(4, 5, 2))
    compare(lambda lib, a, b: lib.bmm(a[::2], b[1::2]), a, b)


@given(
    batch=st.lists(st.integers(0, 3), max_size=2), m=st.integers(0, 9), k=st.integers(0, 9),
    n=st.integers(0, 9), cut=st.integers(0, 2), one=st.booleans(),
)  # fmt: skip
def test_any_shape(batch: list[int], m: int, k: int, n: int, cut: int, one: bool) -> None:
    left = [1 if one else size for size in batch]
    compare(lambda lib, a, b: lib.matmul(a, b), make(*left, m, k), make(*batch[cut:], k, n))


@pytest.mark.parametrize("dtype", ALL, ids=str)
@pytest.mark.parametrize("factors", [(1, 1), (0, 1), (2, 3), (1, 0)], ids=str)
def test_addends(dtype: torch.dtype, factors: tuple[int, int]) -> None:
    beta, alpha = factors
    names = ["addmm", "baddbmm", "addbmm", "addmv", "addr"]
    operands = {
        "addmm": [(3, 5), (3, 4), (4, 5)], "baddbmm": [(2, 3, 5), (2, 3, 4), (2, 4, 5)],
        "addbmm": [(3, 5), (2, 3, 4), (2, 4, 5)], "addmv": [(3,), (3, 4), (4,)],
        "addr": [(3, 4), (3,), (4,)],
    }  # fmt: skip
    for name in names:
        for addend in (operands[name][0], operands[name][0][-1:], (1,)):
            args = [make(*s, dtype=dtype) for s in (addend, *operands[name][1:])]
            compare(
                lambda lib, *a, name=name: getattr(lib, name)(*a, beta=beta, alpha=alpha),
                *args, scale=8,
            )  # fmt: skip


def test_beta_zero_ignores_nan() -> None:
    a, b = make(3, 4, grad=False), make(4, 5, grad=False)
    nan = torch.full((3, 5), float("nan"), dtype=torch.float64)
    compare(lambda lib, c, a, b: lib.addmm(c, a, b, beta=0), nan, a, b)


@pytest.mark.parametrize("dtype", ALL, ids=str)
def test_vectors(dtype: torch.dtype) -> None:
    a, b, m = make(7, dtype=dtype), make(7, dtype=dtype).flip(0), make(3, 7, dtype=dtype)
    a, b = a.detach().requires_grad_(a.requires_grad), b.detach().requires_grad_(a.requires_grad)
    for name in ("dot", "vdot", "outer", "inner"):
        compare(lambda lib, a, b, name=name: getattr(lib, name)(a, b), a, b, scale=8)
    compare(lambda lib, m, a: lib.mv(m, a), m, a, scale=8)
    compare(lambda lib, m, a: lib.mv(m.t(), a[:3]), m, a, scale=8)
    compare(lambda lib, m, a: lib.inner(m, a), m, a, scale=8)
    compare(lambda lib, a, b: lib.dot(a[::2], b[::2]), a, b, scale=8)


@pytest.mark.parametrize("dtype", [*DTYPES, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", [(5, 4), (4,), (2, 3, 4), (0, 4), (2, 0, 4), (100, 4)], ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_linear(dtype: torch.dtype, shape: tuple, bias: bool) -> None:
    args = [make(*shape, dtype=dtype), make(6, 4, dtype=dtype)]
    if bias:
        args.append(make(6, dtype=dtype))
    compare(lambda lib, *a: lib.nn.functional.linear(*a), *args, scale=8)
    compare(lambda lib, x, w, *b: lib.nn.functional.linear(x, w.t().contiguous().t(), *b), *args,
            scale=8)  # fmt: skip


def test_linear_large() -> None:
    args = [make(*s, dtype=torch.float32) for s in [(200, 70), (90, 70), (90,)]]
    compare(lambda lib, *a: lib.nn.functional.linear(*a), *args, scale=20)


def test_integers_wrap() -> None:
    big = torch.full((3, 3), 2**62, dtype=torch.int64)
    compare(lambda lib, a: lib.mm(a, a), big)
    compare(lambda lib, a: lib.mm(a, a), torch.full((3, 3), 127, dtype=torch.int8))


def test_extremes() -> None:
    inf, nan = float("inf"), float("nan")
    a = torch.tensor([[inf, 1.0], [nan, 0.0]], dtype=torch.float32)
    b = torch.tensor([[1.0, 0.0], [-inf, 2.0]], dtype=torch.float32)
    compare(lambda lib, a, b: lib.mm(a, b), a, b)
    compare(lambda lib, a, b: lib.mv(a, b[0]), a, b)


def test_in_place_and_out() -> None:
    def addmm_(lib, c, a, b):  # type: ignore[no-untyped-def]
        c = c.clone()
        c.addmm_(a, b, beta=2, alpha=3)
        return c

    compare(addmm_, make(3, 5), make(3, 4), make(4, 5))

    def out(lib, a, b):  # type: ignore[no-untyped-def]
        target = (a @ b) * 0
        lib.mm(a, b, out=target)
        return target

    compare(out, make(3, 4, grad=False), make(4, 5, grad=False))


def test_operator() -> None:
    compare(lambda lib, a, b: a @ b, make(2, 3, 4), make(4, 5))


ERRORS = {
    "shapes": lambda lib, f, d: lib.mm(f(2, 2), f(3, 2)),
    "dtypes": lambda lib, f, d: lib.mm(f(2, 2), d(2, 2)),
    "bool": lambda lib, f, d: lib.mm(f(2, 2) > 0, f(2, 2) > 0),
    "mm rank": lambda lib, f, d: lib.mm(f(2), f(3, 2)),
    "mm rank 2": lambda lib, f, d: lib.mm(f(2, 2), f(2)),
    "matmul mv": lambda lib, f, d: lib.matmul(f(2, 2), f(3)),
    "matmul dot": lambda lib, f, d: lib.matmul(f(2), f(3)),
    "matmul vm": lambda lib, f, d: lib.matmul(f(2), f(3, 3)),
    "matmul 0-d": lambda lib, f, d: lib.matmul(f(2)[0], f(3, 3)),
    "matmul batch": lambda lib, f, d: lib.matmul(f(2, 3, 4), f(3, 4, 5)),
    "bmm batch": lambda lib, f, d: lib.bmm(f(2, 3, 4), f(3, 4, 5)),
    "bmm inner": lambda lib, f, d: lib.bmm(f(2, 3, 4), f(2, 5, 5)),
    "bmm rank": lambda lib, f, d: lib.bmm(f(3, 4), f(2, 5, 5)),
    "addmm addend": lambda lib, f, d: lib.addmm(f(3), f(2, 3), f(3, 4)),
    "addmm dtype": lambda lib, f, d: lib.addmm(d(4), f(2, 3), f(3, 4)),
    "dot length": lambda lib, f, d: lib.dot(f(3), f(4)),
    "dot dtype": lambda lib, f, d: lib.dot(f(3), d(3)),
    "dot rank": lambda lib, f, d: lib.dot(f(3, 1), f(3)),
    "mv length": lambda lib, f, d: lib.mv(f(3, 2), f(3)),
    "mv rank": lambda lib, f, d: lib.mv(f(3, 2), f(3, 1)),
    "outer rank": lambda lib, f, d: lib.outer(f(3, 2), f(3)),
    "inner": lambda lib, f, d: lib.inner(f(2, 2), f(2, 3)),
    "baddbmm": lambda lib, f, d: lib.baddbmm(f(2, 3, 5), f(2, 3, 4), f(2, 5, 5)),
    "addbmm": lambda lib, f, d: lib.addbmm(f(3, 5), f(2, 3, 4), f(3, 4, 5)),
    "addmv": lambda lib, f, d: lib.addmv(f(3), f(2, 3), f(4)),
    "addr": lambda lib, f, d: lib.addr(f(3, 3), f(2), f(4)),
    "linear shapes": lambda lib, f, d: lib.nn.functional.linear(f(3, 2), f(4, 3)),
    "linear bias": lambda lib, f, d: lib.nn.functional.linear(f(3, 2), f(4, 2), f(3)),
    "linear dtype": lambda lib, f, d: lib.nn.functional.linear(f(3, 2), d(4, 2), f(4)),
    "linear bias dtype": lambda lib, f, d: lib.nn.functional.linear(f(3, 2), f(4, 2), d(4)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    def call(lib, single, double):  # type: ignore[no-untyped-def]
        def cut(base):  # type: ignore[no-untyped-def]
            return lambda *shape: base[tuple(slice(0, s) for s in shape)].reshape(shape)

        def of(base):  # type: ignore[no-untyped-def]
            return lambda *shape: base.reshape(-1)[: _count(shape)].reshape(shape)

        return ERRORS[name](lib, of(single), of(double))

    same_error(call, torch.ones(100), torch.ones(100, dtype=torch.float64))


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def test_meta() -> None:
    meta = ours(make(3, 4, grad=False)).to("meta")
    assert tuple((meta @ ours(make(4, 5, grad=False)).to("meta")).shape) == (3, 5)


def test_threads_do_not_change_the_result() -> None:
    import kagari

    a, b = ours(make(300, 500, dtype=torch.float32)), ours(make(500, 200, dtype=torch.float32))
    before = kagari.get_num_threads()
    results = []
    try:
        for count in (1, 2, 3):
            kagari.set_num_threads(count)
            results.append((a @ b).detach())
    finally:
        kagari.set_num_threads(before)
    for other in results[1:]:
        close(other, torch.from_dlpack(results[0]), scale=0)


def test_addr_keeps_its_dtype() -> None:
    """bool stays bool whatever the factors, and gradients of halves are summed in float32."""
    a = torch.tensor([[True, False], [False, False]])
    x, y = torch.tensor([True, False]), torch.tensor([False, True])
    compare(lambda lib, a, x, y: lib.addr(a, x, y), a, x, y)
    compare(lambda lib, a, x, y: lib.addr(a, x, y, beta=False, alpha=True), a, x, y)
    for dtype in (torch.bfloat16, torch.complex128):
        options = {"beta": 0.2, "alpha": 0.6}
        args = make(5, 40, dtype=dtype), make(5, dtype=dtype), make(40, dtype=dtype)
        compare(lambda lib, *a, options=options: lib.addr(*a, **options), *args, order=1)


def test_ger_and_linear_out() -> None:
    compare(lambda lib, x, y: (lib.ger(x, y), x.ger(y)), make(3), make(4))
    out = kagari.empty(0, dtype=kagari.float64)
    x, w = ours((make(2, 3, grad=False), make(4, 3, grad=False)))
    assert kagari.nn.functional.linear(x, w, out=out) is out
    close(out, theirs(x @ w.mT))
