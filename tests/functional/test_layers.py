"""Layers and losses under the core's names, beside PyTorch's."""

import pytest
import torch

import kagari
from tests.ops.beside_torch import compare, ours, sample

X, Y = sample(torch.float64, 4, 3), sample(torch.float64, 4, 3, seed=1)
SIGNS = torch.tensor([1.0, -1, 1, -1], dtype=torch.float64)


@pytest.mark.parametrize("reduction", [0, 1, 2])
def test_losses(reduction):
    compare("binary_cross_entropy_with_logits", X, Y.abs(), reduction=reduction)
    compare("binary_cross_entropy_with_logits", X, Y.abs(), None, X[0].abs(), reduction)
    compare("cosine_embedding_loss", X, Y, SIGNS, 0.1, reduction)
    compare("hinge_embedding_loss", X, Y.sign(), 0.5, reduction)
    compare("kl_div", X, Y.abs(), reduction, log_target=False)
    compare("kl_div", X, Y, reduction, log_target=True)
    compare("margin_ranking_loss", X, Y, SIGNS[:, None], 0.1, reduction)
    compare("poisson_nll_loss", X, Y.abs(), True, True, 1e-8, reduction)
    compare("triplet_margin_loss", X, Y, X + 1, reduction=reduction)
    log_probs = sample(torch.float64, 5, 2, 3).log_softmax(2)
    targets = torch.tensor([[1, 2], [2, 1]])
    compare("ctc_loss", log_probs, targets, [5, 4], [2, 1], 0, reduction, scale=10)
    for name in ("kl_div", "hinge_embedding_loss"):
        with pytest.raises(TypeError):
            getattr(kagari, name)(kagari.ones(2), kagari.ones(2), reduction="sum")


def test_layers():
    image, grid = sample(torch.float64, 1, 2, 4, 4), sample(torch.float64, 1, 3, 3, 2).tanh()
    for mode in (0, 1, 2):
        for padding in (0, 1, 2):
            compare("grid_sampler", image, grid, mode, padding, True, scale=10)
            compare("grid_sampler_2d", image, grid, mode, padding, False, scale=10)
    volume, places = sample(torch.float64, 1, 1, 3, 3, 3), sample(torch.float64, 1, 2, 2, 2, 3)
    compare("grid_sampler_3d", volume, places, 0, 1, False, scale=10)
    with pytest.raises(RuntimeError):
        kagari.grid_sampler_3d(ours(image), ours(grid), 0, 0, False)
    compare("affine_grid_generator", sample(torch.float64, 1, 2, 3), [1, 1, 2, 3], False)
    compare("instance_norm", sample(torch.float64, 2, 3, 4), None, None, None, None, True, 0.1,
            1e-5, False)  # fmt: skip
    compare("constant_pad_nd", X, (1, -1, 2, 0), 3)
    compare("constant_pad_nd", X.to(torch.complex128), (1, 1), 1 + 2j)
    with pytest.raises(RuntimeError):
        kagari.constant_pad_nd(ours(X), (1,))
    compare("conv_tbc", sample(torch.float64, 5, 2, 3), sample(torch.float64, 2, 3, 4),
            sample(torch.float64, 4), 1, scale=10)  # fmt: skip
    for name in ("native_channel_shuffle", "channel_shuffle", "pixel_shuffle"):
        compare(name, sample(torch.float64, 1, 4, 2, 2), 2)
    compare("bilinear", X, Y, sample(torch.float64, 2, 3, 3), None, scale=10)
    compare("bilinear", *(sample(torch.int8, *s) for s in ((2, 3), (2, 4), (5, 3, 4))), None)
    for name in ("pairwise_distance", "cosine_similarity"):
        compare(name, X, Y, scale=10)
    for name in ("prelu", "Tensor.prelu"):
        compare(name, X, sample(torch.float64, 3))


def test_random_layers():
    assert kagari.equal(kagari.rrelu(ours(-X.abs()), 0.5, 0.5, True), ours(-X.abs() * 0.5))
    made = kagari.Generator()
    first, second = (
        kagari.rrelu(-kagari.ones(5), 0.1, 0.9, True, generator=made.manual_seed(1))
        for _ in range(2)
    )
    assert kagari.equal(first, second)
    out, kept = kagari.native_dropout(kagari.ones(100), 0.5, True)
    assert kagari.equal(out, kept * 2.0)
    assert 20 < kept.sum().item() < 80
    with pytest.raises(RuntimeError):
        kagari.native_dropout(kagari.ones(1), 1.5, True)


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_embedding_bag(mode):
    weight, indices = sample(torch.float64, 5, 3), torch.tensor([0, 1, 4, 3, 1])
    for last, padding in ((False, None), (False, 1), (True, None)):
        offsets = torch.tensor([0, 2, 2, 5] if last else [0, 2, 2])
        rest = (False, mode, False, None, last, padding)
        expected = torch.embedding_bag(weight, indices, offsets, *rest)
        got = kagari.embedding_bag(*ours((weight, indices, offsets)), *rest)
        assert kagari.allclose(got[0], ours(expected[0]))
        if mode:  # a sum keeps no count in PyTorch
            assert got[1].tolist() == expected[1].tolist()
            assert got[2].tolist()[:3] == expected[2].tolist()[:3]
        if mode == 2:
            filled = [0, 2]  # an empty bag has no index
            assert got[3][filled].tolist() == expected[3][filled].tolist()
    with pytest.raises(RuntimeError):
        kagari.embedding_bag(ours(weight), ours(indices), kagari.tensor([0]), False, 3)


def test_embedding_renorm():
    weight, indices = sample(torch.float64, 5, 3), torch.tensor([0, 4])
    got = ours(weight.clone())
    assert kagari.embedding_renorm_(got, ours(indices), 0.5, 2.0) is got
    assert kagari.allclose(got, ours(torch.embedding_renorm_(weight.clone(), indices, 0.5, 2.0)))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_convolutions_take_padding_by_name(n):
    x, w = sample(torch.float64, 1, 2, *[6] * n), sample(torch.float64, 3, 2, *[3] * n)
    for padding in ("same", "valid"):
        for place in ("", "nn.functional."):
            for dilation in (1, 2):
                compare(f"{place}conv{n}d", x, w, None, 1, padding, dilation, scale=100)
    with pytest.raises(RuntimeError):
        getattr(kagari, f"conv{n}d")(ours(x), ours(w), padding="full")


def test_a_bias_that_starts_inside_its_memory():
    bias = torch.tensor([[torch.nan, 1.0], [torch.nan, 2.0]])[:, 1]
    for dtype in (torch.float32, torch.float64, torch.float16):
        x, w = sample(dtype, 1, 1, 4), sample(dtype, 1, 2, 3)
        compare("nn.functional.conv_transpose1d", x, w, bias.to(dtype))
        compare("nn.functional.conv_transpose1d", x, w[:, :1], bias[1:].to(dtype))
    got = kagari.nn.functional.conv_transpose1d(
        kagari.ones(1, 1, 2), kagari.zeros(1, 1, 1), kagari.tensor([9.0, 1.0])[1:]
    )
    assert got.tolist() == [[[1.0, 1.0]]]


def test_circular_padding_that_cuts():
    x = sample(torch.float64, 1, 2, 5)
    for pad in ((2, -1), (-1, 2), (-1, -2), (1, 1), (0, 3)):
        compare("nn.functional.pad", x, pad, "circular")
    with pytest.raises(RuntimeError):
        kagari.nn.functional.pad(kagari.ones(1, 1, 3), (-2, -1), "circular")


def test_unfold_of_nothing():
    compare("nn.functional.unfold", torch.zeros(0, 3, 4, 4), 2)
