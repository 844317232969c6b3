"""vmap itself: dimensions in and out, nesting, what cannot be asked of a sample, random numbers."""

import pytest
import torch

import kagari
from kagari.func import functional_call, grad, jacrev, stack_module_state, vjp, vmap


@pytest.fixture
def x():
    return kagari.arange(24, dtype=kagari.float64).reshape(2, 3, 4).sin()


def same(a, b, tolerance=1e-12):
    assert a.shape == b.shape, (a.shape, b.shape)
    assert a.dtype == b.dtype, (a.dtype, b.dtype)
    assert kagari.allclose(a, b, rtol=tolerance, atol=tolerance), (a, b)


@pytest.mark.parametrize("in_dim", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("out_dim", [0, 1, -1])
def test_dimensions(x, in_dim, out_dim):
    def f(t):
        return t.cumsum(0) @ t.mT

    expected = kagari.stack([f(t) for t in x.unbind(in_dim)], out_dim)
    same(vmap(f, in_dim, out_dim)(x), expected)


def test_a_sample_has_its_own_shape(x):
    def f(t):
        assert (t.shape, t.ndim, t.numel(), len(t)) == ((3, 4), 2, 12, 3)
        assert t.dtype is kagari.float64
        assert t.stride() == (4, 1)
        assert t.is_contiguous()
        return t[1, -1]

    same(vmap(f)(x), x[:, 1, -1])


def test_nested_arguments_and_results(x):
    def f(tree, scale, number):
        a, b = tree["a"], tree["b"][0]
        return {"sum": a + b * scale, "pair": (a.sum(), [b])}, number * scale

    tree = {"a": x, "b": [x[0]]}
    found, scaled = vmap(
        f, in_dims=({"a": 1, "b": [0]}, None, None), out_dims=({"sum": 1, "pair": 0}, None)
    )(tree, kagari.tensor(2.0, dtype=kagari.float64), 3)
    same(found["sum"], kagari.stack([x[:, i] + x[0, i] * 2 for i in range(3)], 1))
    same(found["pair"][0], x.sum((0, 2)))
    same(found["pair"][1][0], x[0])
    assert scaled == 6


def test_unbatched_results_are_repeated(x):
    assert vmap(lambda t: kagari.ones(2))(x).shape == (2, 2)


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7])
def test_chunks(chunk_size):
    x = kagari.arange(10.0).reshape(5, 2)
    sizes = []

    def f(t):
        sizes.append(kagari._C._batch_of(t)[0].shape[0])
        return t.sum(), t * 2

    total, doubled = vmap(f, out_dims=(0, 1), chunk_size=chunk_size)(x)
    same(total, x.sum(1))
    same(doubled, (x * 2).mT)
    assert max(sizes) == min(chunk_size, 5)
    assert sum(sizes) == 5


def test_nested(x):
    outer = vmap(lambda a: vmap(lambda b: vmap(kagari.dot, (None, 0))(a[0], x[0]) + b.sum())(a))
    expected = kagari.stack([kagari.stack([x[0] @ a[0] + b.sum() for b in a]) for a in x])
    same(outer(x), expected)
    same(vmap(vmap(kagari.sin, 1, 1))(x), x.sin())
    # an inner level batches what the outer one left alone, and the other way round
    same(
        vmap(lambda a: vmap(lambda b: b @ b)(x[0]) + a.sum())(x),
        kagari.stack([(x[0] * x[0]).sum(1) + a.sum() for a in x]),
    )


def test_promotion_is_that_of_a_sample():
    scalars, row = kagari.ones(3, dtype=kagari.float64), kagari.ones(2, dtype=kagari.float32)
    assert vmap(lambda a: a + row)(scalars).dtype is kagari.float32
    one = kagari.ones((), dtype=kagari.float64)
    assert vmap(lambda a: a + one)(kagari.ones(3)).dtype is kagari.float64
    assert vmap(lambda a: a + one)(kagari.ones(3, 2)).dtype is kagari.float32
    assert vmap(lambda a: a * 2.5)(kagari.ones(3, dtype=kagari.int64)).dtype is kagari.float32


def test_in_place_writes(x):
    def f(t):
        y = t.clone()
        y[0] = 1
        y[1:, 0] += t.sum()
        y.mul_(2).sin_()
        y.t().masked_fill_(y.t() > 0.5, 0)
        return y

    same(vmap(f)(x), kagari.stack([f(t) for t in x]))
    same(vmap(lambda t: t.new_zeros(4).copy_(t[0]))(x), x[:, 0])
    shared = kagari.zeros(3, 4, dtype=kagari.float64)
    with pytest.raises(RuntimeError, match="more elements than `self`"):
        vmap(lambda t: shared.add_(t))(x)
    assert shared.sum() == 0
    given = x.clone()
    vmap(lambda t: t.mul_(2))(given)
    same(given, x * 2)


REFUSED = {
    "item": (lambda t: t.sum().item(), r"calling .item\(\)"),
    "if": (lambda t: t if t.sum() > 0 else -t, "control flow"),
    "float": (lambda t: float(t.sum()), "vmap"),
    "numpy": (lambda t: t.numpy(), "vmap"),
    "tolist": (lambda t: t.tolist(), "vmap"),
    "data_ptr": (lambda t: t.data_ptr(), "vmap"),
    "nonzero": (lambda t: t.nonzero(), "dynamic shape"),
    "mask": (lambda t: t[t > 0], "dynamic shape"),
    "masked_select": (lambda t: t.masked_select(t > 0), "dynamic shape"),
    "unique": (lambda t: t.unique(), "dynamic shape"),
    "resize_": (lambda t: t.resize_(2), "resize_"),
    "backward": (lambda t: t.sum().backward(), "inside vmap"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_depends_on_values_is_refused(x, name):
    function, message = REFUSED[name]
    with pytest.raises(RuntimeError, match=message):
        vmap(function)(x)


def test_an_op_without_a_rule_says_so(x):
    with pytest.raises(NotImplementedError, match="histc has no batching rule"):
        vmap(lambda t: t.histc(3))(x)
    assert not kagari._C._intercepted()


def test_text_of_a_sample(x):
    texts = []
    vmap(lambda t: texts.append(repr(t)) or t)(x)
    assert texts[0].startswith("BatchedTensor(lvl=1, bdim=0, value=\n    tensor([[[")


WRONG = [
    ({"in_dims": "0"}, (1,), ValueError, "expected `in_dims`"),
    ({}, (), ValueError, "got no inputs"),
    ({"in_dims": (0, 0)}, (1,), ValueError, "not compatible with the structure of `inputs`"),
    ({"in_dims": (None,)}, (1,), ValueError, "at least one Tensor"),
    ({"in_dims": (3,)}, (1,), ValueError, "expected in_dim to satisfy"),
    ({"in_dims": (1.5,)}, (1,), ValueError, "integer dimension"),
    ({}, (1, 2.0), ValueError, "non-Tensor arguments"),
    ({"in_dims": (0, 1)}, (1, 1), ValueError, "same size in the mapped dimension"),
    ({"out_dims": (0, 0, 0)}, (1,), ValueError, "not compatible with the structure of `outputs`"),
    ({"out_dims": None}, (1,), ValueError, "out_dim is None"),
    ({"out_dims": 9}, (1,), IndexError, "out of range"),
    ({"randomness": "none"}, (1,), RuntimeError, "Only allowed values"),
    ({"chunk_size": 0}, (1,), ValueError, "chunk_size"),
]


@pytest.mark.parametrize("options, args, error, message", WRONG)
def test_wrong_arguments(x, options, args, error, message):
    given = tuple(x if a == 1 else a for a in args)
    with pytest.raises(error, match=message):
        vmap(lambda *a: (a[0] * 1, a[0] * 2), **options)(*given)
    theirs = tuple(torch.ones(2, 3, 4) if a == 1 else a for a in args)
    with pytest.raises(error):  # and it is PyTorch's class
        torch.vmap(lambda *a: (a[0] * 1, a[0] * 2), **options)(*theirs)


def test_results_must_be_tensors(x):
    with pytest.raises(ValueError, match="must only return Tensors"):
        vmap(lambda t: 3)(x)


# --- random numbers ------------------------------------------------------------------------------

DRAWS = {
    "rand": lambda t: kagari.rand(50),
    "randn": lambda t: kagari.randn(5, 10),
    "randint": lambda t: kagari.randint(1000, (50,)),
    "randperm": lambda t: kagari.randperm(50),
    "rand_dtype": lambda t: kagari.rand(50, dtype=kagari.float64),
    "dropout": lambda t: kagari.nn.functional.dropout(kagari.ones(50)),
    "bernoulli": lambda t: kagari.bernoulli(kagari.full((50,), 0.5)),
    "multinomial": lambda t: kagari.multinomial(kagari.ones(50), 20),
    "fill": lambda t: t.new_empty(50).normal_(),
    "normal": lambda t: kagari.normal(t.reshape(-1) * 0, kagari.ones(12)),
    "randn_like": lambda t: kagari.randn_like(t.reshape(-1).repeat(5)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_randomness(x, name):
    draw = DRAWS[name]
    with pytest.raises(RuntimeError, match="randomness error mode"):
        vmap(draw)(x)
    kagari.manual_seed(0)
    first, second = vmap(draw, randomness="same")(x)
    assert (first == second).all()
    first, second = vmap(draw, randomness="different")(x)
    assert (first != second).any()
    assert first.shape == second.shape == draw(x[0]).shape


def test_randperm_is_one_for_every_sample(x):
    rows = vmap(DRAWS["randperm"], randomness="different")(x)
    assert (rows.sort(1).values == kagari.arange(50)).all()


def test_the_same_numbers_in_every_chunk():
    x = kagari.zeros(4, 3)
    found = vmap(lambda t: t + kagari.rand(3), randomness="same", chunk_size=2)(x)
    assert (found == found[0]).all()


def test_dropout_with_the_same_mask():
    x = kagari.ones(2, 200)
    same_mask = vmap(lambda t: kagari.nn.functional.dropout(t), randomness="same")(x)
    assert (same_mask[0] == same_mask[1]).all()
    assert 50 < (same_mask[0] == 0).sum() < 150


# --- with derivatives ----------------------------------------------------------------------------


def test_gradients_per_sample(x):
    weight = kagari.randn(4, 5, dtype=kagari.float64)

    def loss(weight, row, target):
        return kagari.nn.functional.cross_entropy((row @ weight).tanh(), target)

    rows, targets = x[0], kagari.tensor([0, 4, 2])
    found = vmap(grad(loss), in_dims=(None, 0, 0))(weight, rows, targets)
    same(found, kagari.stack([grad(loss)(weight, rows[i], targets[i]) for i in range(3)]))
    assert not found.requires_grad


def f(row):
    return (row.sin() * row).prod() + row.cumsum(0).square().sum()


def test_nesting_with_grad(x):
    rows = x[0]
    by_row = kagari.stack([grad(f)(row) for row in rows])
    same(vmap(grad(f))(rows), by_row)
    same(grad(lambda t: vmap(f)(t).sum())(rows), by_row)
    second = grad(lambda row: grad(f)(row).square().sum())
    same(vmap(second)(rows), kagari.stack([second(row) for row in rows]))
    third = grad(lambda t: vmap(grad(f))(t).square().sum())
    same(third(rows), kagari.stack([second(row) for row in rows]))
    leaf = rows.clone().requires_grad_()
    vmap(grad(f))(leaf).square().sum().backward()
    same(leaf.grad, third(rows))


def test_gradients_of_what_samples_share(x):
    total = grad(lambda w: vmap(lambda row: f(row * w))(x[0]).sum())(x[0, 0])
    one_by_one = sum(grad(lambda w, row=row: f(row * w))(x[0, 0]) for row in x[0])
    same(total, one_by_one)
    shared = x[0, 0].clone().requires_grad_()
    with pytest.raises(RuntimeError, match="the same for all samples"):
        vmap(lambda row: kagari.autograd.grad(f(row * shared), shared)[0])(x[0])


def test_jacobians(x):
    def pair(row):
        return kagari.stack([row.prod(), (row * row).sum()]), row.sum()

    row = x[0, 0]
    matrix, vector = jacrev(pair)(row)
    same(matrix, kagari.stack([grad(lambda r, i=i: pair(r)[0][i])(row) for i in range(2)]))
    same(vector, kagari.ones_like(row))
    same(vmap(jacrev(f))(x[0]), kagari.stack([grad(f)(r) for r in x[0]]))
    hessian = kagari.stack([grad(lambda r, i=i: grad(f)(r)[i])(row) for i in range(4)])
    same(jacrev(jacrev(f))(row), hessian)
    same(jacrev(jacrev(f), chunk_size=2)(row), hessian)
    same(vmap(jacrev(jacrev(f)))(x[0])[0], hessian)
    both, aux = jacrev(lambda a, b: (a.outer(b), a), argnums=(0, 1), has_aux=True)(row, x[0, 1])
    theirs = torch.func.jacrev(torch.outer, argnums=(0, 1))(
        *(torch.tensor(r.tolist(), dtype=torch.float64) for r in (row, x[0, 1]))
    )
    for mine, other in zip(both, theirs, strict=True):
        same(mine, kagari.tensor(other.tolist(), dtype=kagari.float64))
    same(aux, row)
    with pytest.raises(ValueError, match="chunk_size"):
        jacrev(f, chunk_size=0)


def test_vmap_over_a_pullback(x):
    out, pull_back = vjp(lambda t: (t @ t.mT).sin(), x[0])
    starts = kagari.randn(5, *out.shape, dtype=kagari.float64)
    same(vmap(pull_back)(starts)[0], kagari.stack([pull_back(s)[0] for s in starts]))


def test_batched_gradients(x):
    leaf = x[0].clone().requires_grad_()
    y = leaf * 1
    y[1:] = y[:-1] * 2  # windows in the graph
    starts = kagari.randn(3, 3, 4, dtype=kagari.float64)
    (found,) = kagari.autograd.grad(y, leaf, starts, retain_graph=True, is_grads_batched=True)
    loop = [kagari.autograd.grad(y, leaf, s, retain_graph=True)[0] for s in starts]
    same(found, kagari.stack(loop))


# --- modules -------------------------------------------------------------------------------------


def test_ensembles_and_gradients_of_modules():
    nn = kagari.nn
    models = [nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)) for _ in range(3)]
    parameters, buffers = stack_module_state(models)
    assert all(p.is_leaf and p.requires_grad for p in parameters.values())
    assert buffers == {}
    rows = kagari.randn(5, 3)

    def call(parameters, rows):
        return functional_call(models[0], parameters, (rows,))

    same(
        vmap(call, (0, None))(parameters, rows).detach(),
        kagari.stack([m(rows) for m in models]).detach(),
        1e-5,
    )
    plain = {name: p.detach() for name, p in models[0].named_parameters()}

    def loss(parameters, row):
        return call(parameters, row).square().sum()

    found = vmap(grad(loss), (None, 0))(plain, rows)
    loop = [grad(loss)(plain, row) for row in rows]
    for name in plain:
        same(found[name], kagari.stack([g[name] for g in loop]), 1e-5)


def test_functional_call_leaves_the_module_as_it_was():
    module = kagari.nn.Linear(2, 1)
    weight = module.weight
    zeros = {"weight": kagari.zeros(1, 2), "bias": kagari.ones(1)}
    assert functional_call(module, zeros, kagari.ones(2)).item() == 1
    assert kagari.nn.utils.stateless.functional_call(module, zeros, kagari.ones(2)).item() == 1
    assert module.weight is weight
    with pytest.raises(RuntimeError, match="missing"):
        functional_call(module, {"weight": zeros["weight"]}, kagari.ones(2), strict=True)
    with pytest.raises(RuntimeError, match="unexpected"):
        functional_call(module, {**zeros, "more": zeros["bias"]}, kagari.ones(2), strict=True)
    with pytest.raises(ValueError, match="multiple dictionaries"):
        functional_call(module, [zeros, zeros], kagari.ones(2))
    with pytest.raises(RuntimeError, match="at least one model"):
        stack_module_state([])


# --- custom functions ----------------------------------------------------------------------------


class Cube(kagari.autograd.Function):
    @staticmethod
    def forward(x):
        return x * x * x, x.sum()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx, grad, grad_sum):
        (x,) = ctx.saved_tensors
        return grad * 3 * x * x + grad_sum


class ByRule(Cube):
    @staticmethod
    def vmap(info, in_dims, x):
        assert info.batch_size == 3
        assert in_dims == (0,)
        return (x**3, x.flatten(1).sum(1)), (0, 0)


class Generated(Cube):
    generate_vmap_rule = True


@pytest.mark.parametrize("function", [ByRule, Generated])
def test_custom_functions(x, function):
    def call(row):
        cubes, total = function.apply(row)
        return (cubes.sin() + total).sum()

    def plain(row):
        return ((row**3).sin() + row.sum()).sum()

    same(vmap(call)(x[0]), kagari.stack([plain(row) for row in x[0]]))
    same(vmap(grad(call))(x[0]), kagari.stack([grad(plain)(row) for row in x[0]]))


def test_custom_functions_without_a_rule(x):
    with pytest.raises(RuntimeError, match="does not have vmap support"):
        vmap(lambda row: Cube.apply(row))(x[0])
