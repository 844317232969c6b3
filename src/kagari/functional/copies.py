"""Views and writes under the names that PyTorch's core gives them: detach_copy, fill_, ..."""

from collections.abc import Sequence
from typing import Any

import kagari
from kagari import Tensor
from kagari._outputs import write_out


def detach_copy(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """A copy without history.

    >>> kagari.detach_copy(kagari.ones(1, requires_grad=True))
    tensor([1.])
    """
    made = input.detach().clone()
    return made if out is None else write_out(out, made, "detach_copy")


def slice_inverse(
    input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None,
    step: int = 1,
) -> Tensor:  # fmt: skip
    """The tensor of which `input` is a slice, seen in its memory: sizes and strides of `src`.

    >>> x = kagari.arange(4)
    >>> kagari.slice_inverse(x[1:3], x)
    tensor([0, 1, 2, 3])
    """
    return input.as_strided(src.shape, src.stride(), src.storage_offset())


def unsafe_split_with_sizes(
    input: Tensor, split_sizes: Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """As split_with_sizes.

    >>> kagari.unsafe_split_with_sizes(kagari.arange(3), [1, 2])
    (tensor([0]), tensor([1, 2]))
    """
    return input.split_with_sizes(split_sizes, dim)


def as_strided_(
    input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Tensor:
    """Tensor.as_strided_: the tensor itself becomes the view.

    >>> kagari.as_strided_(kagari.arange(4), (2,), (2,))
    tensor([0, 2])
    """
    return input.as_strided_(size, stride, storage_offset)


def detach_(input: Tensor) -> Tensor:
    """Tensor.detach_: the tensor itself loses its history.

    >>> kagari.detach_(kagari.ones(1, requires_grad=True) * 2)
    tensor([2.])
    """
    return input.detach_()


def fill_(input: Tensor, value: Any) -> Tensor:
    """Tensor.fill_: every element becomes `value`.

    >>> kagari.fill_(kagari.zeros(2), 3)
    tensor([3., 3.])
    """
    return input.fill_(value)


def resize_as_(input: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """Tensor.resize_as_: the tensor itself gets the sizes of another one.

    >>> kagari.resize_as_(kagari.zeros(4), kagari.zeros(2, 1)).shape
    torch.Size([2, 1])
    """
    return input.resize_as_(the_template, memory_format=memory_format)


def adjoint(input: Tensor) -> Tensor:
    """The conjugate of a matrix, or a stack of them, with rows and columns swapped.

    >>> kagari.adjoint(kagari.tensor([[1, 2], [3, 4]]))
    tensor([[1, 3],
            [2, 4]])
    """
    return input.adjoint()


def ger(input: Tensor, vec2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The outer product of two vectors, under its older name.

    >>> kagari.ger(kagari.tensor([1, 2]), kagari.tensor([1, 3]))
    tensor([[1, 3],
            [2, 6]])
    """
    return kagari.outer(input, vec2) if out is None else kagari.outer(input, vec2, out=out)
