"""Views and in-place writes: gradients as PyTorch's, errors where there is no right gradient."""

import pytest

import kagari
from tests.autograd.beside import same, same_error


def leaf(t, shape=(3, 4)):
    count = 1
    for s in shape:
        count *= s
    x = t.arange(count, dtype=t.float64).reshape(shape) / 7 + 0.5
    return x.requires_grad_()


VIEWS = {
    "select": lambda x: x[1],
    "slice": lambda x: x[:, 1:4:2],
    "transpose": lambda x: x.t(),
    "permute": lambda x: x.permute(1, 0),
    "view": lambda x: x.view(2, 6),
    "reshape of transposed": lambda x: x.t().reshape(6, 2),
    "expand": lambda x: x[:1].expand(5, 4),
    "diagonal": lambda x: x.diagonal(),
    "unfold": lambda x: x.unfold(1, 2, 1),
    "as_strided": lambda x: x.as_strided((2, 2), (4, 2), 1),
    "overlapping as_strided": lambda x: x.as_strided((3, 3), (1, 1), 0),
    "squeeze": lambda x: x[:1].squeeze(0),
    "unsqueeze": lambda x: x.unsqueeze(1),
    "unbind": lambda x: x.unbind(1)[2],
    "split": lambda x: x.split([1, 3], 1)[1],
    "chunk": lambda x: x.chunk(2, 1)[0],
    "narrow": lambda x: x.narrow(0, 1, 2),
    "movedim": lambda x: x.movedim(0, 1),
    "of a view": lambda x: x[1:].t()[1:3],
    "flatten": lambda x: x.flatten(),
}


@pytest.mark.parametrize("name", VIEWS)
def test_gradient_of_view(name):
    view = VIEWS[name]

    def program(t):
        x = leaf(t)
        y = view(x)
        (y * y * y).sum().backward()
        (h,) = t.autograd.grad((view(x) ** 3).sum(), x, create_graph=True)
        (hh,) = t.autograd.grad((h * h).sum(), x)
        return x.grad, hh

    same(program)


WRITABLE = [n for n in VIEWS if n not in ("expand", "reshape of transposed", "unfold",
            "overlapping as_strided", "unbind", "split", "chunk")]  # fmt: skip


@pytest.mark.parametrize("name", WRITABLE)
@pytest.mark.parametrize("write", ["mul_", "copy_", "add_", "fill_", "setitem"])
def test_write_through_view_reaches_the_base(name, write):
    view = VIEWS[name]

    def program(t):
        x = leaf(t)
        w = t.tensor(2.0, dtype=t.float64, requires_grad=True)
        y = x * 3
        v = view(y)
        if write == "copy_":
            v.copy_(w.expand(v.shape))
        elif write == "fill_":
            v.fill_(2.0)
        elif write == "setitem":
            v[...] = w * 5
        else:
            getattr(v, write)(w)
        (y * y).sum().backward()
        return x.grad, w.grad, y, v

    same(program)


def test_view_made_before_the_write_sees_it():
    def program(t):
        x = leaf(t)
        y = x * 1
        v, u = y[0], y[:, 1]
        y.mul_(x)
        (v.sum() + (u * u).sum()).backward()
        return x.grad

    same(program)


def test_view_of_a_tensor_without_history_gets_one():
    def program(t):
        w = t.ones(4, dtype=t.float64, requires_grad=True)
        y = t.zeros(3, 4, dtype=t.float64)
        y[1] = w * 2
        y[2].add_(w)
        v = y[1]
        v.mul_(w)
        (y * y).sum().backward()
        return w.grad, y, y.requires_grad, v.requires_grad

    same(program)


def test_writes_through_two_views():
    def program(t):
        x = leaf(t)
        y = x.clone()
        a, b = y[0], y[:, 0]
        a.mul_(2)
        b.mul_(x[0, 1])
        a.exp_()
        (y * y).sum().backward()
        return x.grad

    same(program)


def test_complex_seen_as_real():
    def program(t):
        z = t.tensor([1 + 2j, 3 - 1j], requires_grad=True)
        y = z * 2
        t.view_as_real(y)[..., 0].mul_(3.0)
        (y * y.conj()).real.sum().backward()
        return z.grad

    same(program)


@pytest.mark.parametrize("write", ["exp_", "mul_", "sqrt_", "tanh_", "sigmoid_", "pow_"])
def test_in_place_on_inner_tensor(write):
    def program(t):
        x = leaf(t, (4,))
        y = x * 2
        getattr(y, write)(*([3] if write in ("mul_", "pow_") else []))
        (y * y).sum().backward()
        return x.grad, y

    same(program)


def test_stale_saved_tensor_is_an_error():
    def program(t):
        x = leaf(t, (4,))
        y = x.exp()
        y.mul_(2)
        y.sum().backward()

    message = same_error(program)
    assert "version" in message and "ExpBackward0" in message


def test_an_operand_that_the_write_overwrites_is_stale():
    x = kagari.tensor([3.0], requires_grad=True)
    y = x * 2
    y.mul_(y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_second_derivative_of_an_in_place_op():
    def program(t):
        x = t.tensor([0.5, 2.0], requires_grad=True)
        y = x * 3
        y[1:].mul_(x[:1])
        y.sin_().pow_(3)
        (first,) = t.autograd.grad(y.sum(), x, create_graph=True)
        (second,) = t.autograd.grad(first.sum(), x)
        return first, second

    same(program)


def test_stale_through_a_view_of_the_same_storage():
    def program(t):
        x = leaf(t, (4,))
        y = x * 2
        z = y * y
        y[0].zero_()
        z.sum().backward()

    same_error(program)


@pytest.mark.parametrize(
    "program",
    [
        lambda t: leaf(t).add_(1),
        lambda t: leaf(t)[0].add_(1),
        lambda t: leaf(t).__setitem__(0, 1.0),
        lambda t: t.ones(1).expand(3).add_(1),
        lambda t: t.ones(3).add_(t.ones(2, 3)),
        lambda t: t.ones(3, dtype=t.int64).add_(1.5),
        lambda t: t.arange(4.0)[1:].copy_(t.ones(5)),
    ],
)
def test_writes_that_are_errors(program):
    same_error(program)


def test_failed_write_leaves_the_tensor_alone():
    x = kagari.ones(3)
    with pytest.raises(RuntimeError):
        x.add_(kagari.ones(2))
    assert x.tolist() == [1, 1, 1] and x._version == 0


def test_versions_are_shared_by_views_and_not_by_data():
    def program(t):
        x = t.zeros(3)
        v, d, data = x[1:], x.detach(), x.data
        v.add_(1)
        d.add_(1)
        data.add_(1)
        return x._version, v._version, d._version, data._version, x

    same(program)


def test_base_is_the_first_tensor():
    x = kagari.ones(3, 4)
    assert x[1:].t()[0]._base is x and x._base is None
    assert x.detach()._base is None
