"""Convolutions against PyTorch: values and two derivatives over shapes, layouts, dtypes; errors."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from .pairs import close, compare, ours, same_error
from .test_matmul import make

# spatial dimensions, input, weight, options
CASES = [
    (1, (2, 3, 9), (4, 3, 3), {}),
    (1, (3, 9), (4, 3, 3), {"padding": 1}),
    (2, (2, 3, 7, 8), (4, 3, 3, 3), {}),
    (2, (2, 3, 7, 8), (4, 3, 3, 2), {"stride": 2, "padding": (1, 0)}),
    (2, (2, 4, 9, 9), (6, 2, 3, 3), {"groups": 2, "dilation": 2, "padding": 2}),
    (2, (2, 4, 7, 7), (8, 1, 3, 3), {"groups": 4, "padding": 1}),
    (2, (1, 4, 5, 5), (4, 4, 1, 1), {"stride": (2, 3)}),
    (2, (2, 17, 6, 6), (33, 17, 3, 3), {"padding": 1}),
    (2, (0, 3, 5, 5), (4, 3, 3, 3), {}),
    (2, (3, 5, 5), (4, 3, 3, 3), {"padding": "same"}),
    (2, (2, 3, 8, 8), (4, 3, 4, 2), {"padding": "same", "dilation": (1, 3)}),
    (2, (2, 3, 8, 8), (4, 3, 4, 2), {"padding": "valid"}),
    (2, (2, 3, 5, 5), (4, 3, 3, 3), {"stride": 3}),
    (2, (2, 3, 6, 6), (4, 3, 5, 5), {"stride": 4, "padding": 3}),
    (3, (2, 3, 4, 5, 6), (4, 3, 2, 3, 3), {"padding": 1, "stride": (1, 2, 1)}),
    (3, (2, 4, 4, 4, 4), (4, 2, 3, 3, 3), {"padding": 1, "groups": 2}),
]
TRANSPOSED = [
    (1, (2, 3, 9), (3, 4, 3), {}),
    (1, (2, 3, 5), (3, 4, 3), {"stride": 2, "padding": 1, "output_padding": 1}),
    (2, (2, 3, 5, 6), (3, 4, 3, 3), {"stride": 2}),
    (2, (3, 5, 6), (3, 4, 3, 3), {"stride": (2, 1), "padding": 1, "output_padding": (1, 0)}),
    (2, (2, 4, 5, 6), (4, 3, 3, 3), {"groups": 2, "dilation": 2, "padding": 1}),
    (2, (2, 4, 5, 5), (4, 2, 3, 3), {"dilation": 3, "output_padding": 2}),
    (2, (0, 3, 5, 6), (3, 4, 3, 3), {}),
    (3, (2, 3, 3, 4, 3), (3, 4, 2, 3, 2), {"stride": 2, "padding": (0, 1, 0)}),
]


def run(kind: str, case: tuple, dtype: torch.dtype, bias: bool = True, last: bool = False) -> None:
    spatial, input, weight, options = case
    outs = weight[0] if kind == "conv" else weight[1] * options.get("groups", 1)
    args = [make(*input, dtype=dtype), make(*weight, dtype=dtype)]
    if last:
        formats = {4: torch.channels_last, 5: torch.channels_last_3d}
        args = [
            a.detach().to(memory_format=formats[a.dim()]).requires_grad_(a.requires_grad)
            for a in args
        ]
    if bias:
        args.append(make(outs, dtype=dtype))
    name = f"{kind}{spatial}d"
    compare(
        lambda lib, *a: getattr(lib.nn.functional, name)(*a, **options), *args, scale=10
    )  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_conv(case: tuple, bias: bool, dtype: torch.dtype) -> None:
    run("conv", case, dtype, bias)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("case", TRANSPOSED, ids=str)
def test_transposed(case: tuple, bias: bool, dtype: torch.dtype) -> None:
    run("conv_transpose", case, dtype, bias)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128, torch.bfloat16,
                                   torch.float16, torch.int64], ids=str)  # fmt: skip
@pytest.mark.parametrize("case", [CASES[2], CASES[3]], ids=str)
def test_dtypes(case: tuple, dtype: torch.dtype) -> None:
    run("conv", case, dtype, bias=dtype != torch.int64)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("case", [CASES[i] for i in (2, 4, 5, 7)], ids=str)
def test_channels_last(case: tuple, dtype: torch.dtype) -> None:
    run("conv", case, dtype, last=True)


def test_channels_last_is_kept() -> None:
    image = make(2, 3, 7, 8, dtype=torch.float32).to(memory_format=torch.channels_last)
    weight = make(4, 3, 3, 3, dtype=torch.float32)
    got = ours([image.detach(), weight.detach()])
    import kagari

    result = kagari.nn.functional.conv2d(*got)
    assert tuple(result.stride()) == torch.nn.functional.conv2d(image, weight).stride()


@given(
    batch=st.integers(0, 3), groups=st.integers(1, 3), ins=st.integers(1, 3),
    outs=st.integers(1, 3),
    size=st.integers(5, 9), kernel=st.integers(1, 3), stride=st.integers(1, 3),
    padding=st.integers(0, 2), dilation=st.integers(1, 2), transposed=st.booleans(),
)  # fmt: skip
def test_any_shape(
    batch: int, groups: int, ins: int, outs: int, size: int, kernel: int, stride: int,
    padding: int, dilation: int, transposed: bool,
) -> None:  # fmt: skip
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    weight = (groups * (ins if transposed else outs), outs if transposed else ins, kernel, 2)
    case = (2, (batch, groups * ins, size, size + 1), weight, options)
    run("conv_transpose" if transposed else "conv", case, torch.float32)


def test_strided_operands() -> None:
    image, weight = make(4, 6, 9, 9, dtype=torch.float32), make(4, 3, 3, 3, dtype=torch.float32)
    compare(
        lambda lib, x, w: lib.nn.functional.conv2d(x[::2, 1::2], w.transpose(2, 3)), image, weight
    )
    compare(
        lambda lib, x, w: lib.nn.functional.conv2d(x[:1, :3].expand(2, 3, 9, 9), w), image, weight
    )


@pytest.mark.parametrize("shape", [(16, 32, 32, 20), (4, 64, 96, 12), (8, 24, 24, 16)], ids=str)
def test_large_weight_gradients(shape: tuple[int, int, int, int]) -> None:
    batch, ins, outs, size = shape
    groups = 24 if ins == 24 else 1
    image = make(batch, ins, size, size, dtype=torch.float32)
    weight = make(outs, ins // groups, 3, 3, dtype=torch.float32)
    call = lambda lib, x, w: lib.nn.functional.conv2d(x, w, padding=1, groups=groups)  # noqa: E731
    compare(call, image, weight, scale=30, order=1)


def test_threads_do_not_change_the_result() -> None:
    import kagari

    image, weight = (
        make(8, 32, 20, 20, dtype=torch.float32),
        make(32, 32, 3, 3, dtype=torch.float32),
    )
    x, w = ours([image, weight])
    before, results = kagari.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            kagari.set_num_threads(count)
            y = kagari.nn.functional.conv2d(x, w, padding=1)
            results.append([y.detach(), *kagari.autograd.grad([y], [x, w], [y.detach()])])
    finally:
        kagari.set_num_threads(before)
    for other in results[1:]:
        close(other, [torch.from_dlpack(t) for t in results[0]], scale=0)


ERRORS = {
    "channels": ((1, 3, 4, 4), (2, 4, 3, 3), {}),
    "kernel larger than input": ((1, 3, 2, 2), (2, 3, 3, 3), {}),
    "rank": ((1, 3, 4), (2, 3, 3), {}),
    "input rank": ((4, 4), (2, 3, 3, 3), {}),
    "stride 0": ((1, 3, 4, 4), (2, 3, 3, 3), {"stride": 0}),
    "negative padding": ((1, 3, 4, 4), (2, 3, 3, 3), {"padding": -1}),
    "dilation 0": ((1, 3, 4, 4), (2, 3, 3, 3), {"dilation": 0}),
    "groups": ((1, 3, 4, 4), (2, 3, 3, 3), {"groups": 2}),
    "groups 0": ((1, 3, 4, 4), (2, 3, 3, 3), {"groups": 0}),
    "same with stride": ((1, 3, 4, 4), (2, 3, 3, 3), {"padding": "same", "stride": 2}),
    "padding string": ((1, 3, 4, 4), (2, 3, 3, 3), {"padding": "sam"}),
    "stride length": ((1, 3, 4, 4), (2, 3, 3, 3), {"stride": (1, 1, 1)}),
    "no outputs": ((1, 3, 4, 4), (0, 3, 3, 3), {}),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    input, weight, options = ERRORS[name]
    x, w = torch.ones(input), torch.ones(weight)
    same_error(lambda lib, x, w: lib.nn.functional.conv2d(x, w, **options), x, w)


def test_operand_errors() -> None:
    x, w = torch.ones(1, 3, 4, 4), torch.ones(2, 3, 3, 3)
    conv = lambda lib, *a: lib.nn.functional.conv2d(*a)  # noqa: E731
    same_error(conv, x, w, torch.ones(3))
    same_error(conv, x, w.double())
    same_error(conv, x, w, torch.ones(2, dtype=torch.float64))
    transposed = lambda lib, *a, **k: lib.nn.functional.conv_transpose2d(*a, **k)  # noqa: E731
    same_error(transposed, x, w)
    same_error(transposed, x, torch.ones(3, 2, 3, 3), output_padding=1)
