"""Pooling against PyTorch: values, indices and two derivatives; layouts, extremes, errors."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from .pairs import compare, same_error
from .test_matmul import make

MAX = [
    (1, (2, 3, 9), {"kernel_size": 2}),
    (1, (3, 9), {"kernel_size": 3, "stride": 2, "padding": 1}),
    (2, (2, 3, 8, 9), {"kernel_size": 2}),
    (2, (3, 8, 9), {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}),
    (2, (2, 3, 9, 9), {"kernel_size": 3, "stride": 2, "ceil_mode": True, "padding": 1}),
    (2, (2, 3, 9, 9), {"kernel_size": 3, "stride": 1, "dilation": 2, "padding": 1}),
    (2, (2, 3, 7, 7), {"kernel_size": 2, "stride": 5, "ceil_mode": True}),
    (2, (0, 3, 8, 9), {"kernel_size": 2}),
    (3, (2, 3, 4, 6, 5), {"kernel_size": 2}),
    (3, (2, 3, 5, 6, 5), {"kernel_size": (2, 3, 2), "stride": 2, "padding": 1, "ceil_mode": True}),
]
AVERAGE = [
    (1, (2, 3, 9), {"kernel_size": 2}),
    (1, (3, 9), {"kernel_size": 3, "stride": 2, "padding": 1}),
    (2, (2, 3, 8, 9), {"kernel_size": 2}),
    (2, (3, 8, 9), {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)}),
    (2, (2, 3, 9, 9), {"kernel_size": 3, "stride": 2, "ceil_mode": True, "padding": 1}),
    (2, (2, 3, 9, 9), {"kernel_size": 3, "padding": 1, "count_include_pad": False}),
    (2, (2, 3, 9, 9), {"kernel_size": 3, "padding": 1, "divisor_override": 5}),
    (2, (2, 3, 7, 7), {"kernel_size": 2, "stride": 5, "ceil_mode": True}),
    (2, (0, 3, 8, 9), {"kernel_size": 2}),
    (3, (2, 3, 4, 6, 5), {"kernel_size": 2}),
    (3, (2, 3, 5, 6, 5), {"kernel_size": 2, "padding": 1, "count_include_pad": False}),
]
ADAPTIVE = [
    (1, (2, 3, 9), 4), (1, (3, 5), 7), (2, (2, 3, 8, 9), 1), (2, (2, 3, 8, 9), (3, 5)),
    (2, (3, 8, 9), (8, 2)), (2, (0, 3, 8, 9), (2, 2)), (3, (2, 3, 5, 6, 7), (2, 3, 3)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("case", MAX, ids=str)
def test_max(case: tuple, dtype: torch.dtype) -> None:
    spatial, shape, options = case

    def call(lib, x):  # type: ignore[no-untyped-def]
        pool = getattr(lib.nn.functional, f"max_pool{spatial}d")
        values, indices = pool(x, **options, return_indices=True)
        return values, indices, pool(x, **options)

    compare(call, make(*shape, dtype=dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("case", AVERAGE, ids=str)
def test_average(case: tuple, dtype: torch.dtype) -> None:
    spatial, shape, options = case
    if spatial == 3 and dtype == torch.bfloat16:
        pytest.skip("PyTorch has no 3-d average of bfloat16 on the CPU")
    name = f"avg_pool{spatial}d"
    compare(
        lambda lib, x: getattr(lib.nn.functional, name)(x, **options), make(*shape, dtype=dtype)
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("case", ADAPTIVE, ids=str)
def test_adaptive(case: tuple, dtype: torch.dtype) -> None:
    spatial, shape, size = case

    def call(lib, x):  # type: ignore[no-untyped-def]
        mean = getattr(lib.nn.functional, f"adaptive_avg_pool{spatial}d")(x, size)
        pool = getattr(lib.nn.functional, f"adaptive_max_pool{spatial}d")
        return mean, *pool(x, size, return_indices=True)

    compare(call, make(*shape, dtype=dtype))


@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)), kernel=st.integers(1, 4),
    stride=st.integers(1, 4), padding=st.integers(0, 2), dilation=st.integers(1, 2),
    ceil_mode=st.booleans(), include=st.booleans(),
)  # fmt: skip
def test_any_window(
    size: tuple[int, int], kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool,
    include: bool,
) -> None:  # fmt: skip
    padding = min(padding, kernel // 2)
    x = make(2, 2, *size, dtype=torch.float32)
    window = dilation * (kernel - 1) + 1
    if min(size) + 2 * padding >= window:
        compare(
            lambda lib, x: lib.nn.functional.max_pool2d(
                x, kernel, stride, padding, dilation, ceil_mode, True
            ),
            x,
        )
    if min(size) + 2 * padding >= kernel:
        compare(
            lambda lib, x: lib.nn.functional.avg_pool2d(
                x, kernel, stride, padding, ceil_mode, include
            ),
            x,
        )


def test_layouts() -> None:
    x = make(2, 3, 9, 8, dtype=torch.float32)
    last = x.detach().to(memory_format=torch.channels_last).requires_grad_()

    def both(lib, x):  # type: ignore[no-untyped-def]
        F = lib.nn.functional
        return F.max_pool2d(x, 3, 2, return_indices=True), F.avg_pool2d(x, 3, 2)

    compare(both, last)
    compare(lambda lib, x: both(lib, x.transpose(2, 3)), x)
    compare(lambda lib, x: both(lib, x[:1].expand(3, 3, 9, 8)), x)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int32, torch.int64], ids=str)
def test_integers(dtype: torch.dtype) -> None:
    x = make(2, 3, 6, 6, dtype=dtype) - 50
    compare(lambda lib, x: lib.nn.functional.max_pool2d(x, 2), x)
    if dtype == torch.int64:
        compare(lambda lib, x: lib.nn.functional.avg_pool2d(x, 2), x)


def test_extremes() -> None:
    inf, nan = float("inf"), float("nan")
    x = torch.tensor([[[-inf, -inf, nan, 1.0], [-inf, -inf, 2.0, nan]]])
    compare(lambda lib, x: lib.nn.functional.max_pool2d(x, 2, return_indices=True), x)
    compare(lambda lib, x: lib.nn.functional.max_pool2d(x, 2, 1, 1, return_indices=True), x)
    compare(lambda lib, x: lib.nn.functional.avg_pool2d(x, 2), x)
    ties = torch.zeros(1, 4, 4, requires_grad=True)
    compare(lambda lib, x: lib.nn.functional.max_pool2d(x, 2, return_indices=True), ties)


ERRORS = {
    "too large": ("max_pool2d", (1, 3, 4, 4), (5,), {}),
    "padding": ("max_pool2d", (1, 3, 4, 4), (2,), {"padding": 2}),
    "negative padding": ("max_pool2d", (1, 3, 4, 4), (2,), {"padding": -1}),
    "rank": ("max_pool2d", (4, 4), (2,), {}),
    "kernel 0": ("max_pool2d", (1, 3, 4, 4), (0,), {}),
    "kernel length": ("max_pool2d", (1, 3, 4, 4), ((2, 2, 2),), {}),
    "dilation 0": ("max_pool2d", (1, 3, 4, 4), (2,), {"dilation": 0}),
    "no channels": ("max_pool2d", (1, 0, 4, 4), (2,), {}),
    "no height": ("max_pool2d", (1, 3, 0, 4), (2,), {}),
    "divisor": ("avg_pool2d", (1, 3, 4, 4), (2,), {"divisor_override": 0}),
    "average padding": ("avg_pool2d", (1, 3, 4, 4), (2,), {"padding": 2}),
    "average rank": ("avg_pool3d", (3, 4, 4), (2,), {}),
    "adaptive": ("adaptive_avg_pool2d", (1, 3, 4, 4), ((-1, 2),), {}),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    op, shape, args, options = ERRORS[name]
    same_error(
        lambda lib, x: getattr(lib.nn.functional, op)(x, *args, **options), torch.ones(shape)
    )


def test_bool_is_refused() -> None:
    same_error(lambda lib, x: lib.nn.functional.max_pool2d(x, 2), torch.ones(1, 4, 4).bool())
