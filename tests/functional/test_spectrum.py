"""stft, istft and the older windows beside PyTorch."""

import pytest
import torch

import kagari
from tests.ops.beside_torch import compare, compare_gradients, ours, sample

WINDOWS = ("hann", "hamming", "blackman", "bartlett", "kaiser")


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
def test_stft(dtype):
    x, window = sample(dtype, 2, 30), torch.hann_window(6, dtype=torch.float64)
    options = (
        {}, {"hop_length": 3}, {"win_length": 6}, {"win_length": 6, "window": window},
        {"center": False}, {"normalized": True}, {"pad_mode": "constant"},
        {"center": False, "win_length": 6, "window": window, "align_to_window": True},
        {"onesided": False}, {"window": window.to(torch.complex128), "win_length": 6},
    )  # fmt: skip
    for chosen in options:
        compare("stft", x, 8, return_complex=True, scale=100, **chosen)
        compare("stft", x[0], 8, return_complex=True, scale=100, **chosen)
    compare("stft", x, 8, return_complex=False, scale=100)


@pytest.mark.parametrize("centered", [True, False])
def test_istft(centered):
    x, window = sample(torch.float64, 2, 40), torch.hamming_window(8, dtype=torch.float64)
    options = {"hop_length": 2, "window": window, "center": centered}
    spectrum = torch.stft(x, 8, return_complex=True, **options)
    compare("istft", spectrum, 8, scale=100, **options)
    compare("istft", spectrum[0], 8, scale=100, length=20, **options)
    compare("istft", spectrum, 8, scale=100, normalized=True, **options)
    back = kagari.istft(ours(spectrum), 8, 2, window=ours(window), center=centered)
    assert kagari.allclose(back, ours(x)[:, : back.shape[1]])
    full = torch.stft(x, 8, return_complex=True, onesided=False, **options)
    compare("istft", full, 8, scale=100, onesided=False, return_complex=True, **options)


def test_gradients():
    x = sample(torch.float64, 20).requires_grad_()
    compare_gradients("stft", x, 8, return_complex=True, scale=1000)
    z = torch.stft(x.detach(), 8, return_complex=True).requires_grad_()
    compare_gradients("istft", z, 8, scale=1000)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: kagari.stft(x, 8),
        lambda x: kagari.stft(x.long(), 8, return_complex=True),
        lambda x: kagari.stft(x, 8, 0, return_complex=True),
        lambda x: kagari.stft(x, 8, win_length=9, return_complex=True),
        lambda x: kagari.stft(x, 8, window=kagari.ones(7), return_complex=True),
        lambda x: kagari.stft(x, 40, center=False, return_complex=True),
        lambda x: kagari.stft(x, 8, align_to_window=True, return_complex=True),
        lambda x: kagari.stft(x + 0j, 8, onesided=True),
        lambda x: kagari.istft(x, 8),
        lambda x: kagari.istft(kagari.stft(x, 8, return_complex=True), 10),
        lambda x: kagari.istft(kagari.stft(x, 8, return_complex=True), 8, window=kagari.zeros(8)),
        lambda x: kagari.istft(kagari.stft(x, 8, return_complex=True), 8, 9),
    ],
)
def test_wrong_input(call):
    with pytest.raises(RuntimeError):
        call(kagari.ones(20))


@pytest.mark.parametrize("name", [w + "_window" for w in WINDOWS])
def test_windows(name):
    for length in (0, 1, 2, 5, 8):
        for periodic in (True, False):
            for dtype in (torch.float64, torch.float32, torch.bfloat16):
                expected = getattr(torch, name)(length, periodic, dtype=dtype)
                got = getattr(kagari, name)(length, periodic, dtype=ours(dtype))
                assert got.dtype is ours(dtype)
                close = kagari.allclose(got.double(), ours(expected.double()), atol=1e-2)
                assert close
                if dtype == torch.float64:
                    assert kagari.allclose(got, ours(expected), atol=1e-12)
    assert getattr(kagari, name)(3, requires_grad=True).requires_grad
    for args, options in (((-1,), {}), ((3,), {"dtype": kagari.int64})):
        with pytest.raises(RuntimeError):
            getattr(kagari, name)(*args, **options)
    with pytest.raises(TypeError):
        getattr(kagari, name)(3, shape=2)


def test_parameters_of_windows():
    compare("hamming_window", 7, True, 0.5, 0.4)
    compare("kaiser_window", 7, False, 3.0)
