"""Products of matrices in groups of different sizes, as layers of several experts need them."""

import kagari
from kagari import Tensor

__all__ = ["grouped_mm"]


def grouped_mm(
    mat_a: Tensor, mat_b: Tensor, *, offs: Tensor | None = None, bias: Tensor | None = None,
    out_dtype: kagari.dtype | None = None,
) -> Tensor:  # fmt: skip
    """One product per group; group i of what is cut ends at offs[i] (int32).

    Args:
        mat_a, mat_b: (G, M, K) and (G, K, N) without `offs` give (G, M, N). With it:
            (rows, K) and (G, K, N) give (rows, N), the rows cut into groups; (G, M, K) and (K, N)
            give (M, N), the columns cut; (M, K) and (K, N) give (G, M, N), K cut.
        bias: must be None; out_dtype: that of mat_a.

    What lies behind the last group is zero in the result. RuntimeError for shapes, offsets and
    dtypes that do not fit.

    >>> a, b = kagari.ones(3, 2), kagari.ones(2, 2, 4)
    >>> ends = kagari.tensor([1, 3], dtype=kagari.int32)
    >>> kagari.nn.functional.grouped_mm(a, b, offs=ends).shape
    torch.Size([3, 4])
    """
    ends = _checked(mat_a, mat_b, offs, bias, out_dtype)
    if ends is None:
        return kagari.bmm(mat_a, mat_b)
    starts = [0, *ends[:-1]]
    spans = [slice(a, b) for a, b in zip(starts, ends, strict=True)]
    if mat_a.dim() == 2 and mat_b.dim() == 2:
        return kagari.stack([mat_a[:, span] @ mat_b[span] for span in spans])
    if mat_a.dim() == 2:
        parts = [mat_a[span] @ mat_b[i] for i, span in enumerate(spans)]
        rest = mat_a.new_zeros(mat_a.shape[0] - ends[-1], mat_b.shape[-1])
        return kagari.cat([*parts, rest])
    parts = [mat_a[i] @ mat_b[:, span] for i, span in enumerate(spans)]
    rest = mat_a.new_zeros(mat_a.shape[1], mat_b.shape[1] - ends[-1])
    return kagari.cat([*parts, rest], 1)


def _checked(
    a: Tensor, b: Tensor, offs: Tensor | None, bias: Tensor | None, out_dtype: kagari.dtype | None
) -> list[int] | None:
    """The ends of the groups, None for whole stacks."""
    shapes = f"got mat_a {tuple(a.shape)} and mat_b {tuple(b.shape)}"
    if a.dim() not in (2, 3) or b.dim() not in (2, 3):
        raise RuntimeError(f"grouped_mm: matrices have to be 2d or 3d, {shapes}")
    if a.dtype != b.dtype or not a.is_floating_point():
        raise RuntimeError(
            f"grouped_mm: expected two matrices of one floating dtype, got {a.dtype} and {b.dtype}"
        )
    if a.shape[-1] != b.shape[-2]:
        raise RuntimeError(f"grouped_mm: contraction dimension of matrices must match, {shapes}")
    if bias is not None:
        raise RuntimeError("grouped_mm: Bias not supported yet; add it to the result")
    if out_dtype not in (None, a.dtype):
        raise RuntimeError(
            f"grouped_mm: output dtype must match that of mat_a, {a.dtype}, got {out_dtype}"
        )
    if (offs is None) != (a.dim() == 3 and b.dim() == 3):
        raise RuntimeError(
            "grouped_mm: Have to provide offsets if there is a 2d matrix, or no offset if both "
            f"matrices are 3d; {shapes}"
        )
    if offs is None:
        if a.shape[0] != b.shape[0]:
            raise RuntimeError(f"grouped_mm: matrix batch sizes have to match, {shapes}")
        return None
    if offs.dtype != kagari.int32 or offs.dim() != 1:
        raise RuntimeError(
            f"grouped_mm: Offsets have to be int32 and of one dimension, got {offs.dtype} of shape "
            f"{tuple(offs.shape)}"
        )
    ends, stack = offs.tolist(), a if a.dim() == 3 else b
    if stack.dim() == 3 and len(ends) != stack.shape[0]:
        raise RuntimeError(
            f"grouped_mm: matrix batch sizes have to match, got {len(ends)} offsets; {shapes}"
        )
    limit = a.shape[1] if stack.dim() == 2 else a.shape[0] if a.dim() == 2 else b.shape[1]
    if not ends or any(x > y for x, y in zip([0, *ends], [*ends, limit], strict=True)):
        raise RuntimeError(
            f"grouped_mm: offsets must not decrease, from 0 to at most {limit}, got {ends}"
        )
    return ends
