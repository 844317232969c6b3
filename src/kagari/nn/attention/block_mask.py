"""Masks of flex_attention: a rule for each score, and which blocks of scores it leaves."""

import inspect
import math
from collections.abc import Callable
from typing import Any, Self

import kagari
from kagari import Tensor

_DEFAULT_SPARSE_BLOCK_SIZE = 128
MaskMod = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def noop_mask(batch: Tensor, head: Tensor, token_q: Tensor, token_kv: Tensor) -> Tensor:
    """Lets every score stand."""
    return kagari.ones_like(batch, dtype=kagari.bool)


def and_masks(*mask_mods: MaskMod) -> MaskMod:
    """The rule that all of these rules allow."""

    def mask(b: Tensor, h: Tensor, q: Tensor, kv: Tensor) -> Tensor:
        found = b.new_ones((), dtype=kagari.bool)
        for mask_mod in mask_mods:
            found = found & mask_mod(b, h, q, kv)
        return found

    return mask


def or_masks(*mask_mods: MaskMod) -> MaskMod:
    """The rule that one of these rules allows."""

    def mask(b: Tensor, h: Tensor, q: Tensor, kv: Tensor) -> Tensor:
        found = b.new_zeros((), dtype=kagari.bool)
        for mask_mod in mask_mods:
            found = found | mask_mod(b, h, q, kv)
        return found

    return mask


def over_scores(function: Callable[..., Tensor], *scores: Tensor) -> Callable[..., Tensor]:
    """The function of one score's place, (b, h, q, kv), for tensors of places. With `scores` it
    gets each score, from (B, H, Q, KV), before its place."""
    given = (0,) * len(scores)
    for axis in (3, 2, 1, 0):
        places = [None] * 4
        places[axis] = 0  # type: ignore[call-overload]
        function = kagari.vmap(function, in_dims=(*given, *places))
    return function


def create_mask(
    mod_fn: Callable[..., Tensor],
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
) -> Tensor:
    """What a rule says of every score.

    Returns:
        bool, (B, H, Q_LEN, KV_LEN), None being 1. Where `mod_fn` changes scores: which are finite.

    >>> create_mask(lambda b, h, q, kv: q >= kv, 1, 1, 2, 2)
    tensor([[[[ True, False],
              [ True,  True]]]])
    """
    sizes = (B or 1, H or 1, Q_LEN, KV_LEN)
    places = [kagari.arange(size, device=device) for size in sizes]
    if len(inspect.signature(mod_fn).parameters) > 4:  # it changes scores
        scores = kagari.zeros(sizes, device=device)
        return ~over_scores(mod_fn, scores)(scores, *places).isneginf()
    return over_scores(mod_fn)(*places).expand(sizes)


class BlockMask:
    """Which blocks of (query, key) have scores to compute, and the rule inside them.

    Args:
        kv_num_blocks: int32, (B, H, rows of blocks): how many blocks of a row are partly masked.
        kv_indices: int32, (B, H, rows, columns): which these are, before the others.
        full_kv_num_blocks, full_kv_indices: the same for blocks without a masked score.
    """

    def __init__(
        self,
        seq_lengths: tuple[int, int],
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None,
        full_kv_indices: Tensor | None,
        BLOCK_SIZE: tuple[int, int],
        mask_mod: MaskMod,
    ) -> None:
        self.seq_lengths = seq_lengths
        self.kv_num_blocks, self.kv_indices = kv_num_blocks, kv_indices
        self.full_kv_num_blocks, self.full_kv_indices = full_kv_num_blocks, full_kv_indices
        self.BLOCK_SIZE, self.mask_mod = BLOCK_SIZE, mask_mod

    @classmethod
    def from_kv_blocks(
        cls,
        kv_num_blocks: Tensor,
        kv_indices: Tensor,
        full_kv_num_blocks: Tensor | None = None,
        full_kv_indices: Tensor | None = None,
        BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
        mask_mod: MaskMod | None = None,
        seq_lengths: tuple[int, int] | None = None,
        compute_q_blocks: bool = True,
    ) -> Self:
        """A mask whose blocks are known already."""
        size = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else BLOCK_SIZE
        if seq_lengths is None:
            rows, columns = kv_indices.shape[-2:]
            seq_lengths = rows * size[0], columns * size[1]
        return cls(
            seq_lengths, kv_num_blocks, kv_indices, full_kv_num_blocks, full_kv_indices, size,
            mask_mod or noop_mask,
        )  # fmt: skip

    @property
    def shape(self) -> tuple[int, ...]:
        """(B, H, queries, keys)."""
        return (*self.kv_indices.shape[:-2], *self.seq_lengths)

    def to_dense(self) -> Tensor:
        """int32, (B, H, rows, columns): 1 where a block has scores to compute."""
        dense = _listed(self.kv_num_blocks, self.kv_indices)
        if self.full_kv_num_blocks is not None and self.full_kv_indices is not None:
            dense = dense | _listed(self.full_kv_num_blocks, self.full_kv_indices)
        return dense.int()

    def numel(self) -> int:
        """How many scores there are."""
        return math.prod(self.shape)

    def sparsity(self) -> float:
        """How many of a hundred scores are in blocks that are left out."""
        computed = int(self.to_dense().sum()) * math.prod(self.BLOCK_SIZE)
        return 100 * (1 - computed / self.numel())

    def to(self, device: Any) -> Self:
        """The same on a device."""
        full = self.full_kv_num_blocks, self.full_kv_indices
        counts, order = (value if value is None else value.to(device) for value in full)
        return type(self)(
            self.seq_lengths, self.kv_num_blocks.to(device), self.kv_indices.to(device),
            counts, order, self.BLOCK_SIZE, self.mask_mod,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%)"

    def allowed(self) -> Tensor:
        """bool, (B, H, queries, keys): the scores that stand."""
        B, H = self.kv_indices.shape[:2]
        rule = create_mask(self.mask_mod, B, H, *self.seq_lengths, device=self.kv_indices.device)
        full, partial = self.full_kv_num_blocks, _listed(self.kv_num_blocks, self.kv_indices)
        allowed = rule & self._of_scores(partial)
        if full is not None and self.full_kv_indices is not None:
            allowed = allowed | self._of_scores(_listed(full, self.full_kv_indices))
        return allowed

    def _of_scores(self, blocks: Tensor) -> Tensor:
        """What is said of blocks, said of their scores."""
        rows, columns = self.BLOCK_SIZE
        wide = blocks.repeat_interleave(rows, -2).repeat_interleave(columns, -1)
        return wide[..., : self.seq_lengths[0], : self.seq_lengths[1]]


def _listed(counts: Tensor, indices: Tensor) -> Tensor:
    """bool (..., rows, columns): the first `counts` of each row's `indices`."""
    columns = indices.shape[-1]
    chosen = kagari.arange(columns, device=counts.device) < counts.unsqueeze(-1)
    dense = kagari.zeros(indices.shape, dtype=kagari.bool, device=counts.device)
    return dense.scatter(-1, indices.long(), chosen)


def _ordered(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """How many blocks of each row are chosen; all of its blocks, the chosen ones first."""
    order = blocks.int().argsort(dim=-1, descending=True, stable=True)
    return blocks.sum(-1).int(), order.int()


def create_block_mask(
    mask_mod: MaskMod,
    B: int | None,
    H: int | None,
    Q_LEN: int,
    KV_LEN: int,
    device: Any = None,
    BLOCK_SIZE: int | tuple[int, int] = _DEFAULT_SPARSE_BLOCK_SIZE,
    _compile: bool = False,
    separate_full_blocks: bool = True,
) -> BlockMask:
    """The mask of a rule: `mask_mod(b, h, q, kv)`, of integer tensors without dimensions, says
    whether the score at that place stands. B and H may be None where it does not ask for them.

    >>> create_block_mask(lambda b, h, q, kv: q >= kv, None, None, 4, 4, BLOCK_SIZE=2).to_dense()
    tensor([[[[1, 0],
              [1, 1]]]], dtype=torch.int32)
    """
    rows, columns = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else BLOCK_SIZE
    mask = create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device)
    pad = (0, -KV_LEN % columns, 0, -Q_LEN % rows)
    padded = kagari.nn.functional.pad(mask.int(), pad)
    down, across = padded.shape[-2] // rows, padded.shape[-1] // columns
    counts = padded.unflatten(-1, (across, columns)).unflatten(-3, (down, rows)).sum((-1, -3))
    full = (counts == rows * columns) & separate_full_blocks
    partial, whole = _ordered((counts > 0) & ~full), _ordered(full)
    full_counts, full_order = whole if separate_full_blocks else (None, None)
    return BlockMask(
        (Q_LEN, KV_LEN), *partial, full_counts, full_order, (rows, columns), mask_mod
    )  # fmt: skip
