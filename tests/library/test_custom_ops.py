"""kagari.library: the same definitions give the same ops as in PyTorch."""

import pytest
import torch

import kagari
from kagari import library


def scaled(lib):
    """An op with a derivative and a shape rule, in either library."""

    def scale(x, by: float = 2.0):
        return x * by

    scale.__annotations__ = {"x": lib.Tensor, "by": float, "return": lib.Tensor}
    op = lib.library.custom_op("kagaritest::scale", scale, mutates_args=())
    op.register_fake(lambda x, by=2.0: lib.empty_like(x))
    op.register_autograd(
        lambda ctx, grad: (grad * ctx.by, None),
        setup_context=lambda ctx, inputs, output: setattr(ctx, "by", inputs[1]),
    )
    return op


@pytest.mark.parametrize("lib", [kagari, torch], ids=["kagari", "torch"])
def test_an_op_with_a_derivative(lib):
    scaled(lib)
    op = lib.ops.kagaritest.scale
    x = lib.ones(3, requires_grad=True)
    y = op(x, by=3.0)
    assert y.tolist() == [3, 3, 3] and y.requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [3, 3, 3]
    assert op.default(x.detach()).tolist() == [2, 2, 2]
    assert op(lib.ones(3, device="meta")).shape == (3,)
    with pytest.raises((TypeError, RuntimeError)):
        op(x, 1.0, 2.0)


@pytest.mark.parametrize("lib", [kagari, torch], ids=["kagari", "torch"])
def test_library_define_and_impl(lib):
    own = lib.library.Library("kagaritest2", "DEF")
    own.define("both(Tensor x, Tensor y, *, int n=1) -> (Tensor, Tensor)")
    own.impl("both", lambda x, y, *, n: (x + n, y - n), "CPU")
    a, b = lib.ops.kagaritest2.both(lib.ones(2), lib.ones(2), n=4)
    assert a.tolist() == [5, 5] and b.tolist() == [-3, -3]
    own._destroy()


@pytest.mark.parametrize("lib", [kagari, torch], ids=["kagari", "torch"])
def test_without_a_derivative_backward_is_an_error(lib):
    lib.library.custom_op(
        "kagaritest3::f", lambda x: x * 2, mutates_args=(), schema="(Tensor x) -> Tensor"
    )
    out = lib.ops.kagaritest3.f(lib.ones(2, requires_grad=True))
    with pytest.raises(RuntimeError):
        out.sum().backward()


@pytest.mark.parametrize("lib", [kagari, torch], ids=["kagari", "torch"])
def test_an_op_that_writes(lib):
    def fill(x, value):
        x.fill_(value)

    schema = "(Tensor(a!) x, float value) -> ()"
    op = lib.library.custom_op("kagaritest4::fill", fill, mutates_args=("x",), schema=schema)
    x = lib.zeros(2)
    op(x, 3.0)
    assert x.tolist() == [3, 3]


def signature_of(lib):
    def f(x, y, n=3, *, names, flag=True):
        pass

    f.__annotations__ = {
        "x": lib.Tensor, "y": list[lib.Tensor], "n": int | None, "names": str, "flag": bool,
        "return": tuple[lib.Tensor, lib.Tensor],
    }  # fmt: skip
    return f


def test_schemas_are_read_from_annotations():
    ours = library.infer_schema(signature_of(kagari), mutates_args={"x"})
    assert ours == torch.library.infer_schema(signature_of(torch), mutates_args={"x"})


def test_what_is_not_there():
    with pytest.raises(AttributeError, match="nothing"):
        kagari.ops.kagaritest.nothing()
    with pytest.raises(RuntimeError, match="does not exist"):
        library.register_fake("kagaritest::nothing", len)
    with pytest.raises(ValueError, match="namespace::name"):
        library.custom_op("alone", len, mutates_args=(), schema="(Tensor x) -> Tensor")
    with pytest.raises(OSError):
        kagari.ops.load_library("libtorchvision.so")
