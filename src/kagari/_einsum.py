"""einsum, as a series of batched matrix products."""

import math
from collections.abc import Sequence
from typing import Any

from kagari._C import Tensor

__all__ = ["einsum"]


def einsum(*args: Any) -> Tensor:
    """Sums of products, written with one letter for each dimension.

    Repeated letters are multiplied along, letters missing on the right are summed; `...` stands for
    further dimensions, which broadcast.

    >>> kagari.einsum("ij,jk->ik", kagari.ones(2, 3), kagari.ones(3, 2))
    tensor([[3., 3.],
            [3., 3.]])
    """
    equation, operands = _equation(args)
    if not operands:
        raise ValueError("einsum(): must provide at least one operand")
    terms, result, extra = _parse(equation, operands)
    sizes: dict[str, int] = {}
    parts = [
        _labelled(i, operand, term, extra, sizes)
        for i, (operand, term) in enumerate(zip(operands, terms, strict=True))
    ]
    letters = [f"~{i}" for i in range(extra)]
    wanted = [label for part in result for label in (letters if part == "..." else [part])]
    for label in wanted:
        if label not in sizes:
            raise RuntimeError(
                f"einsum(): output subscript {label} does not appear in the equation for any input "
                "operand"
            )
    current, labels = parts[0]
    for position, (other, other_labels) in enumerate(parts[1:], 1):
        needed = {*wanted, *(x for _, names in parts[position + 1 :] for x in names)}
        current, labels = _contract(current, labels, other, other_labels, needed)
    gone = [i for i, label in enumerate(labels) if label not in wanted]
    if gone:
        current = current.sum(gone)
        labels = [label for label in labels if label in wanted]
    return current.permute([labels.index(label) for label in wanted])


def _equation(args: tuple[Any, ...]) -> tuple[str, list[Tensor]]:
    """The equation as text; the form einsum(a, [0, 1], b, [1, 2], [0, 2]) is rewritten."""
    if args and isinstance(args[0], str):
        rest = args[1:]
        if len(rest) == 1 and isinstance(rest[0], list | tuple):
            rest = tuple(rest[0])
        return args[0], list(rest)
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand and its subscripts list"
        )

    def text(subscripts: Sequence[Any]) -> str:
        names = []
        for item in subscripts:
            if item is Ellipsis:
                names.append("...")
            elif 0 <= item < 52:
                names.append(chr(ord("A") + item) if item < 26 else chr(ord("a") + item - 26))
            else:
                raise ValueError(
                    f"einsum(): subscript {item} is not within the valid range [0, 52)"
                )
        return "".join(names)

    pairs = len(args) // 2
    equation = ",".join(text(args[2 * i + 1]) for i in range(pairs))
    if len(args) % 2:
        equation += "->" + text(args[-1])
    return equation, [args[2 * i] for i in range(pairs)]


def _split(term: str) -> list[str]:
    """The labels of one operand: letters and at most one '...'."""
    labels, rest = [], term.replace(" ", "")
    while rest:
        if rest.startswith("..."):
            if "..." in labels:
                raise RuntimeError("einsum(): found '...' for which an ellipsis was already found")
            labels.append("...")
            rest = rest[3:]
            continue
        if not (rest[0].isascii() and rest[0].isalpha()):
            raise RuntimeError(
                f"einsum(): invalid subscript given, subscripts must be in [a-zA-Z], got "
                f"'{rest[0]}'"
            )
        labels.append(rest[0])
        rest = rest[1:]
    return labels


def _parse(equation: str, operands: list[Tensor]) -> tuple[list[list[str]], list[str], int]:
    """Labels of each operand and of the result, and how many dimensions '...' stands for."""
    left, arrow, right = equation.partition("->")
    terms = [_split(term) for term in left.split(",")]
    if len(terms) != len(operands):
        more = "more" if len(operands) > len(terms) else "fewer"
        raise RuntimeError(
            f"einsum(): {more} operands were provided than specified in the equation: "
            f"{len(operands)} for '{equation}'"
        )
    extra = max(
        (o.dim() - len(t) + 1 for o, t in zip(operands, terms, strict=True) if "..." in t),
        default=0,
    )
    if arrow:
        result = _split(right)
        for label in result:
            if label != "..." and result.count(label) > 1:
                raise RuntimeError(
                    f"einsum(): output subscript {label} appears more than once in the output"
                )
        return terms, result, extra
    every = [label for term in terms for label in term if label != "..."]
    once = sorted(label for label in set(every) if every.count(label) == 1)
    return terms, ["...", *once] if any("..." in t for t in terms) else once, extra


def _labelled(
    index: int, operand: Tensor, term: list[str], extra: int, sizes: dict[str, int]
) -> tuple[Tensor, list[str]]:
    """The operand with one dimension for each of its labels; checked, repeated ones taken once."""
    named = sum(label != "..." for label in term)
    covered = operand.dim() - named
    if covered < 0 or (covered and "..." not in term):
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({named}) does not match the "
            f"number of dimensions ({operand.dim()}) for operand {index}"
        )
    labels: list[str] = []
    for label in term:
        ellipsis = [f"~{i}" for i in range(extra - covered, extra)]
        labels += ellipsis if label == "..." else [label]
    for label in [label for label in dict.fromkeys(labels) if labels.count(label) > 1]:
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            if operand.shape[first] != operand.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {index} but the sizes "
                    f"don't match, {operand.shape[second]} != {operand.shape[first]}"
                )
            operand = operand.diagonal(0, first, second)
            labels = [x for i, x in enumerate(labels) if i not in (first, second)] + [label]
    for label, size in zip(labels, operand.shape, strict=True):
        known = sizes.setdefault(label, size)
        if known != size and 1 not in (known, size):
            raise RuntimeError(
                f"einsum(): operands do not broadcast with remapped shapes: subscript {label} has "
                f"size {size} for operand {index} which does not broadcast with previously seen "
                f"size {known}"
            )
        sizes[label] = size if known == 1 else known
    return operand, labels


def _contract(
    a: Tensor, a_labels: list[str], b: Tensor, b_labels: list[str], needed: set[str]
) -> tuple[Tensor, list[str]]:
    """The product of two operands, summed over what nobody needs: one batched matrix product."""
    a, a_labels = _summed(a, a_labels, needed | set(b_labels))
    b, b_labels = _summed(b, b_labels, needed | set(a_labels))
    both = [x for x in a_labels if x in b_labels]
    sizes = {x: (a.shape[a_labels.index(x)], b.shape[b_labels.index(x)]) for x in both}
    for label in [x for x in both if x not in needed and 1 in sizes[x] and sizes[x] != (1, 1)]:
        # one side is stretched: sum the other one first
        if sizes[label][0] == 1:
            b = b.sum(b_labels.index(label), keepdim=True)
        else:
            a = a.sum(a_labels.index(label), keepdim=True)
    batch = [x for x in both if x in needed]
    inner = [x for x in both if x not in needed]
    rows = [x for x in a_labels if x not in both]
    cols = [x for x in b_labels if x not in both]
    stretched = [max(sizes[x]) if min(sizes[x]) else 0 for x in batch]

    def arranged(t: Tensor, labels: list[str], order: list[str]) -> Tensor:
        t = t.permute([labels.index(x) for x in order])
        return t.expand(*stretched, *t.shape[len(batch) :])

    left = arranged(a, a_labels, batch + rows + inner)
    right = arranged(b, b_labels, batch + inner + cols)
    m = left.shape[len(batch) : len(batch) + len(rows)]
    n = right.shape[len(batch) + len(inner) :]
    k = math.prod(left.shape[len(batch) + len(rows) :])
    count = math.prod(stretched)
    product = left.reshape(count, math.prod(m), k) @ right.reshape(count, k, math.prod(n))
    return product.reshape(*stretched, *m, *n), batch + rows + cols


def _summed(t: Tensor, labels: list[str], needed: set[str]) -> tuple[Tensor, list[str]]:
    gone = [i for i, label in enumerate(labels) if label not in needed]
    return (t.sum(gone) if gone else t), [label for label in labels if label in needed]
