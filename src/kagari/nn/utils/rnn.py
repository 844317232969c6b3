"""Sequences of different lengths: padded to one tensor, or packed one step below the other."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import kagari
from kagari import Tensor

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences of different lengths, step by step; made by `pack_padded_sequence` and
    `pack_sequence`, taken by the modules RNN, LSTM and GRU.

    `data` is (sum of lengths, *): first the first elements of all sequences, the longest sequence
    first, then the second elements of those that have one. `batch_sizes` (int64, on the CPU) says
    how many sequences have a first, second, ... element. `sorted_indices` are the places that the
    sequences had before they were sorted, None where they were sorted.

    ValueError for batch_sizes on another device.
    """

    def __new__(
        cls, data: Tensor, batch_sizes: Tensor | None = None, sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> "PackedSequence":  # fmt: skip
        if batch_sizes is None:
            data, batch_sizes = data  # PyTorch's older spelling: one pair
        if batch_sizes.device.type not in ("cpu", "meta"):
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be "
                "created manually. They should be instantiated by functions like pack_sequence and "
                f"pack_padded_sequences in nn.utils.rnn; got batch_sizes on {batch_sizes.device}"
            )
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> "PackedSequence":
        """With `data.to(*args, **kwargs)`; itself where that changes nothing."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        moved = [
            None if t is None else t.to(data.device)
            for t in (self.sorted_indices, self.unsorted_indices)
        ]
        return type(self)(data, self.batch_sizes, *moved)

    def cpu(self, *args: Any, **kwargs: Any) -> "PackedSequence":
        """On the CPU."""
        return self.to(*args, device="cpu", **kwargs)

    def cuda(self, *args: Any, **kwargs: Any) -> "PackedSequence":
        """On a GPU."""
        return self.to(*args, device="cuda", **kwargs)

    def double(self) -> "PackedSequence":
        """With data in float64."""
        return self.to(dtype=kagari.float64)

    def float(self) -> "PackedSequence":
        """With data in float32."""
        return self.to(dtype=kagari.float32)

    def half(self) -> "PackedSequence":
        """With data in float16."""
        return self.to(dtype=kagari.float16)

    def long(self) -> "PackedSequence":
        """With data in int64."""
        return self.to(dtype=kagari.int64)

    def int(self) -> "PackedSequence":
        """With data in int32."""
        return self.to(dtype=kagari.int32)

    def short(self) -> "PackedSequence":
        """With data in int16."""
        return self.to(dtype=kagari.int16)

    def char(self) -> "PackedSequence":
        """With data in int8."""
        return self.to(dtype=kagari.int8)

    def byte(self) -> "PackedSequence":
        """With data in uint8."""
        return self.to(dtype=kagari.uint8)

    def pin_memory(self) -> "PackedSequence":
        """With data in pinned memory."""
        return type(self)(
            self.data.pin_memory(), self.batch_sizes, self.sorted_indices, self.unsorted_indices
        )

    @property
    def is_cuda(self) -> bool:
        """Whether data lies on a GPU."""
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        """Whether data lies in pinned memory."""
        return self.data.is_pinned()


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes `permutation` (int64, one dimension).

    >>> invert_permutation(kagari.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    output = kagari.empty_like(permutation)
    output.scatter_(0, permutation, kagari.arange(permutation.numel(), device=permutation.device))
    return output


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:  # fmt: skip
    """Without padding: input is (T, N, *), or (N, T, *) with `batch_first`.

    Args:
        lengths: of the N sequences, from 1 to T; a list, or a tensor on the CPU.
        enforce_sorted: the sequences are sorted by decreasing length; they are sorted otherwise.

    RuntimeError for lengths that are not positive, too long, unsorted, or not N.

    >>> pack_padded_sequence(kagari.tensor([[1, 2, 3], [4, 5, 0]]), [3, 2], batch_first=True).data
    tensor([1, 4, 2, 5, 3])
    """
    counts = kagari.as_tensor(lengths, dtype=kagari.int64)
    if counts.device.type not in ("cpu", "meta") or counts.dim() != 1:
        raise RuntimeError(
            "'lengths' argument should be a 1D CPU int64 tensor, but got "
            f"{counts.dim()}D {counts.device} tensor"
        )
    order = None
    if not enforce_sorted:
        counts, order = counts.sort(descending=True)
        input = input.index_select(0 if batch_first else 1, order)
    _check_lengths(input, counts.tolist(), batch_first)
    steps = input.transpose(0, 1) if batch_first else input
    longest, batch = int(counts[0]), steps.shape[1]
    there = kagari.arange(longest).unsqueeze(1) < counts  # (steps, samples)
    flat = steps[:longest].reshape(longest * batch, *steps.shape[2:])
    data = flat.index_select(0, there.flatten().nonzero().flatten())
    return PackedSequence(data, there.sum(1), order)


def _check_lengths(input: Tensor, lengths: list[int], batch_first: bool) -> None:
    batch, longest = (input.shape[i] for i in ((0, 1) if batch_first else (1, 0)))
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    if len(lengths) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(lengths)} "
            f"(batch_size={batch})"
        )
    if any(a < b for a, b in zip(lengths, lengths[1:], strict=False)):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You "
            "can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to "
            "sidestep this requirement if you do not need ONNX exportability."
        )
    if lengths[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' "
            "that is <= 0"
        )
    if lengths[0] > longest:
        raise RuntimeError(
            f"pack_padded_sequence: a length of {lengths[0]} is more than the {longest} steps that "
            "the input has"
        )


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(T, N, *), or (N, T, *) with `batch_first`, and the N lengths: what `pack_padded_sequence`
    took, in the order it had.

    ValueError for a `total_length` that is shorter than the longest sequence.

    >>> packed = pack_sequence([kagari.tensor([1, 2]), kagari.tensor([3])])
    >>> pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
    """
    data, sizes, _, order = sequence
    longest, batch = sizes.shape[0], int(sizes[0])
    if total_length is not None and total_length < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but "
            f"got total_length={total_length} and max sequence length being {longest}"
        )
    total = longest if total_length is None else total_length
    there = kagari.arange(batch) < sizes.unsqueeze(1)  # (steps, samples)
    flat = data.new_full((total * batch, *data.shape[1:]), padding_value)
    flat = flat.index_copy(0, there.flatten().nonzero().flatten(), data)
    padded, lengths = flat.view(total, batch, *data.shape[1:]), there.sum(0)
    padded = padded.transpose(0, 1) if batch_first else padded
    if order is not None:
        return padded.index_select(0 if batch_first else 1, order), lengths[order.cpu()]
    return padded, lengths


def pad_sequence(
    sequences: Iterable[Tensor] | Tensor, batch_first: bool = False, padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:  # fmt: skip
    """Tensors (L_i, *) as one: (longest, N, *), or (N, longest, *) with `batch_first`.

    RuntimeError for what is no iterable of tensors, for tensors that differ in more than their
    length, and for a `padding_side` other than left and right.

    >>> pad_sequence([kagari.tensor([1, 2]), kagari.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    given = list(sequences.unbind(0) if isinstance(sequences, Tensor) else sequences)
    if not given:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, got {padding_side}")
    longest, rest = max(t.shape[0] for t in given), given[0].shape[1:]
    parts = []
    for i, t in enumerate(given):
        if t.shape[1:] != rest:
            raise RuntimeError(
                f"pad_sequence: expected sequences of shape (length, *{tuple(rest)}), got "
                f"{tuple(t.shape)} at {i}"
            )
        gap = given[0].new_full((longest - t.shape[0], *rest), padding_value)
        parts.append(kagari.cat([t, gap] if padding_side == "right" else [gap, t]))
    return kagari.stack(parts, 0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """The sequences (length, *) of a padded tensor (T, N, *), or (N, T, *) with `batch_first`.

    >>> unpad_sequence(kagari.tensor([[1, 2], [3, 0]]), kagari.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    samples = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [s[: int(n)] for s, n in zip(samples, lengths, strict=True)]


def pack_sequence(sequences: Iterable[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Tensors (L_i, *) packed; see `pack_padded_sequence`.

    >>> pack_sequence([kagari.tensor([1, 2]), kagari.tensor([3])]).data
    tensor([1, 3, 2])
    """
    given = list(sequences)
    lengths = kagari.tensor([t.shape[0] for t in given])
    return pack_padded_sequence(pad_sequence(given), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that `pack_sequence` took.

    >>> unpack_sequence(pack_sequence([kagari.tensor([1, 2]), kagari.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
