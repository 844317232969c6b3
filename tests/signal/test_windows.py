"""signal.windows beside PyTorch."""

import pytest
import torch

import kagari
from tests.ops.beside_torch import compare, ours

OPTIONS = {
    "bartlett": [{}], "blackman": [{}], "cosine": [{}], "hamming": [{}], "hann": [{}],
    "nuttall": [{}], "kaiser": [{}, {"beta": 0.0}, {"beta": 3.5}],
    "gaussian": [{}, {"std": 0.3}], "exponential": [{}, {"tau": 3.0}],
    "general_cosine": [{"a": [0.5]}, {"a": (0.2, 0.5, 0.3)}],
    "general_hamming": [{}, {"alpha": 0.7}],
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_values(name):
    for chosen in OPTIONS[name]:
        for M in (0, 1, 2, 5, 8):
            for sym in (True, False):
                expected = getattr(torch.signal.windows, name)(M, sym=sym, **chosen)
                got = getattr(kagari.signal.windows, name)(M, sym=sym, **chosen)
                assert got.dtype is kagari.float32
                assert kagari.allclose(got, ours(expected), atol=1e-6)
                expected = getattr(torch.signal.windows, name)(
                    M, sym=sym, dtype=torch.float64, **chosen
                )
                got = getattr(kagari.signal.windows, name)(
                    M, sym=sym, dtype=kagari.float64, **chosen
                )
                assert kagari.allclose(got, ours(expected), atol=1e-12)


@pytest.mark.parametrize("name", OPTIONS)
def test_errors(name):
    window, given = getattr(kagari.signal.windows, name), OPTIONS[name][0]
    assert window(3, requires_grad=True, **given).requires_grad
    with pytest.raises(ValueError, match="non-negative"):
        window(-1, **given)
    for dtype in (kagari.int64, kagari.bfloat16, kagari.complex64):
        with pytest.raises(ValueError, match="dtype"):
            window(3, dtype=dtype, **given)
    with pytest.raises(ValueError, match="strided"):
        window(3, layout="sparse", **given)


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (ValueError, lambda w: w.kaiser(3, beta=-1.0)),
        (ValueError, lambda w: w.gaussian(3, std=0.0)),
        (ValueError, lambda w: w.exponential(3, tau=0.0)),
        (ValueError, lambda w: w.exponential(3, center=1.0)),
        (ValueError, lambda w: w.general_cosine(3, a=[])),
        (TypeError, lambda w: w.general_cosine(3, a=0.5)),
    ],
)
def test_parameters(error, call):
    with pytest.raises(error):
        call(kagari.signal.windows)


def test_center():
    compare("signal.windows.exponential", 5, center=1.0, sym=False)
