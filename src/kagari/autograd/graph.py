"""Looking at and hooking into the graph of recorded ops."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

from .._C import (
    Node,
    Tensor,
    _gradient_edge,
    _pop_saved_hooks,
    _push_saved_hooks,
    _register_hook,
    _register_post_accumulate_hook,
    _remove_hook,
)


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


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """The edge of a tensor that requires grad."""
    if not tensor.requires_grad:
        raise RuntimeError(
            "get_gradient_edge: It is not possible to get the gradient edge for a Tensor that does "
            "not require gradients"
        )
    return GradientEdge(*_gradient_edge(tensor))


class saved_tensors_hooks:
    """Inside, what is kept for backward is what `pack_hook(tensor)` returns; backward gets it back
    through `unpack_hook`."""

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        _push_saved_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *exception: object) -> None:
        _pop_saved_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Keeps what backward needs on the CPU; it returns to its device when it is needed."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda t: (t.device, t.cpu()), lambda kept: kept[1].to(kept[0]))


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
