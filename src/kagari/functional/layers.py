"""Layers and losses under the names and with the arguments that PyTorch's core gives them.

They do what nn.functional does; `reduction` is a number here: 0 for none, 1 mean, 2 sum.
"""

from collections.abc import Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari.nn import functional as F
from kagari.nn.functional import (
    bilinear,
    channel_shuffle,
    conv_tbc,
    cosine_similarity,
    hardshrink,
    native_channel_shuffle,
    pairwise_distance,
    pdist,
    pixel_shuffle,
    pixel_unshuffle,
    prelu,
    threshold_,
)
from kagari.nn.functional.embedding import bags_of, renormalise

_REDUCTIONS = ("none", "mean", "sum")
_INTERPOLATIONS = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def _reduction(op: str, code: int) -> str:
    if not isinstance(code, int):
        raise TypeError(
            f"{op}(): argument 'reduction' must be int (0 none, 1 mean, 2 sum), not "
            f"{type(code).__name__}"
        )
    return _REDUCTIONS[code] if 0 <= code <= 2 else "none"


# ---- losses ----


def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None,
    reduction: int = 1,
) -> Tensor:  # fmt: skip
    """nn.functional.binary_cross_entropy_with_logits; targets may broadcast.

    >>> kagari.binary_cross_entropy_with_logits(kagari.zeros(2), kagari.ones(2))
    tensor(0.6931)
    """
    input, target = kagari.broadcast_tensors(input, target)
    return F.binary_cross_entropy_with_logits(
        input, target, weight, pos_weight=pos_weight,
        reduction=_reduction("binary_cross_entropy_with_logits", reduction),
    )  # fmt: skip


def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """nn.functional.cosine_embedding_loss.

    >>> kagari.cosine_embedding_loss(kagari.ones(1, 2), kagari.ones(1, 2), kagari.ones(1)).round()
    tensor(0.)
    """
    mode = _reduction("cosine_embedding_loss", reduction)
    return F.cosine_embedding_loss(input1, input2, target, margin, reduction=mode)


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: int = 1, zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """nn.functional.ctc_loss.

    >>> log_probs = kagari.zeros(3, 1, 2).log_softmax(2)
    >>> kagari.ctc_loss(log_probs, kagari.tensor([[1]]), [3], [1])
    tensor(0.2877)
    """
    mode = _reduction("ctc_loss", reduction)
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, mode, zero_infinity)


def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 1
) -> Tensor:
    """nn.functional.hinge_embedding_loss.

    >>> kagari.hinge_embedding_loss(kagari.ones(2), kagari.ones(2))
    tensor(1.)
    """
    mode = _reduction("hinge_embedding_loss", reduction)
    return F.hinge_embedding_loss(input, target, margin, reduction=mode)


def kl_div(
    input: Tensor, target: Tensor, reduction: int = 1, *, log_target: bool = False
) -> Tensor:
    """nn.functional.kl_div.

    >>> kagari.kl_div(kagari.zeros(2), kagari.ones(2))
    tensor(0.)
    """
    mode = _reduction("kl_div", reduction)
    loss = F.kl_div(input, target, reduction="none", log_target=log_target)
    return loss.mean() if mode == "mean" else loss.sum() if mode == "sum" else loss


def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1
) -> Tensor:
    """nn.functional.margin_ranking_loss.

    >>> kagari.margin_ranking_loss(kagari.zeros(2), kagari.ones(2), kagari.ones(2))
    tensor(1.)
    """
    mode = _reduction("margin_ranking_loss", reduction)
    return F.margin_ranking_loss(input1, input2, target, margin, reduction=mode)


def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:
    """nn.functional.poisson_nll_loss, with all arguments.

    >>> kagari.poisson_nll_loss(kagari.zeros(2), kagari.ones(2), True, False, 1e-8, 1)
    tensor(1.)
    """
    mode = _reduction("poisson_nll_loss", reduction)
    return F.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=mode)


def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2,
    eps: float = 1e-6, swap: bool = False, reduction: int = 1,
) -> Tensor:  # fmt: skip
    """nn.functional.triplet_margin_loss.

    >>> kagari.triplet_margin_loss(kagari.ones(1, 2), kagari.ones(1, 2), kagari.ones(1, 2))
    tensor(1.)
    """
    mode = _reduction("triplet_margin_loss", reduction)
    return F.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=mode)


# ---- layers ----


def instance_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None,
    running_var: Tensor | None, use_input_stats: bool, momentum: float, eps: float,
    cudnn_enabled: bool,
) -> Tensor:  # fmt: skip
    """nn.functional.instance_norm, its arguments in another order.

    >>> x = kagari.tensor([[[1.0, 3.0]]])
    >>> kagari.instance_norm(x, None, None, None, None, True, 0.1, 1e-5, False).round()
    tensor([[[-1.,  1.]]])
    """
    return F.instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )


def rrelu(
    input: Tensor, lower: float = 0.125, upper: float = 0.3333333333333333, training: bool = False,
    generator: Any = None,
) -> Tensor:  # fmt: skip
    """nn.functional.rrelu, with a generator.

    >>> kagari.rrelu(kagari.tensor([-1.0, 1.0]), 0.5, 0.5)
    tensor([-0.5000,  1.0000])
    """
    return F.rrelu(input, lower, upper, training, generator=generator)


def rrelu_(
    input: Tensor, lower: float = 0.125, upper: float = 0.3333333333333333, training: bool = False,
    generator: Any = None,
) -> Tensor:  # fmt: skip
    """`rrelu` in place.

    >>> kagari.rrelu_(kagari.tensor([-1.0, 1.0]), 0.5, 0.5)
    tensor([-0.5000,  1.0000])
    """
    return F.rrelu(input, lower, upper, training, True, generator=generator)


def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """`dropout`, and which elements it kept.

    >>> kagari.native_dropout(kagari.ones(2), 0.5, False)
    (tensor([1., 1.]), tensor([True, True]))
    """
    if not (train is None or train) or p == 0:
        return input.clone(), kagari.ones_like(input, dtype=kagari.bool)
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")
    kept = kagari.empty_like(input).bernoulli_(1 - p) != 0
    scale = 0.0 if p == 1 else 1 / (1 - p)
    return input * kept * scale, kept


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: Any = 0) -> Tensor:
    """nn.functional.pad in mode 'constant'.

    >>> kagari.constant_pad_nd(kagari.ones(1), (1, 2))
    tensor([0., 1., 0., 0.])
    """
    if len(pad) % 2:
        raise RuntimeError(f"Length of pad must be even but instead it equals {len(pad)}")
    if isinstance(value, complex):
        shape = list(input.shape)
        for k in range(len(pad) // 2):
            shape[-1 - k] += pad[2 * k] + pad[2 * k + 1]
        inside = F.pad(kagari.ones_like(input, dtype=kagari.bool), pad)
        return kagari.where(inside, F.pad(input, pad), kagari.full(shape, value, dtype=input.dtype))
    return F.pad(input, pad, "constant", float(value))


def _sampler(op: str, rank: int | None) -> Any:
    def sample(
        input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
    ) -> Tensor:
        if rank is not None and input.dim() != rank:
            raise RuntimeError(f"{op}(): expected {rank}D input, got shape {tuple(input.shape)}")
        return F.grid_sample(
            input, grid, _INTERPOLATIONS[interpolation_mode], _PADDINGS[padding_mode],
            bool(align_corners),
        )  # fmt: skip

    sample.__name__ = sample.__qualname__ = op
    sample.__doc__ = (
        "nn.functional.grid_sample, its modes as numbers: 0 bilinear, 1 nearest, 2 bicubic; and "
        "outside 0 zeros, 1 the border, 2 a reflection."
    )
    return sample


grid_sampler = _sampler("grid_sampler", None)
grid_sampler_2d = _sampler("grid_sampler_2d", 4)
grid_sampler_3d = _sampler("grid_sampler_3d", 5)


def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """nn.functional.affine_grid.

    >>> kagari.affine_grid_generator(kagari.eye(2, 3)[None], (1, 1, 1, 1), False).shape
    torch.Size([1, 1, 1, 2])
    """
    return F.affine_grid(theta, list(size), align_corners)


def embedding_bag(
    weight: Tensor, indices: Tensor, offsets: Tensor, scale_grad_by_freq: bool = False,
    mode: int = 0, sparse: bool = False, per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """nn.functional.embedding_bag, and how it came about: the bag of each index, the number of
    indices of each bag, and in mode 2 the index each element is from.

    Args:
        mode: 0 sum, 1 mean, 2 max.

    >>> weight, indices = kagari.eye(2), kagari.tensor([0, 1])
    >>> kagari.embedding_bag(weight, indices, kagari.tensor([0]))[0]
    tensor([[1., 1.]])
    """
    if mode not in (0, 1, 2):
        raise RuntimeError(
            f"embedding_bag: `mode` must be 0 (sum), 1 (mean) or 2 (max), got {mode}"
        )
    result = F.embedding_bag(
        indices, weight, offsets, None, 2, scale_grad_by_freq, ("sum", "mean", "max")[mode], sparse,
        per_sample_weights, include_last_offset, padding_idx,
    )  # fmt: skip
    bag, bags = bags_of(indices, offsets, include_last_offset)
    counted = kagari.ones_like(bag)
    if padding_idx is not None:
        counted = (indices != padding_idx % weight.shape[0]).to(bag.dtype)
    sizes = kagari.zeros(bags, dtype=kagari.int64).index_add(0, bag, counted)
    if mode != 2:
        return result, bag, sizes, sizes.clone()
    # the first index of the bag whose row has the largest element
    same = (weight.detach()[indices] == result.detach()[bag]) & (counted != 0).unsqueeze(1)
    last = kagari.full((bags, weight.shape[1]), len(indices), dtype=kagari.int64)
    place = kagari.where(same, kagari.arange(len(indices)).unsqueeze(1), len(indices))
    first = last.scatter_reduce(0, bag.unsqueeze(1).expand_as(place), place, "amin")
    padded = kagari.cat([indices.to(kagari.int64), kagari.zeros(1, dtype=kagari.int64)])
    return result, bag, sizes, padded[first]


def embedding_renorm_(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Scales, in place, the rows of `weight` that `indices` names and that are longer.

    >>> kagari.embedding_renorm_(kagari.full((1, 2), 3.0), kagari.tensor([0]), 1.0, 1.0)
    tensor([[0.5000, 0.5000]])
    """
    if indices.dtype not in (kagari.int64, kagari.int32):
        raise RuntimeError(
            "embedding_renorm_: expected indices to be int64 or int32, got " + str(indices.dtype)
        )
    renormalise(weight, indices, max_norm, norm_type)
    return weight


__all__ = [
    "affine_grid_generator", "bilinear", "binary_cross_entropy_with_logits", "channel_shuffle",
    "constant_pad_nd", "conv_tbc", "cosine_embedding_loss", "cosine_similarity", "ctc_loss",
    "embedding_bag", "embedding_renorm_", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d",
    "hardshrink", "hinge_embedding_loss", "instance_norm", "kl_div", "margin_ranking_loss",
    "native_channel_shuffle", "native_dropout", "pairwise_distance", "pdist", "pixel_shuffle",
    "pixel_unshuffle", "poisson_nll_loss", "prelu", "rrelu", "rrelu_", "threshold_",
    "triplet_margin_loss",
]  # fmt: skip
