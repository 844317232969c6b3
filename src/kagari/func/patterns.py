"""rearrange: dimensions named, split, joined and moved by a pattern, as einops writes it."""

import re
from collections.abc import Sequence
from math import prod

from .._C import Tensor

Side = list[list[str]]  # groups of names: what is in one pair of parentheses, or one name


def _fail(pattern: str, why: str) -> ValueError:
    return ValueError(f"rearrange: {why}, in {pattern!r}")


def _checked(name: str, pattern: str) -> str:
    if name == "..." or (name.isidentifier() and not name.startswith("_")):
        if not name.endswith("_"):
            return name
    if name.isdigit():
        if name == "1":
            return name
        raise _fail(pattern, f"rearrange only supports unnamed axes of size 1, got {name}")
    raise _fail(
        pattern, f"Invalid axis identifier: {name}; it is a Python name without outer underscores"
    )


def _side(text: str, pattern: str) -> Side:
    """The groups of one side; of an unnamed axis of size 1, an empty one."""
    groups: Side = []
    inside = False
    for token in re.findall(r"\.\.\.|\w+|\S", text):
        if token == "(":
            if inside:
                raise _fail(pattern, "brackets inside brackets are not allowed")
            inside = True
            groups.append([])
        elif token == ")":
            if not inside:
                raise _fail(pattern, f"Imbalanced parentheses in expression: {text.strip()!r}")
            inside = False
        elif token == ".":
            raise _fail(pattern, "Expression may contain dots only inside ellipsis (...)")
        elif not (token == "..." or token[0].isalnum() or token[0] == "_"):
            raise _fail(pattern, f"Unknown character {token!r}")
        else:
            name = [] if _checked(token, pattern) == "1" else [token]
            if inside:
                groups[-1] += name
            else:
                groups.append(name)
    if inside:
        raise _fail(pattern, f"Imbalanced parentheses in expression: {text.strip()!r}")
    names = [each for group in groups for each in group]
    for each in names:
        if names.count(each) > 1:
            raise _fail(pattern, f"Indexing expression contains duplicate dimension {each!r}")
    return groups


def _sides(pattern: str, lengths: dict[str, int]) -> tuple[Side, Side]:
    if pattern.count("->") != 1:
        raise _fail(pattern, "Pattern must contain a single '->' separator")
    left, right = (_side(text, pattern) for text in pattern.split("->"))
    before, after = ({name for group in side for name in group} for side in (left, right))
    if "..." in after - before:
        raise _fail(pattern, "Ellipsis found in right side, but not left side")
    if any("..." in group and len(group) > 1 for group in left):
        raise _fail(pattern, "an ellipsis in parentheses on the left side is not allowed")
    if one_sided := before ^ after:
        raise _fail(
            pattern,
            "Identifiers only on one side of rearrange expression (should be on both): "
            f"{one_sided}",
        )
    if unknown := lengths.keys() - before:
        raise _fail(pattern, f"Identifiers not found in rearrange expression: {unknown}")
    for name, length in lengths.items():
        if not isinstance(length, int) or isinstance(length, bool):
            raise TypeError(f"rearrange axis lengths must be integers, got: {type(length)}")
        if length < 0:
            raise _fail(pattern, f"the length of {name} is negative: {length}")
    return left, right


def _parts(group: list[str], size: int, lengths: dict[str, int], pattern: str) -> list[int]:
    """The sizes of the names that a dimension of `size` is made of."""
    unknown = [name for name in group if name not in lengths]
    known = prod(lengths[name] for name in group if name in lengths)
    if len(unknown) > 1:
        raise _fail(pattern, f"cannot infer the sizes of several dimensions at once: {unknown}")
    if unknown:
        if known == 0 or size % known:
            raise _fail(pattern, f"a dimension of size {size} cannot be cut in parts of {known}")
        lengths = {**lengths, unknown[0]: size // known}
    elif known != size:
        raise _fail(pattern, f"a dimension of size {size} was given as ({' '.join(group)})={known}")
    return [lengths[name] for name in group]


def rearrange(tensor: Tensor | Sequence[Tensor], pattern: str, **axes_lengths: int) -> Tensor:
    """`tensor` with its dimensions rearranged, "b (h two) c -> b c h two": names in parentheses
    are parts of one dimension, `1` is a dimension of size 1, `...` stands for any others.

    Args:
        tensor: of any dtype, or several of one shape, which are stacked as a first dimension.
        axes_lengths: sizes of parts that do not follow from the others.

    A view where that is possible. ValueError for a pattern that does not fit, TypeError for lengths
    that are no integers.

    >>> kagari.func.rearrange(kagari.zeros(2, 6, 3), "b (h two) c -> b c h two", two=2).shape
    torch.Size([2, 3, 3, 2])
    """
    from .. import stack

    if not isinstance(tensor, Tensor):
        tensor = stack(tensor)
    left, right = _sides(pattern, axes_lengths)
    extra = tensor.dim() - (len(left) - (["..."] in left))
    if extra < 0 or (extra and ["..."] not in left):
        raise _fail(
            pattern,
            f"Number of dimensions in pattern ({len(left)}) must be equal to the number of "
            f"dimensions in the tensor ({tensor.dim()})",
        )
    dots = [f"...{i}" for i in range(extra)]
    sizes: dict[str, int] = {}
    shape = iter(tensor.shape)
    for group in left:
        if group == ["..."]:
            sizes |= {name: next(shape) for name in dots}
            continue
        parts = _parts(group, next(shape), axes_lengths, pattern)
        sizes |= dict(zip(group, parts, strict=True))
    places = {name: i for i, name in enumerate(sizes)}
    wide = [
        [n for name in group for n in (dots if name == "..." else [name])]
        if group != ["..."]
        else group
        for group in right
    ]
    split = tensor.reshape(list(sizes.values()))
    order = [n for group in wide for n in (dots if group == ["..."] else group)]
    moved = split.permute([places[name] for name in order])
    final: list[int] = []
    for group in wide:
        if group == ["..."]:
            final += [sizes[name] for name in dots]
        else:
            final.append(prod(sizes[name] for name in group))
    return moved.reshape(final)
