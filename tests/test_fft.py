"""Fourier transforms beside PyTorch: values, sizes, norms, gradients of two orders, errors."""

import pytest
import torch

import kagari
from tests.ops.same_code import agree, gradients_agree

ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
TAKES_COMPLEX = ("fft", "ifft", "irfft", "hfft")


def sample(name: str, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    torch.manual_seed(0)
    x = torch.randn(3, 5, 6, dtype=dtype)
    return torch.complex(x, x.flip(0)) if name.rstrip("2n") in TAKES_COMPLEX else x


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("norm", [None, "forward", "backward", "ortho"])
@pytest.mark.parametrize("options", [{}, {"n": 4}, {"n": 9}, {"dim": 0}, {"n": 1, "dim": 1}])
def test_one_dimension(name: str, norm: str | None, options: dict) -> None:
    for dtype in (torch.float32, torch.float64):
        x = sample(name, dtype)
        agree(lambda lib, x: getattr(lib.fft, name)(x, norm=norm, **options), x)
        agree(lambda lib, x: getattr(lib.fft, name)(x.mT, norm=norm, **options), x)


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("norm", [None, "forward", "ortho"])
@pytest.mark.parametrize("options", [{}, {"s": (4, 7)}, {"dim": (0, 2)}, {"dim": (1,)},
                                     {"s": (8, -1), "dim": (2, 0)}])  # fmt: skip
def test_several_dimensions(name: str, norm: str | None, options: dict) -> None:
    x = sample(name)
    for suffix in "2n":
        agree(lambda lib, x, s=suffix: getattr(lib.fft, name + s)(x, norm=norm, **options), x)


@pytest.mark.parametrize("name", ONE)
def test_real_and_integer_input(name: str) -> None:
    for x in (torch.arange(8.0), torch.arange(8), torch.tensor([True, False, True])):
        agree(lambda lib, x: getattr(lib.fft, name)(x), x)
    agree(lambda lib, x: getattr(lib.fft, name)(x), torch.tensor(3.0))


@pytest.mark.parametrize("name", ONE)
def test_gradients(name: str) -> None:
    def real_parts(lib, y):
        return lib.view_as_real(y.resolve_conj()) if y.is_complex() else y

    def run(lib, real, imaginary, suffix, options):
        x = lib.complex(real, imaginary) if name in TAKES_COMPLEX else real
        return real_parts(lib, getattr(lib.fft, name + suffix)(x, **options)) ** 2

    real, imaginary = (torch.randn(3, 4, 5, dtype=torch.float64) for _ in range(2))
    for suffix, options in [("", {}), ("", {"n": 4, "norm": "ortho"}), ("", {"n": 9, "dim": 1}),
                            ("2", {"s": (3, 6)}), ("n", {"norm": "forward"})]:  # fmt: skip
        gradients_agree(
            lambda lib, a, b, s=suffix, o=options: run(lib, a, b, s, o), real, imaginary
        )


@pytest.mark.parametrize("code", [
    "f.fft(x, n=0)", "f.fft(x, dim=7)", "f.fft(x, norm='best')", "f.rfft(lib.complex(x, x))",
    "f.fftn(x, dim=(0, 0))", "f.fftn(x, s=(1, 2), dim=(0,))", "f.fftn(x, s=(1, 1, 1, 1))",
    "f.fft(x.half())", "f.irfft(x[..., :1])", "f.rfftn(x[0, 0, 0])", "f.fft2(x[0, 0])",
    "f.rfft(x, n=-3)",
])  # fmt: skip
def test_errors(code: str) -> None:
    x = torch.randn(2, 3, 4)
    agree(lambda lib, x: eval(code, {"lib": lib, "f": lib.fft, "x": x}), x)


@pytest.mark.parametrize("code", [
    "f.fftfreq(8)", "f.fftfreq(7, 0.5)", "f.rfftfreq(8, 2.0)", "f.rfftfreq(7)", "f.fftshift(x)",
    "f.ifftshift(x)", "f.fftshift(x, dim=1)", "f.ifftshift(x, dim=(0, 1))", "f.fftfreq(1)",
])  # fmt: skip
def test_frequencies_and_shifts(code: str) -> None:
    agree(lambda lib, x: eval(code, {"f": lib.fft, "x": x}), torch.arange(15.0).reshape(3, 5))


def test_out_and_meta() -> None:
    x = kagari.randn(4)
    out = kagari.empty(0, dtype=kagari.complex64)
    assert kagari.fft.fft(x, out=out) is out and out.shape == (4,)
    meta = kagari.empty(3, 8, device="meta")
    assert kagari.fft.rfft(meta).shape == (3, 5)
    assert kagari.fft.irfft(kagari.fft.rfft(meta)).dtype == kagari.float32
