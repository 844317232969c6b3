"""flex_attention and its masks against PyTorch's: values, gradients, block lists, wrong input."""

import numpy as np
import pytest
import torch

import kagari
from kagari.nn.attention import flex_attention as ours

theirs = pytest.importorskip("torch.nn.attention.flex_attention")


def causal(b, h, q, kv):
    return q >= kv


def window(b, h, q, kv):
    return (q - kv).abs() <= 3 + h


def alibi(score, b, h, q, kv):
    return score - 0.5 * (h + 1) * (q - kv).abs()


def made(library, seed=0, heads=(4, 4), dtype="float32"):
    rng = np.random.default_rng(seed)
    shapes = (2, heads[0], 9, 8), (2, heads[1], 11, 8), (2, heads[1], 11, 5)
    arrays = [rng.normal(size=shape) for shape in shapes]
    return [library.tensor(a, dtype=getattr(library, dtype), requires_grad=True) for a in arrays]


@pytest.mark.parametrize("mask", [None, causal, window])
@pytest.mark.parametrize("score", [None, alibi])
@pytest.mark.parametrize("heads", [(4, 4), (4, 2)])
def test_values(mask, score, heads):
    results = []
    for library, module in ((kagari, ours), (torch, theirs)):
        inputs = [x.detach() for x in made(library, heads=heads)]
        block = mask and module.create_block_mask(mask, 2, 4, 9, 11, device="cpu", BLOCK_SIZE=4)
        out = module.flex_attention(*inputs, score, block, enable_gqa=heads[0] != heads[1])
        results.append(out.numpy())
    np.testing.assert_allclose(*results, rtol=2e-4, atol=2e-5)


def test_gradients():
    """PyTorch's has none on CPU: against the scores written out."""
    q, k, v = made(torch)
    places = torch.arange(9)[:, None] - torch.arange(11)
    scores = q @ k.mT * 8**-0.5 - 0.5 * torch.arange(1, 5)[:, None, None] * places.abs()
    weights = scores.masked_fill(places < 0, -float("inf")).softmax(-1)
    ((weights @ v) ** 2).sum().backward()
    inputs = made(kagari)
    block = ours.create_block_mask(causal, None, None, 9, 11, BLOCK_SIZE=4)
    (ours.flex_attention(*inputs, alibi, block) ** 2).sum().backward()
    for a, b in zip(inputs, (q, k, v)):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("size", [4, (4, 2), 128])
@pytest.mark.parametrize("mask", [causal, window])
def test_block_lists(mask, size):
    a = ours.create_block_mask(mask, 1, 2, 10, 12, BLOCK_SIZE=size)
    b = theirs.create_block_mask(mask, 1, 2, 10, 12, device="cpu", BLOCK_SIZE=size)
    for name in ("kv_num_blocks", "kv_indices", "full_kv_num_blocks", "full_kv_indices"):
        assert getattr(a, name).tolist() == getattr(b, name).tolist(), name
    assert a.shape == b.shape and abs(a.sparsity() - b.sparsity()) < 1e-9
    assert a.to_dense().tolist() == b.to_dense().tolist()


def test_create_mask_and_rules():
    both, one = ours.and_masks(causal, window), ours.or_masks(causal, window)
    for ours_mask, theirs_mask in (
        (both, theirs.and_masks(causal, window)),
        (one, theirs.or_masks(causal, window)),
        (alibi, alibi),
    ):
        a = ours.create_mask(ours_mask, 2, 3, 5, 6)
        b = theirs.create_mask(theirs_mask, 2, 3, 5, 6, device="cpu")
        assert a.shape == b.shape and a.tolist() == b.tolist()


def test_rows_without_a_score_are_zero_and_lse():
    inputs = made(kagari)
    block = ours.create_block_mask(lambda b, h, q, kv: q > 100, None, None, 9, 11)
    out, lse = ours.flex_attention(*inputs, block_mask=block, return_lse=True)
    assert out.abs().max().item() == 0 and bool((lse == -float("inf")).all())
    out.sum().backward()
    assert not inputs[0].grad.isnan().any()


def test_wrong_input():
    q, k, v = (x.detach() for x in made(kagari))
    with pytest.raises(ValueError, match="one dtype"):
        ours.flex_attention(q, k.double(), v)
    with pytest.raises(ValueError, match="expected .B, H"):
        ours.flex_attention(q[0], k, v)
    with pytest.raises(ValueError, match="enable_gqa"):
        ours.flex_attention(q, k[:, :2], v[:, :2])
    with pytest.raises(ValueError, match="create it for these"):
        ours.flex_attention(q, k, v, block_mask=ours.create_block_mask(causal, 1, 1, 4, 4))
