"""Transforms and the registry against PyTorch: values, Jacobians, gradients, shapes, errors."""

import pickle

import pytest
import torch

import kagari
from tests.ops.pairs import compare, ours, same_error

D = torch.float64
X = torch.randn(2, 3, dtype=D, generator=torch.Generator().manual_seed(0))
M = torch.randn(2, 3, 3, dtype=D, generator=torch.Generator().manual_seed(1))
ONE = torch.tensor(0.7, dtype=D)

# what is made of the module of transforms, and an input
CASES = {
    "exp": (lambda t: t.ExpTransform(), X),
    "power": (lambda t: t.PowerTransform(2.0), X.abs()),
    "sigmoid": (lambda t: t.SigmoidTransform(), X * 4),
    "softplus": (lambda t: t.SoftplusTransform(), X * 4),
    "tanh": (lambda t: t.TanhTransform(), X),
    "affine": (lambda t: t.AffineTransform(1.5, -2.0), X),
    "affine of vectors": (lambda t: t.AffineTransform(0.5, 3.0, event_dim=1), X),
    "stick": (lambda t: t.StickBreakingTransform(), X),
    "correlation": (lambda t: t.CorrCholeskyTransform(), X),
    "lower": (lambda t: t.LowerCholeskyTransform(), M),
    "definite": (lambda t: t.PositiveDefiniteTransform(), M),
    "softmax": (lambda t: t.SoftmaxTransform(), X),
    "abs": (lambda t: t.AbsTransform(), X),
    "reshape": (lambda t: t.ReshapeTransform((3,), (1, 3)), X),
    "independent": (lambda t: t.IndependentTransform(t.ExpTransform(), 1), X),
    "compose": (
        lambda t: t.ComposeTransform([t.AffineTransform(0.1, 0.5), t.StickBreakingTransform()]), X
    ),
    "compose of none": (lambda t: t.ComposeTransform([]), X),
    "inverse": (lambda t: t.ExpTransform().inv, X.abs()),
    "inverse of compose": (
        lambda t: t.ComposeTransform([t.AffineTransform(0.0, 2.0), t.ExpTransform()]).inv, X.abs()
    ),
    "cat": (lambda t: t.CatTransform([t.ExpTransform(), t.TanhTransform()], 1, [1, 2]), X),
    "stack": (lambda t: t.StackTransform([t.ExpTransform(), t.AffineTransform(0, 2.0)], 0), X),
}  # fmt: skip
WITHOUT_JACOBIAN = {"softmax", "abs", "lower", "definite"}


def leaf(x):
    return x.clone().requires_grad_()


@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients(case):
    make, x = CASES[case]

    def run(library, x):
        t = make(library.distributions.transforms)
        y = t(x)
        found = [y, t.inv(y)]
        if case not in WITHOUT_JACOBIAN:
            found.append(t.log_abs_det_jacobian(x, y))
        return found

    compare(run, leaf(x), order=1, scale=10)


@pytest.mark.parametrize("case", CASES)
def test_properties(case):
    def run(library):
        t = make(library.distributions.transforms)
        found = [repr(t.domain), repr(t.codomain), t.bijective]
        found += [tuple(t.forward_shape(tuple(x.shape)))]
        found += [tuple(t.inverse_shape(tuple(t.forward_shape(tuple(x.shape)))))]
        found += [t == make(library.distributions.transforms), t.inv.inv is t, t.inv == t]
        for ask in ("sign", "event_dim"):
            try:
                found.append(float(getattr(t, ask)))
            except (NotImplementedError, ValueError) as error:
                found.append(type(error).__name__)
        return found

    make, x = CASES[case]
    if case in ("cat", "stack"):  # theirs have no representation with parts
        found = make(kagari.distributions.transforms)
        assert found.bijective and found.domain.event_dim == 0
    else:
        assert run(kagari) == run(torch)


@pytest.mark.parametrize("case", CASES)
def test_pickle(case):
    make, x = CASES[case]
    t = make(kagari.distributions.transforms)
    again = pickle.loads(pickle.dumps(t))
    assert again(ours(x)).tolist() == t(ours(x)).tolist()


def test_cache_returns_the_same_tensor():
    t = kagari.distributions.transforms.ExpTransform(cache_size=1)
    x = ours(X)
    y = t(x)
    assert t(x) is y and t.inv(y) is x
    assert t.with_cache(1) is t and t.with_cache(0)._cache_size == 0


@pytest.mark.parametrize(
    "use",
    [
        lambda t: t.ExpTransform(cache_size=2),
        lambda t: t.ReshapeTransform((3,), (2,)),
        lambda t: t.ReshapeTransform((3,), (1, 3)).forward_shape((2,)),
        lambda t: t.CorrCholeskyTransform().forward_shape((4,)),
        lambda t: t.CorrCholeskyTransform().inverse_shape((2, 3)),
        lambda t: t.StickBreakingTransform().forward_shape(()),
        lambda t: t.SoftmaxTransform().sign,
        lambda t: t.Transform().with_cache(0)(1),
    ],
)
def test_errors(use):
    same_error(lambda library: use(library.distributions.transforms))


NAMES = (
    "real", "real_vector", "positive", "nonnegative", "unit_interval", "simplex", "lower_cholesky",
    "positive_definite", "positive_semidefinite", "corr_cholesky",
)  # fmt: skip


@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
@pytest.mark.parametrize("name", NAMES)
def test_registry(registry, name):
    if registry == "biject_to" and ("definite" in name or name == "lower_cholesky"):
        same_error(lambda t: t.distributions.biject_to(getattr(t.distributions.constraints, name)))
        return

    def run(library, x):
        d = library.distributions
        constraint = getattr(d.constraints, name)
        t = getattr(d, registry)(constraint)
        y = t(x)
        assert constraint.check(y).all()
        return y

    compare(run, leaf(M if "definite" in name or name == "lower_cholesky" else X), order=1)


@pytest.mark.parametrize(
    "make",
    [
        lambda c: c.greater_than(1.5), lambda c: c.greater_than_eq(-1), lambda c: c.less_than(2.0),
        lambda c: c.interval(-1.0, 2.0), lambda c: c.half_open_interval(0.0, 3.0),
        lambda c: c.independent(c.positive, 1), lambda c: c.cat([c.positive, c.real], -1, [1, 2]),
        lambda c: c.stack([c.positive, c.unit_interval], 0),
    ],
)  # fmt: skip
def test_registry_with_bounds(make):
    for registry in ("biject_to", "transform_to"):
        compare(
            lambda library, x, registry=registry: getattr(library.distributions, registry)(
                make(library.distributions.constraints)
            )(x),
            leaf(X), order=1,
        )  # fmt: skip


def test_registry_errors():
    same_error(lambda t: t.distributions.biject_to(t.distributions.constraints.boolean))
    same_error(lambda t: t.distributions.biject_to.register(int, lambda c: c))
