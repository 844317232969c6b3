"""Nestings of transforms of small networks beside PyTorch: convolution, pooling, attention..."""

import pytest
import torch

import kagari
from tests.autograd.beside import agree, plain, same


def numbers(t, *shape, seed=0):
    """The same numbers in both libraries, none near another or near 0."""
    count = 1
    for n in shape:
        count *= n
    values = [((i * 37 + 11 * seed + 5) % 101 - 50.3) / 40 for i in range(count)]
    return t.tensor(values, dtype=t.float64).reshape(shape)


def conv(t, x, w):
    """x is (2, 5, 4), w is (3, 2, 2, 2)."""
    y = t.nn.functional.conv2d(x.unsqueeze(0), w, padding=1).tanh()
    return t.nn.functional.avg_pool2d(y, 2).square().sum()


def pooled(t, x, w):
    F = t.nn.functional
    y = F.pad(x.unsqueeze(0), (1, 1, 0, 1), mode="reflect")
    y = F.conv2d(y, w).sigmoid()
    y = F.adaptive_avg_pool2d(y, (2, 3)) * F.adaptive_max_pool2d(y, (2, 3))
    return F.interpolate(y, scale_factor=2.0, mode="bilinear").exp().mean()


def layer_norm(t, x, w):
    F = t.nn.functional
    y = F.layer_norm(x.flatten(1), (20,), w.flatten()[:20])
    return F.gelu(F.group_norm(y.unsqueeze(0), 2)).square().sum() + F.rms_norm(y, (20,)).sin().sum()


def batch_norm(t, x, w):
    y = t.nn.functional.batch_norm(x.permute(1, 0, 2), None, None, w.flatten()[:2], training=True)
    y = t.nn.functional.local_response_norm(y, 2)
    return (y * y.cos()).logsumexp(0).sum()


def attention(t, x, w):
    """Queries, keys and values from rows of x."""
    rows = x.reshape(1, 5, 8)
    q, k, v = (rows @ part.T for part in w.reshape(3, 1, 8).expand(3, 4, 8) * numbers(t, 4, 8))
    y = t.nn.functional.scaled_dot_product_attention(q, k, v)
    return t.nn.functional.log_softmax(y, -1).square().sum()


def linear_algebra(t, x, w):
    a = w.reshape(4, 6)[:, :4] + 3 * t.eye(4, dtype=t.float64)
    y = t.linalg.solve(a, x.reshape(4, 10))
    return t.logdet(a @ a.T) + y.cumsum(0).logcumsumexp(1).sin().mean() + t.linalg.norm(y)


def spectrum(t, x, w):
    y = t.fft.rfft(x.reshape(4, 10)) * t.fft.fft(w.reshape(4, 6))[:, :6]
    return t.fft.irfft(y).unfold(1, 4, 3).prod(-1).sum() + y.abs().log1p().sum()


NETS = {
    f.__name__: f
    for f in (conv, pooled, layer_norm, batch_norm, attention, linear_algebra, spectrum)
}

NESTINGS = {
    "jvp of grad": lambda t, f, x, w, v: t.func.jvp(t.func.grad(f, (0, 1)), (x, w), (v, w.cos())),
    "grad of jvp": lambda t, f, x, w, v: t.func.grad(
        lambda w: t.func.jvp(lambda x: f(x, w), (x,), (v,))[1]
    )(w),
    "hessian": lambda t, f, x, w, v: t.func.hessian(f, 1)(x, w),
    "jacfwd of jacrev": lambda t, f, x, w, v: t.func.jacfwd(t.func.jacrev(f, 0), 1)(x, w),
    "jacrev of jacfwd": lambda t, f, x, w, v: t.func.jacrev(t.func.jacfwd(f, 1), 1)(x, w),
    "jacrev of jacrev": lambda t, f, x, w, v: t.func.jacrev(t.func.jacrev(f, 1), 1)(x, w),
    "vmap of grad": lambda t, f, x, w, v: t.func.vmap(t.func.grad(f, (0, 1)), (0, None))(
        t.stack([x, v]), w
    ),
    "vmap of grad, weights by sample": lambda t, f, x, w, v: t.func.vmap(t.func.grad(f, (0, 1)))(
        t.stack([x, v]), t.stack([w, w.sin()])
    ),
    "vmap of jvp of grad": lambda t, f, x, w, v: t.func.vmap(
        lambda x, v: t.func.jvp(t.func.grad(lambda x: f(x, w)), (x,), (v,))
    )(t.stack([x, v]), t.stack([v, x])),
    "vmap of hessian": lambda t, f, x, w, v: t.func.vmap(t.func.hessian(f, 1), (0, None))(
        t.stack([x, v]), w
    ),
    "grad of vmap of grad": lambda t, f, x, w, v: t.func.grad(
        lambda w: t.func.vmap(t.func.grad(f, 1), (0, None))(t.stack([x, v]), w).square().sum()
    )(w),
    "jvp of jvp of grad": lambda t, f, x, w, v: t.func.jvp(
        lambda x: t.func.jvp(t.func.grad(f, 1), (x, w), (v, w))[1], (x,), (v,)
    )[1],
}


def inner(a, b):
    return (a * b).sum()


# The same by reverse mode alone.
BY_REVERSE = {
    "grad of jvp": lambda t, f, x, w, v: t.func.grad(
        lambda w: inner(t.func.grad(f)(x, w), v)
    )(w),
    "jacrev of jacfwd": NESTINGS["jacrev of jacrev"],
    "vmap of hessian": lambda t, f, x, w, v: t.stack(
        [t.func.jacrev(t.func.jacrev(f, 1), 1)(x, w) for x in (x, v)]
    ),
    "jvp of jvp of grad": lambda t, f, x, w, v: t.func.grad(
        lambda at: inner(
            t.func.grad(
                lambda x: inner(t.func.grad(f)(x, at), v) + inner(t.func.grad(f, 1)(x, at), w)
            )(x),
            v,
        )
    )(w),
}  # fmt: skip
# Nestings in which PyTorch disagrees with finite differences, and with itself by reverse mode.
PYTORCH_BY_REVERSE = {
    ("layer_norm", "jvp of jvp of grad"), ("batch_norm", "jvp of jvp of grad"),
    ("linear_algebra", "grad of jvp"), ("linear_algebra", "jacrev of jacfwd"),
    ("linear_algebra", "vmap of hessian"),
}  # fmt: skip


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("nesting", NESTINGS)
def test_nestings(nesting, net):
    def program(t, rules):
        def f(x, w):
            return NETS[net](t, x, w)

        inputs = numbers(t, 2, 5, 4), numbers(t, 3, 2, 2, 2, seed=1), numbers(t, 2, 5, 4, seed=2)
        return plain(rules[nesting](t, f, *inputs))

    reverse = (net, nesting) in PYTORCH_BY_REVERSE
    expected = program(torch, BY_REVERSE if reverse else NESTINGS)
    agree(program(kagari, NESTINGS), expected, 1e-8)


def test_gradients_of_norms_six_deep():
    def program(t):
        f = lambda x: t.linalg.norm(t.stack([x, x * x, x.exp()]))  # noqa: E731
        for _ in range(6):
            f = t.func.grad(f)
        return f(t.tensor(0.7, dtype=t.float64))

    same(program, 1e-9)
    layer = lambda x: kagari.nn.functional.layer_norm(kagari.stack([x, x * x, x.exp()]), (3,))[0]  # noqa: E731
    reverse = forward = layer
    for _ in range(4):
        reverse = kagari.func.grad(reverse)
    for _ in range(4):
        forward = kagari.func.jacfwd(forward)
    x = kagari.tensor(0.7, dtype=kagari.float64)
    assert kagari.allclose(reverse(x), forward(x), rtol=1e-8)
