"""Fourier transforms beside PyTorch: values, sizes, norms, gradients of two orders, errors."""

import math

import numpy as np
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


# ---- lengths, layouts and threads, beside NumPy in a wider dtype ----

# passes of every radix, products for large primes, six steps; short and long
LENGTHS = [1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 17, 22, 60, 97, 100, 127, 128, 169, 500, 1009, 1024,
           2048, 3000, 4099, 8192, 20011, 65536]  # fmt: skip


def relative_error(found: np.ndarray, exact: np.ndarray) -> float:
    """Root mean square, in roundings per factor of two in the length."""
    unit = np.finfo(found.dtype).eps * max(1.0, math.log2(max(found.shape)))
    return float(np.sqrt((abs(found - exact) ** 2).mean() / (abs(exact) ** 2).mean()) / unit)


def laid_out(x: np.ndarray, layout: str) -> tuple[kagari.Tensor, int]:
    """`x` (lines, points) as a tensor, and the dimension of the points."""
    if layout == "columns":
        return kagari.from_numpy(np.ascontiguousarray(x.T)), 0
    if layout == "scattered":
        wide = np.zeros((*x.shape, 3), x.dtype)
        wide[..., 1] = x
        return kagari.from_numpy(wide)[..., 1], 1
    return kagari.from_numpy(x.copy()), 1


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_accuracy_of_every_way_to_do_it(n: int, dtype: type) -> None:
    generator = np.random.default_rng(n)
    cases = [("rows", 1), ("rows", 2)]
    if n <= 2048:
        cases += [("rows", 37), ("columns", 19), ("columns", 3), ("scattered", 17)]
    for layout, lines in cases:
        both = generator.standard_normal((2, lines, n))
        x = (both[0] + 1j * both[1]).astype(dtype)
        wide = x.astype(np.clongdouble)
        half = np.fft.rfft(wide.real).astype(dtype)
        for name, given, exact in [
            ("fft", x, np.fft.fft(wide)),
            ("ifft", x, np.fft.ifft(wide)),
            ("rfft", x.real, np.fft.rfft(wide.real)),
            ("irfft", half, np.fft.irfft(half.astype(np.clongdouble), n=n)),
        ]:
            tensor, dim = laid_out(given, layout)
            options = {"n": n} if name == "irfft" else {}
            found = getattr(kagari.fft, name)(tensor, dim=dim, **options).numpy()
            found = found.T if layout == "columns" else found
            assert relative_error(found, exact) < 0.8, (name, layout, lines)


def test_the_imaginary_parts_that_a_real_signal_has_not_are_ignored() -> None:
    for n in (2, 7, 8, 2048, 2049):
        half = np.fft.rfft(np.arange(float(n)))
        half[0] += 3j
        if n % 2 == 0:
            half[-1] -= 2j
        found = kagari.fft.irfft(kagari.from_numpy(half), n=n).numpy()
        np.testing.assert_allclose(found, np.arange(n), atol=1e-10 * n)


@pytest.mark.parametrize("shape", [(3000,), (65536,), (40, 96), (5, 20011), (300, 64)])
def test_same_bits_on_any_number_of_threads(shape: tuple[int, ...]) -> None:
    x = kagari.rand(*shape, dtype=kagari.complex64)
    before = kagari.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            kagari.set_num_threads(threads)
            results.append([kagari.fft.fftn(x), kagari.fft.rfft(x.real), kagari.fft.irfft(x)])
    finally:
        kagari.set_num_threads(before)
    for other in results[1:]:
        assert all(kagari.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_nothing_to_transform_and_many_plans() -> None:
    assert kagari.fft.fft(kagari.empty(0, 4, dtype=kagari.complex64)).shape == (0, 4)
    assert kagari.fft.rfft2(kagari.empty(2, 0, 4, 6)).shape == (2, 0, 4, 4)
    x = kagari.rand(3000)
    for n in range(1, 400):
        again = kagari.fft.irfft(kagari.fft.rfft(x, n=n), n=n)
        assert float((again - x[:n]).abs().max()) < 2e-6
