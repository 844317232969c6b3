"""polygamma, mvlgamma, float_power, frexp, and the rare pointwise ops, beside PyTorch."""

import math

import numpy as np
import pytest
import torch

import kagari

DTYPES = ("float32", "float64", "int64", "uint8", "bool")
X = [0.3, 0.7, 1.5, 2.0, 4.0, 9.5, -0.4, -2.7]
RARE = [
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_i0",
    "modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1", "spherical_bessel_j0",
]  # fmt: skip
POLYNOMIALS = [
    *(f"{s}chebyshev_polynomial_{k}" for s in ("", "shifted_") for k in "tuvw"),
    "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l",
    "legendre_polynomial_p",
]  # fmt: skip


def both(values, dtype: str):
    return (
        kagari.tensor(values).to(getattr(kagari, dtype)),
        torch.tensor(values).to(getattr(torch, dtype)),
    )


def same(got, want, rtol=2e-6) -> None:
    assert str(got.dtype).split(".")[-1] == str(want.dtype).split(".")[-1]
    got, want = got.detach(), want.detach()
    if want.dtype in (torch.float16, torch.bfloat16):
        got, want = got.float(), want.float()
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=rtol, atol=rtol, equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", RARE)
def test_rare_functions(name, dtype):
    x, y = both(X, dtype)
    got, want = getattr(kagari.special, name)(x), getattr(torch.special, name)(y)
    same(got, want)  # PyTorch's own float64 values of bessel_j0 and bessel_y1 are good to 1e-6
    out = kagari.empty(0, dtype=got.dtype)
    assert getattr(kagari.special, name)(x, out=out) is out and out.tolist()[0] == got.tolist()[0]


@pytest.mark.parametrize("name", RARE)
def test_rare_functions_are_constants_of_floats(name):
    function = getattr(kagari.special, name)
    assert not function(kagari.ones(2, requires_grad=True)).requires_grad
    for dtype in (kagari.float16, kagari.bfloat16, kagari.complex64):
        with pytest.raises(NotImplementedError):
            function(kagari.ones(2, dtype=dtype))


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials(name):
    ours, theirs = getattr(kagari.special, name), getattr(torch.special, name)
    x, y = both([[v] for v in [*X, 1.0, -1.0, 0.0]], "float64")
    degrees = [-2.0, -0.5, 0.0, 1.0, 2.7, 6.0, 8.0, 9.0, 25.0]
    n, k = both(degrees, "float64")
    got, want = ours(x, n), theirs(y, k)
    scale = 1 + want.abs().numpy()
    np.testing.assert_allclose(got.numpy() / scale, want.numpy() / scale, rtol=0, atol=1e-11)
    same(ours(x, 3), theirs(y, 3))
    same(ours(0.5, n), theirs(0.5, k))
    same(ours(*(both([2, 3], "int64")[0],) * 2), theirs(*(both([2, 3], "int64")[1],) * 2))
    assert not ours(x.requires_grad_(), n).requires_grad


def test_hermite_beyond_its_highest_degree():
    """What is left above it is NaN, at whatever argument."""
    he = kagari.special.hermite_polynomial_he
    assert math.isnan(he(kagari.tensor(0.0, dtype=kagari.float64), 513).item())
    assert math.isnan(he(kagari.tensor(0.0), 129).item())
    assert he(kagari.tensor(0.0), 127).item() == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_polygamma(n, dtype):
    x, y = both(X[:6] if dtype != "float64" else X, dtype)
    same(kagari.polygamma(n, x), torch.polygamma(n, y), rtol=2e-5)
    same(x.polygamma(n), y.polygamma(n), rtol=2e-5)
    same(kagari.special.polygamma(n, x), torch.special.polygamma(n, y), rtol=2e-5)
    if dtype.startswith("float"):
        assert x.polygamma_(n) is x
        same(x, y.polygamma_(n), rtol=2e-5)
    else:
        with pytest.raises(RuntimeError, match="can't be cast"):
            x.polygamma_(n)


def test_polygamma_gradients_of_any_order():
    x, y = (t.requires_grad_() for t in both([0.6, 2.5], "float64"))
    for n in (0, 1, 3):
        ours, theirs = kagari.polygamma(n, x), torch.polygamma(n, y)
        for _ in range(3):
            ours = kagari.autograd.grad(ours.sum(), x, create_graph=True)[0]
            theirs = torch.autograd.grad(theirs.sum(), y, create_graph=True)[0]
            same(ours, theirs, rtol=1e-9)


def test_wrong_orders():
    x = kagari.ones(2)
    with pytest.raises(RuntimeError, match="negative n"):
        kagari.polygamma(-1, x)
    with pytest.raises(TypeError, match="'n' must be int"):
        kagari.polygamma(x, 2)
    with pytest.raises(RuntimeError, match="p has to be"):
        kagari.mvlgamma(x, 0)
    with pytest.raises(RuntimeError, match="boolean"):
        kagari.mvlgamma(x > 0, 2)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_mvlgamma(dtype):
    x, y = both([3.5, 4.0, 7.0], dtype)
    for p in (1, 3):
        same(kagari.mvlgamma(x, p), torch.mvlgamma(y, p))
        same(kagari.special.multigammaln(x, p), torch.special.multigammaln(y, p))
    if dtype == "int64":
        with pytest.raises(RuntimeError, match="can't be cast"):
            x.mvlgamma_(2)
    else:
        same(x.mvlgamma_(2), y.mvlgamma_(2))


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_incomplete_gamma(name):
    a, b = (both([0.5, 2.0, 30.0, 150.0], "float64")[k].reshape(-1, 1) for k in (0, 1))
    x, y = both([0.1, 2.0, 33.0, 160.0], "float64")
    ours, theirs = getattr(kagari, name), getattr(torch, name)
    same(ours(a, x), theirs(b, y), rtol=1e-8)  # PyTorch's own loses digits near x = a
    same(getattr(a.expand(4, 4).clone(), name + "_")(x), theirs(b, y), rtol=1e-8)
    alias = {"igamma": "gammainc", "igammac": "gammaincc"}[name]
    same(getattr(kagari.special, alias)(a, x), theirs(b, y), rtol=1e-8)
    with pytest.raises(NotImplementedError):
        ours(kagari.tensor([1]), kagari.tensor([2]))
    x.requires_grad_(), y.requires_grad_()
    ours(a, x).sum().backward(), theirs(b, y).sum().backward()
    same(x.grad, y.grad, rtol=1e-9)
    with pytest.raises(NotImplementedError, match="derivative"):
        ours(a.requires_grad_(), x).sum().backward()


def test_zeta():
    x, y = both([1.5, 2.0, 3.0], "float64")
    q, p = both([0.5, 2.0, -1.5], "float64")
    same(kagari.special.zeta(x, q), torch.special.zeta(y, p), rtol=1e-11)
    same(kagari.special.zeta(2.0, q), torch.special.zeta(2.0, p), rtol=1e-11)
    same(kagari.special.zeta(x, 2), torch.special.zeta(y, 2), rtol=1e-11)
    q.requires_grad_(), p.requires_grad_()
    kagari.special.zeta(2.0, q).sum().backward(), torch.special.zeta(2.0, p).sum().backward()
    same(q.grad, p.grad, rtol=1e-9)
    with pytest.raises(NotImplementedError, match="derivative"):
        kagari.special.zeta(x.requires_grad_(), 2.0).sum().backward()


def test_float_power():
    for base, exponent in (
        ([1, 2, 3], 2), (2, [1.5, 2.0]), ([1.5, -2.0], [2, 3]), ([1 + 2j], 2), ([2.0], 1j),
    ):  # fmt: skip
        a, b = (kagari.tensor(v) if isinstance(v, list) else v for v in (base, exponent))
        c, d = (torch.tensor(v) if isinstance(v, list) else v for v in (base, exponent))
        same(kagari.float_power(a, b), torch.float_power(c, d), rtol=1e-12)
    x = kagari.tensor([2.0], dtype=kagari.float64)
    assert x.float_power_(kagari.tensor([3])) is x and x.item() == 8
    with pytest.raises(RuntimeError, match="requires dtype"):
        kagari.tensor([2.0]).float_power_(2)
    with pytest.raises(RuntimeError, match="requires dtype"):
        kagari.float_power(x, 2, out=kagari.empty(1))
    with pytest.raises(TypeError):
        kagari.float_power(2, 3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_frexp(dtype):
    values = [1.5, 2.0, -3.0, 0.0, math.inf, -math.inf, math.nan, 1e-30, -65504.0]
    x, y = (t.requires_grad_() for t in both(values, dtype))
    ours, theirs = kagari.frexp(x), torch.frexp(y)
    same(ours.mantissa, theirs.mantissa, rtol=0)
    np.testing.assert_array_equal(
        ours.exponent.numpy(), np.where(theirs.mantissa.isfinite(), theirs.exponent, 0)
    )
    assert ours.exponent.dtype == kagari.int32
    ours.mantissa.sum().backward(), theirs.mantissa.sum().backward()
    same(x.grad, y.grad)
    out = (kagari.empty(9, dtype=x.dtype), kagari.empty(9, dtype=kagari.int32))
    assert x.detach().frexp(out=out)[0] is out[0]
    with pytest.raises(RuntimeError, match="exponent to have dtype"):
        kagari.frexp(x.detach(), out=(out[0], out[1].long()))
    with pytest.raises(RuntimeError, match="floating"):
        kagari.frexp(kagari.tensor([1]))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_nextafter_of_every_half(dtype):
    bits = np.arange(-(2**15), 2**15).astype(np.int16)
    x = kagari.from_numpy(bits).view(getattr(kagari, dtype))
    y = torch.from_numpy(bits.copy()).view(getattr(torch, dtype))
    for towards in (math.inf, -math.inf, 0.0, 1.0, math.nan):
        ours = kagari.nextafter(x, kagari.tensor(towards, dtype=x.dtype))
        theirs = torch.nextafter(y, torch.tensor(towards, dtype=y.dtype))
        numbers = ~theirs.isnan().numpy()
        np.testing.assert_array_equal(ours.isnan().numpy(), ~numbers)
        np.testing.assert_array_equal(
            ours.view(kagari.int16).numpy()[numbers], theirs.view(torch.int16).numpy()[numbers]
        )


def test_logaddexp_of_complex_numbers():
    ends = [complex(math.inf, 0), complex(-math.inf, 0), complex(2, math.nan)]
    a = [1 + 2j, -1 + 3j, 0j, 300 - 1j, *ends]
    grids = ([[v] for v in a], a)
    x, p = (kagari.tensor(g, dtype=kagari.complex128) for g in grids)
    y, q = (torch.tensor(g, dtype=torch.complex128) for g in grids)
    same(kagari.logaddexp(x, p), torch.logaddexp(y, q), rtol=1e-12)
    x, y = x[:4].clone().requires_grad_(), y[:4].clone().requires_grad_()
    kagari.logaddexp(x, p[:3]).sum().abs().backward()
    torch.logaddexp(y, q[:3]).sum().abs().backward()
    same(x.grad, y.grad, rtol=1e-12)


def test_round_of_integers():
    x = kagari.tensor([-3, 5])
    assert kagari.round(x).tolist() == [-3, 5] and x.round_().dtype == kagari.int64
    assert kagari.round(x, decimals=0).tolist() == [-3, 5]
    with pytest.raises(NotImplementedError):
        kagari.round(x, decimals=1)
    with pytest.raises(NotImplementedError):
        kagari.round(x > 0)
