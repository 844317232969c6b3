"""nn.utils beside PyTorch's: clipping gradients, parameters as a vector."""

import numpy as np
import pytest
import torch

import kagari


def parameters(library, scale=1.0):
    made = []
    for n in (3, 5):
        p = library.nn.Parameter(library.ones(n, 2))
        p.grad = library.arange(2.0 * n).reshape(n, 2) * scale
        made.append(p)
    return [*made, library.nn.Parameter(library.ones(1))]


@pytest.mark.parametrize("norm", [1.0, 2.0, 3.5, float("inf")])
@pytest.mark.parametrize("limit", [0.5, 1000.0])
def test_clip_grad_norm(norm, limit):
    ours, theirs = parameters(kagari), parameters(torch)
    a = kagari.nn.utils.clip_grad_norm_(ours, limit, norm)
    b = torch.nn.utils.clip_grad_norm_(theirs, limit, norm)
    assert float(a) == pytest.approx(float(b), rel=1e-6)
    for p, q in zip(ours[:2], theirs[:2], strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-5)


def test_clip_grad_norm_of_what_is_not_finite():
    with pytest.raises(RuntimeError, match="non-finite"):
        kagari.nn.utils.clip_grad_norm_(
            parameters(kagari, float("inf")), 1.0, error_if_nonfinite=True
        )
    assert float(kagari.nn.utils.clip_grad_norm_([], 1.0)) == 0


def test_clip_grad_value():
    ours, theirs = parameters(kagari), parameters(torch)
    kagari.nn.utils.clip_grad_value_(ours, 2.5)
    torch.nn.utils.clip_grad_value_(theirs, 2.5)
    for p, q in zip(ours[:2], theirs[:2], strict=True):
        np.testing.assert_array_equal(p.grad.numpy(), q.grad.numpy())


def test_vectors():
    module = kagari.nn.Linear(3, 2)
    vector = kagari.nn.utils.parameters_to_vector(module.parameters())
    assert tuple(vector.shape) == (8,)
    kagari.nn.utils.vector_to_parameters(kagari.arange(8.0), module.parameters())
    assert module.weight.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert module.bias.tolist() == [6.0, 7.0]
    with pytest.raises(TypeError, match="expected torch.Tensor"):
        kagari.nn.utils.vector_to_parameters([1.0], module.parameters())
