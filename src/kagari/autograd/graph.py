"""Looking at and hooking into the graph of recorded ops."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Self

from .._C import (
    Node,
    Tensor,
    _bump_version,
    _gradient_edge,
    _register_hook,
    _register_post_accumulate_hook,
    _remove_hook,
)
from .saved_tensors import (
    allow_mutation_on_saved_tensors,
    disable_saved_tensors_hooks,
    save_on_cpu,
    saved_tensors_hooks,
)

__all__ = [
    "GradientEdge", "Node", "RemovableHandle", "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks", "get_gradient_edge", "increment_version",
    "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks",
    "set_warn_on_accumulate_grad_stream_mismatch",
]  # fmt: skip


class RemovableHandle:
    """Takes a hook away again; also as a context manager."""

    def __init__(self, remove: Callable[[], None], id: int = 0) -> None:
        self._remove: Callable[[], None] | None = remove
        self.id = id

    def remove(self) -> None:
        if self._remove is not None:
            self._remove()
            self._remove = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def tensor_register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
    """Call `hook(grad)` whenever the gradient of this tensor is known; what it returns, if not
    None, replaces the gradient.

    >>> x = kagari.ones(2, requires_grad=True)
    >>> handle = x.register_hook(lambda grad: grad * 10)
    >>> (x * 2).sum().backward()
    >>> x.grad
    tensor([20., 20.])
    """
    key = _register_hook(self, hook)
    return RemovableHandle(lambda: _remove_hook(self, key), key)


def tensor_register_post_accumulate_grad_hook(
    self: Tensor, hook: Callable[[Tensor], None]
) -> RemovableHandle:
    """Call `hook(tensor)` after backward has added to .grad of this leaf."""
    key = _register_post_accumulate_hook(self, hook)
    return RemovableHandle(lambda: _remove_hook(self, key), key)


def _node_register_hook(self: Node, hook: Callable[..., Any]) -> RemovableHandle:
    key = self._register_hook(hook, False)
    return RemovableHandle(lambda: self._remove_hook(key), key)


def _node_register_prehook(self: Node, hook: Callable[..., Any]) -> RemovableHandle:
    key = self._register_hook(hook, True)
    return RemovableHandle(lambda: self._remove_hook(key), key)


class GradientEdge(NamedTuple):
    """Where the gradient of a tensor goes."""

    node: Any
    output_nr: int
    ownership_token: Any = None  # what keeps the node alive, where the node itself does not


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge of a tensor that requires grad."""
    if not tensor.requires_grad:
        raise RuntimeError(
            "get_gradient_edge: It is not possible to get the gradient edge for a Tensor that does "
            "not require gradients"
        )
    return GradientEdge(*_gradient_edge(tensor))


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Counts a write to a tensor, or to each of several, whose memory something foreign has written
    to: backward then knows that it is not what was saved. Inference tensors have no count.

    >>> x = kagari.ones(2)
    >>> kagari.autograd.graph.increment_version(x)
    >>> x._version
    1
    """
    if not isinstance(tensor, Tensor) and not isinstance(tensor, Iterable):
        raise RuntimeError("increment_version expect a Iterable[Tensor] as input")
    tensors = [tensor] if isinstance(tensor, Tensor) else list(tensor)
    if not all(isinstance(t, Tensor) for t in tensors):
        raise RuntimeError("increment_version expects each element of the iterable to be a tensor")
    for t in tensors:
        if not t.is_inference():
            _bump_version(t)


def set_warn_on_accumulate_grad_stream_mismatch(enabled: bool) -> None:
    """Whether gradients that come from another stream than their leaf's are warned of. There are no
    streams (ops are done when they return), so none ever does."""


def register_multi_grad_hook(
    tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all"
) -> RemovableHandle:
    """Call `fn` once per backward: with all gradients when the last has come (`all`), or with the
    first (`any`)."""
    if mode not in ("all", "any"):
        raise ValueError(f"register_multi_grad_hook: Expects mode to be 'any' or 'all', got {mode}")
    grads: list[Tensor | None] = [None] * len(tensors)
    arrived = 0

    def hook_of(i: int) -> Callable[[Tensor], None]:
        def hook(grad: Tensor) -> None:
            nonlocal arrived
            arrived += 1
            grads[i] = grad
            if mode == "any" and arrived == 1:
                fn(grad)
            if arrived == len(tensors):
                if mode == "all":
                    fn(list(grads))
                arrived = 0
                grads[:] = [None] * len(tensors)

        return hook

    handles = [t.register_hook(hook_of(i)) for i, t in enumerate(tensors)]

    def remove() -> None:
        for handle in handles:
            handle.remove()

    return RemovableHandle(remove)


def _install() -> None:
    Tensor.register_hook = tensor_register_hook
    Tensor.register_post_accumulate_grad_hook = tensor_register_post_accumulate_grad_hook
    Node.register_hook = _node_register_hook
    Node.register_prehook = _node_register_prehook


_install()
