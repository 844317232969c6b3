"""autocast and GradScaler against PyTorch's on the CPU: dtypes, values, gradients, states."""

import numpy as np
import pytest
import torch

import kagari
from kagari import amp


def operands(lib):
    rng = np.random.default_rng(0)
    a, b = (lib.tensor(rng.normal(size=s), dtype=lib.float32) for s in ((3, 4), (4, 5)))
    return a, b, lib.tensor(rng.normal(size=(1, 2, 6, 6)), dtype=lib.float32)


OPS = {
    "matmul": lambda lib, F, a, b, i: a @ b,
    "mm": lambda lib, F, a, b, i: lib.mm(a, b),
    "vector": lambda lib, F, a, b, i: a @ b[:, 0],
    "bmm": lambda lib, F, a, b, i: lib.bmm(a[None], b[None]),
    "addmm": lambda lib, F, a, b, i: lib.addmm(lib.zeros(3, 5), a, b),
    "baddbmm": lambda lib, F, a, b, i: lib.baddbmm(lib.zeros(1, 3, 5), a[None], b[None]),
    "linear": lambda lib, F, a, b, i: F.linear(a, b.T, lib.ones(5)),
    "conv2d": lambda lib, F, a, b, i: F.conv2d(i, lib.ones(3, 2, 3, 3)),
    "conv_transpose2d": lambda lib, F, a, b, i: F.conv_transpose2d(i, lib.ones(2, 3, 3, 3)),
    "einsum": lambda lib, F, a, b, i: lib.einsum("ij,jk", a, b),
    "attention": lambda lib, F, a, b, i: F.scaled_dot_product_attention(i, i, i),
    "dot": lambda lib, F, a, b, i: lib.dot(a[0], a[1]),
    "mv": lambda lib, F, a, b, i: lib.mv(a, b[:, 0]),
    "double": lambda lib, F, a, b, i: a.double() @ b.double(),
    "half": lambda lib, F, a, b, i: a.half() @ b.half(),
    "int": lambda lib, F, a, b, i: a.int() @ b.int(),
    "in place": lambda lib, F, a, b, i: lib.zeros(3, 5).addmm_(a, b),
    "cat": lambda lib, F, a, b, i: lib.cat([a, a.bfloat16()]),
    "cat of one dtype": lambda lib, F, a, b, i: lib.cat([a.double(), a.double()]),
    "stack": lambda lib, F, a, b, i: lib.stack([a, a.bfloat16()]),
    "add": lambda lib, F, a, b, i: a + a.bfloat16(),
    "exp": lambda lib, F, a, b, i: a.bfloat16().exp(),
    "softmax": lambda lib, F, a, b, i: a.bfloat16().softmax(0),
    "layer_norm": lambda lib, F, a, b, i: F.layer_norm(a.bfloat16(), (4,)),
    "mse": lambda lib, F, a, b, i: F.mse_loss(a.bfloat16(), a.bfloat16() + 1),
    "l1": lambda lib, F, a, b, i: F.l1_loss(a.bfloat16(), a.bfloat16() + 1),
    "smooth l1": lambda lib, F, a, b, i: F.smooth_l1_loss(a.bfloat16(), a.bfloat16() + 1),
    "huber": lambda lib, F, a, b, i: F.huber_loss(a.bfloat16(), a.bfloat16() + 1),
    "bce": lambda lib, F, a, b, i: F.binary_cross_entropy_with_logits(
        a.bfloat16(), a.bfloat16().sigmoid()
    ),
    "cross entropy": lambda lib, F, a, b, i: F.cross_entropy(
        a.bfloat16(), lib.tensor([0, 1, 2])
    ),
    "prod": lambda lib, F, a, b, i: a.bfloat16().prod(),
    "reflect": lambda lib, F, a, b, i: F.pad(i.bfloat16(), (1, 1, 1, 1), mode="reflect"),
    "zeros": lambda lib, F, a, b, i: F.pad(i.bfloat16(), (1, 1, 1, 1)),
    "max_pool2d": lambda lib, F, a, b, i: F.max_pool2d(i.bfloat16(), 2),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", OPS)
def test_dtypes_and_values(name, dtype):
    results = []
    for lib in (kagari, torch):
        with lib.autocast("cpu", dtype=getattr(lib, dtype)):
            results.append(OPS[name](lib, lib.nn.functional, *operands(lib)))
    ours, theirs = results
    assert str(ours.dtype) == str(theirs.dtype)
    np.testing.assert_allclose(
        ours.double().tolist(), theirs.double().tolist(), rtol=0.02, atol=0.02
    )


def trained(lib):
    """Losses of a small network in bfloat16 blocks."""
    lib.manual_seed(0)
    net = lib.nn.Sequential(lib.nn.Linear(8, 16), lib.nn.ReLU(), lib.nn.Linear(16, 3))
    optimizer = lib.optim.SGD(net.parameters(), lr=0.1)
    x, y, losses = lib.randn(12, 8), lib.randint(0, 3, (12,)), []
    for _ in range(5):
        with lib.autocast("cpu"):
            loss = lib.nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(p.dtype == p.grad.dtype == lib.float32 for p in net.parameters())
    return losses


def test_training():
    np.testing.assert_allclose(trained(kagari), trained(torch), rtol=5e-3)


def test_blocks_nest_and_decorate():
    a = kagari.ones(2, 2)
    with kagari.autocast("cpu"):
        assert kagari.is_autocast_enabled("cpu") and kagari.is_autocast_cpu_enabled()
        with kagari.autocast("cpu", enabled=False):
            assert (a @ a).dtype is kagari.float32 and not kagari.is_autocast_enabled("cpu")
            with kagari.autocast("cpu", dtype=kagari.float16):
                assert (a @ a).dtype is kagari.float16
                assert kagari.get_autocast_dtype("cpu") is kagari.float16
        assert (a @ a).dtype is kagari.bfloat16
    assert (a @ a).dtype is kagari.float32 and not kagari.is_autocast_enabled("cpu")
    assert kagari.autocast("cpu")(lambda: a @ a)().dtype is kagari.bfloat16
    with pytest.raises(ZeroDivisionError), kagari.autocast("cpu"):
        1 / 0  # noqa: B018
    assert (a @ a).dtype is kagari.float32


def test_parameters_are_cast_once():
    weight = kagari.ones(2, 2, requires_grad=True)
    with kagari.autocast("cpu"):
        (weight @ weight @ weight).sum().backward()
    assert weight.grad.dtype is kagari.float32 and weight.grad.tolist() == [[12.0] * 2] * 2


def test_off_with_a_warning():
    with pytest.warns(UserWarning, match="no cuda"):
        assert not kagari.autocast("cuda")._enabled
    with pytest.warns(UserWarning, match="not supported"):
        assert not kagari.autocast("cpu", dtype=kagari.float32)._enabled
    with pytest.warns(UserWarning, match="no cuda"):
        assert not amp.GradScaler().is_enabled()
    with pytest.raises(RuntimeError):
        kagari.autocast("fantasy")
    with pytest.raises(ValueError):
        kagari.autocast(kagari.device("cpu"))


@pytest.mark.parametrize("lib", [kagari, torch], ids=["kagari", "torch"])
def test_custom_functions(lib):
    class Product(lib.autograd.Function):
        @staticmethod
        @lib.amp.custom_fwd(device_type="cpu", cast_inputs=lib.float32)
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            assert a.dtype == lib.float32 and not lib.is_autocast_enabled("cpu")
            return a @ b

        @staticmethod
        @lib.amp.custom_bwd(device_type="cpu")
        def backward(ctx, grad):
            a, b = ctx.saved_tensors
            return grad @ b.T, a.T @ grad

    a = lib.ones(2, 2, requires_grad=True)
    with lib.autocast("cpu"):
        out = Product.apply(a.bfloat16(), a)
    assert out.dtype == lib.float32
    out.sum().backward()
    assert a.grad.tolist() == [[4.0, 4.0]] * 2


def scaled(lib, gradients):
    """The scales, weights and states along steps with these gradients."""
    p = lib.nn.Parameter(lib.ones(2))
    optimizer = lib.optim.SGD([p], lr=0.5)
    scaler = lib.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
    found = []
    for gradient in gradients:
        optimizer.zero_grad()
        scaler.scale((p * gradient).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        found.append((scaler.get_scale(), p.tolist(), scaler.state_dict()))
    return found


def test_grad_scaler():
    gradients = [1.0, float("inf"), 0.5, 0.25, 2.0, float("nan"), 1.0]
    assert scaled(kagari, gradients) == scaled(torch, gradients)


@pytest.mark.parametrize("lib", [kagari, torch], ids=["kagari", "torch"])
def test_grad_scaler_by_hand(lib):
    p = lib.nn.Parameter(lib.ones(2))
    optimizer = lib.optim.SGD([p], lr=1.0)
    scaler = lib.amp.GradScaler("cpu", init_scale=4.0)
    losses = scaler.scale([p.sum(), p.sum()])
    assert [loss.item() for loss in losses] == [8.0, 8.0]
    losses[0].backward()
    scaler.unscale_(optimizer)
    assert p.grad.tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError):
        scaler.step(optimizer)
    scaler.update(new_scale=2.0)
    assert scaler.get_scale() == 2.0 and p.tolist() == [0.0, 0.0]
    other = lib.amp.GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    assert other.state_dict() == scaler.state_dict()
    with pytest.raises(RuntimeError):
        other.load_state_dict({})
    off = lib.amp.GradScaler("cpu", enabled=False)
    assert off.scale(p) is p and off.state_dict() == {} and off.get_scale() == 1.0
