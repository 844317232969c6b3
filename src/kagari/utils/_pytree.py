"""Nested containers of tensors as flat lists, and back."""

from typing import Any


class TreeSpec:
    """The containers of a tree without its leaves: a kind, what rebuilds it, and its children."""

    def __init__(self, type: Any, context: Any, children: list["TreeSpec"]) -> None:
        self.type, self.context, self.children_specs = type, context, children

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and (
            (self.type, self.context, self.children_specs)
            == (other.type, other.context, other.children_specs)
        )


def _parts(tree: Any) -> tuple[list[Any], Any] | None:
    if isinstance(tree, dict):
        return list(tree.values()), list(tree)
    return (list(tree), None) if isinstance(tree, (list, tuple)) else None


def tree_flatten(tree: Any) -> tuple[list[Any], TreeSpec]:
    parts = _parts(tree)
    if parts is None:
        return [tree], TreeSpec(None, None, [])
    found = [tree_flatten(child) for child in parts[0]]
    leaves = [leaf for part, _ in found for leaf in part]
    return leaves, TreeSpec(type(tree), parts[1], [spec for _, spec in found])


def tree_unflatten(leaves: Any, spec: TreeSpec) -> Any:
    def build(spec: TreeSpec) -> Any:
        if spec.type is None:
            return next(rest)
        children = [build(child) for child in spec.children_specs]
        if issubclass(spec.type, dict):
            return spec.type(zip(spec.context, children, strict=True))
        return spec.type(*children) if hasattr(spec.type, "_fields") else spec.type(children)

    rest = iter(leaves)
    return build(spec)


def tree_map(function: Any, tree: Any) -> Any:
    leaves, spec = tree_flatten(tree)
    return tree_unflatten([function(leaf) for leaf in leaves], spec)


def _broadcast_to_and_flatten(tree: Any, spec: TreeSpec) -> list[Any] | None:
    """The leaves of `tree` with one for each of `spec`: a leaf stands for all below it."""
    parts = _parts(tree)
    if spec.type is None:
        return [tree] if parts is None else None
    if parts is None:
        count = len(tree_flatten(tree_unflatten(_counted(spec), spec))[0])
        return [tree] * count
    if len(parts[0]) != len(spec.children_specs) or type(tree) is not spec.type:
        return None
    found: list[Any] = []
    for child, below in zip(parts[0], spec.children_specs, strict=True):
        part = _broadcast_to_and_flatten(child, below)
        if part is None:
            return None
        found += part
    return found


def _counted(spec: TreeSpec) -> list[int]:
    return [0] if spec.type is None else [0 for c in spec.children_specs for _ in _counted(c)]
