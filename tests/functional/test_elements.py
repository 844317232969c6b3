"""Sets, fingerprints, bounds, norms, copies: small functions beside PyTorch."""

import pytest
import torch

import kagari
from tests.ops.beside_torch import (
    DTYPES,
    REAL,
    compare,
    compare_gradients,
    ours,
    sample,
)

NUMBERS = [d for d in REAL if d != torch.bool]


@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
def test_isin(dtype):
    x, among = sample(dtype, 3, 5), sample(dtype, 4, seed=2)
    compare("isin", x, among)
    compare("isin", x, among[:0])
    compare("isin", x, torch.cat([among, x[0]]), invert=True)
    compare("isin", x, 2)
    compare("isin", 2, x)
    compare("isin", x, torch.tensor([1.0, torch.nan]))


@pytest.mark.parametrize("dtype", REAL, ids=str)
def test_hash_tensor(dtype):
    x = sample(dtype, 3, 5, 2)
    for dim in ((), 0, (1, 2), (-1,)):
        for keepdim in (False, True):
            expected = torch.hash_tensor(x, dim, keepdim=keepdim)
            got = kagari.hash_tensor(ours(x), dim, keepdim=keepdim)
            assert got.dtype is kagari.uint64
            assert got.tolist() == expected.tolist()


def test_wrong_sets():
    for call in (
        lambda: kagari.isin(kagari.ones(1) > 0, kagari.ones(1) > 0),
        lambda: kagari.hash_tensor(kagari.ones(2), mode=1),
        lambda: kagari.hash_tensor(kagari.zeros(0)),
        lambda: kagari.hash_tensor(kagari.ones(1), out=kagari.empty(0)),
    ):
        with pytest.raises(RuntimeError):
            call()
    with pytest.raises(TypeError):
        kagari.isin(1, 2)
    with pytest.raises(IndexError):
        kagari.hash_tensor(kagari.zeros(0, 2), 0)


@pytest.mark.parametrize("name", ["clamp_max", "clamp_min"])
def test_clamps(name):
    for dtype in NUMBERS:
        x = sample(dtype, 3, 4)
        compare(name, x, 2)
        compare(name, x, 1.5)
        compare(f"Tensor.{name}", x, sample(dtype, 4, seed=4))
    x = sample(torch.float64, 3).requires_grad_()
    compare_gradients(name, x, 0.2)
    y = kagari.tensor([1, 5])
    assert getattr(y, name + "_")(3) is y
    with pytest.raises(RuntimeError):
        getattr(kagari.tensor([1]), name + "_")(2.5)
    with pytest.raises(NotImplementedError):
        getattr(kagari, name)(kagari.ones(1), 1j)
    with pytest.raises(TypeError):
        getattr(kagari, name)(kagari.ones(1), None)


def test_vander():
    for x in (torch.tensor([1, 2, 3]), torch.tensor([0.5, 2j]), torch.tensor([True, False])):
        for options in ({}, {"N": 5}, {"N": 0}, {"N": 2, "increasing": True}):
            compare("vander", x, **options)
    for args in ((kagari.ones(2, 2),), (kagari.ones(2), -1)):
        with pytest.raises(RuntimeError):
            kagari.vander(*args)


@pytest.mark.parametrize(
    "dtype", [d for d in DTYPES if d.is_floating_point or d.is_complex], ids=str
)
def test_renorm(dtype):
    x = sample(dtype, 3, 4)
    for p in (0.5, 1, 2, float("inf")):
        for dim in (0, -1):
            compare("renorm", x, p, dim, 1.5, scale=10)


def test_renorm_more():
    x = sample(torch.float64, 3, 4).requires_grad_()
    compare_gradients("renorm", x, 2, 0, 1.0, scale=10)
    y = kagari.full((2, 2), 3.0)
    assert y.renorm_(1, 0, 1.0) is y
    assert kagari.allclose(y, kagari.full((2, 2), 0.5))
    for args in ((2, 0, -1.0), (0, 0, 1.0), (1j, 0, 1.0)):
        with pytest.raises(RuntimeError):
            kagari.renorm(kagari.ones(2, 2), *args)
    with pytest.raises(RuntimeError):
        kagari.renorm(kagari.ones(2), 2, 0, 1.0)


def test_norms():
    x = sample(torch.float64, 2, 3, 4)
    compare("norm", x[0], "nuc", scale=10)
    for args in ((), ("fro",), (1,), (None,), ("fro", 1), ("nuc", (0, 2), True), (3, -1)):
        compare("norm", x, *args, scale=10)
        compare("Tensor.norm", x, *args, scale=10)
    compare("norm", x.float(), 2, dtype=torch.float64, scale=10)
    compare("frobenius_norm", x, (0, 1))
    compare("nuclear_norm", x, scale=10)
    for dim in (-1, 0, 1):
        compare("norm_except_dim", x, 2, dim)
    out = kagari.empty(0)
    kagari.norm(kagari.eye(3), "nuc", out=out)
    assert out.item() == pytest.approx(3.0)
    for p, dim in (("abc", None), ("nuc", None), ("fro", (0, 1, 2)), ("nuc", (0,))):
        with pytest.raises(RuntimeError):
            kagari.norm(kagari.ones(2, 2, 2), p, dim)


def test_second_gradient_of_the_norm_of_zeros():
    found = []
    for library in (torch, kagari):
        x = library.zeros(3, dtype=library.float64, requires_grad=True)
        (first,) = library.autograd.grad(library.norm(x), x, create_graph=True)
        (second,) = library.autograd.grad(first.sum(), x)
        found.append((first.tolist(), str(second.tolist())))
    assert found[0] == found[1] == ([0.0] * 3, "[nan, nan, nan]")  # it does not exist


def test_copies():
    x = sample(torch.float32, 2, 3)
    compare("unsafe_split_with_sizes", x, [1, 2], 1)
    compare("adjoint", x)
    compare("ger", x[0], x[1])
    compare("Tensor.__rdiv__", x, 2.0)
    with pytest.raises(RuntimeError):
        kagari.adjoint(kagari.ones(2))
    y = kagari.ones(1, requires_grad=True) * 2
    assert not kagari.detach_copy(y).requires_grad
    assert kagari.detach_(y) is y and y.is_leaf
    z = kagari.zeros(4)
    assert kagari.resize_as_(z, kagari.zeros(2, 1)) is z and tuple(z.shape) == (2, 1)
    assert kagari.fill_(z, 3.0) is z and z.tolist() == [[3.0], [3.0]]


def test_resize_with_a_memory_format():
    like = kagari.zeros(2, 3, 4, 5).to(memory_format=kagari.channels_last)
    t = kagari.empty(0)
    assert t.resize_as_(like).stride() == (60, 20, 5, 1)
    assert t.resize_as_(like, memory_format=kagari.preserve_format).stride() == like.stride()
    assert t.resize_(2, 3, 4, 5, memory_format=kagari.channels_last).stride() == like.stride()
    with pytest.raises(RuntimeError):
        t.resize_(1, memory_format=kagari.preserve_format)


def test_narrow_copy_errors():
    with pytest.raises(RuntimeError):
        kagari.narrow_copy(kagari.ones(2, 3), 2, 0, 1)
    out = kagari.zeros(1, 3, 2)[..., 1]
    kagari.narrow_copy(kagari.arange(6.0).reshape(2, 3), 0, 1, 1, out=out)
    assert out.tolist() == [[3.0, 4.0, 5.0]]


def test_addbmm_takes_the_shape_of_the_product():
    a, b = sample(torch.float64, 2, 3, 4), sample(torch.float64, 2, 4, 5)
    for shape in ((), (1,), (3, 1), (3, 5)):
        x = kagari.ones(shape, dtype=kagari.float64)
        assert x.addbmm_(ours(a), ours(b), beta=2) is x
        expected = torch.ones(shape, dtype=torch.float64).addbmm_(a, b, beta=2)
        assert kagari.allclose(x, ours(expected))


def test_as_strided_scatter():
    x = kagari.arange(12.0)[2:8]
    out = kagari.as_strided_scatter(x, kagari.full((2,), -1.0), (2,), (3,), 2)
    assert out.tolist() == [-1.0, 3.0, 4.0, -1.0, 6.0, 7.0]
    a = kagari.randn(6, dtype=kagari.float64, requires_grad=True)
    b = kagari.randn(2, 2, dtype=kagari.float64, requires_grad=True)
    assert kagari.autograd.gradcheck(
        lambda x, y: kagari.as_strided_scatter(x, y, (2, 2), (2, 1), 1), (a, b)
    )


def test_a_window_may_leave_its_base():
    memory = kagari.randn(20, dtype=kagari.float64)
    x = memory[5:15].detach().requires_grad_()
    for offset in (0, 3, 14):
        assert kagari.autograd.gradgradcheck(
            lambda t, at=offset: t.as_strided((2, 2), (1, 2), at) * 2, (x,)
        )
    y, w = memory[5:15].detach(), kagari.ones(4, requires_grad=True)
    y.as_strided((4,), (1,), 3).add_(w)
    y.sum().backward()
    assert w.grad.tolist() == [0.0, 0.0, 1.0, 1.0]
