"""The same seed gives PyTorch's initial weights, for modules and for every function of nn.init."""

import numpy as np
import pytest
import torch

import kagari

MODULES = [
    ("Linear", (7, 5)), ("Linear", (3, 2, False)), ("Bilinear", (3, 4, 5)), ("Conv1d", (4, 6, 3)),
    ("Conv2d", (4, 6, 3, 1, 0, 1, 2)), ("Conv3d", (2, 4, 2)), ("ConvTranspose2d", (4, 6, 3)),
    ("Embedding", (10, 4, 3)), ("EmbeddingBag", (10, 4)), ("BatchNorm2d", (3,)), ("PReLU", (3,)),
]  # fmt: skip
FUNCTIONS = [
    ("uniform_", (-1.0, 2.0)), ("normal_", (1.0, 3.0)), ("trunc_normal_", ()),
    ("trunc_normal_", (0.5, 2.0, -1.0, 1.0)),
    ("trunc_normal_", (0.0, 1.0, 1.5, 3.0)), ("constant_", (0.3,)), ("ones_", ()), ("zeros_", ()),
    ("eye_", ()), ("xavier_uniform_", ()), ("xavier_normal_", (2.0,)), ("kaiming_uniform_", ()),
    ("kaiming_uniform_", (0.2, "fan_out")), ("kaiming_normal_", (0, "fan_in", "relu")),
    ("sparse_", (0.3,)),
]  # fmt: skip


def both(act):
    """`act(library)` in kagari and in PyTorch, from the same seed; then one number more of each,
    which shows that as many were drawn."""
    results = []
    for library, seed in ((kagari, kagari.random.manual_seed), (torch, torch.manual_seed)):
        seed(11)
        made = act(library)
        results.append([*made, library.rand(3)])
    return results


@pytest.mark.parametrize(("name", "args"), MODULES)
def test_modules(name, args):
    ours, theirs = both(lambda library: getattr(library.nn, name)(*args).parameters())
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


@pytest.mark.parametrize(("name", "args"), FUNCTIONS)
def test_functions(name, args):
    def act(library):
        return [getattr(library.nn.init, name)(library.empty(12, 9), *args)]

    ours, theirs = both(act)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-7)


def test_dirac_and_orthogonal():
    ours, theirs = both(lambda library: [library.nn.init.dirac_(library.empty(6, 2, 3, 3), 2)])
    np.testing.assert_array_equal(ours[0].numpy(), theirs[0].numpy())
    square = kagari.nn.init.orthogonal_(kagari.empty(5, 8), gain=2)
    np.testing.assert_allclose((square @ square.t()).numpy(), 4 * np.eye(5), atol=1e-5)


def test_gains():
    for name in ("linear", "tanh", "relu", "selu", "leaky_relu", "sigmoid", "conv2d"):
        assert kagari.nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert kagari.nn.init.calculate_gain("leaky_relu", 0.3) == pytest.approx(
        torch.nn.init.calculate_gain("leaky_relu", 0.3)
    )


def test_wrong_arguments():
    with pytest.raises(ValueError, match="fewer than 2 dimensions"):
        kagari.nn.init.kaiming_uniform_(kagari.empty(3))
    with pytest.raises(ValueError, match="Unsupported nonlinearity"):
        kagari.nn.init.calculate_gain("nothing")
    with pytest.raises(ValueError, match="fan_in"):
        kagari.nn.init.kaiming_normal_(kagari.empty(3, 3), mode="fan")
    with pytest.raises(ValueError, match="2 dimensions"):
        kagari.nn.init.eye_(kagari.empty(3))
