"""Trees of containers: taken apart into their leaves and a spec, and put together again.

Nodes are dict, OrderedDict, defaultdict, list, tuple, named tuples, deques and registered classes;
everything else is a leaf.
"""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

PyTree = Any
Context = Any
FlattenFunc = Callable[[Any], tuple[Iterable[Any], Context]]
UnflattenFunc = Callable[[Iterable[Any], Context], Any]


class NodeDef(NamedTuple):
    """How a class of nodes is taken apart and put together."""

    type: type
    flatten_fn: FlattenFunc
    unflatten_fn: UnflattenFunc
    keys_fn: Callable[[Any], list[Any]]


@dataclass(frozen=True)
class SequenceKey:
    """The place of a child in a list or tuple."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, sequence: Any) -> Any:
        return sequence[self.idx]


@dataclass(frozen=True)
class MappingKey:
    """The place of a child in a dict."""

    key: Hashable

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, mapping: Any) -> Any:
        return mapping[self.key]


@dataclass(frozen=True)
class GetAttrKey:
    """The place of a child in an object with named fields."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, obj: Any) -> Any:
        return getattr(obj, self.name)


KeyPath = tuple[Any, ...]


@dataclass
class TreeSpec:
    """A tree without its leaves. A leaf has type None."""

    type: Any
    context: Context = None
    children_specs: list["TreeSpec"] = field(default_factory=list)
    num_nodes: int = field(init=False)
    num_leaves: int = field(init=False)

    def __post_init__(self) -> None:
        self.num_nodes = 1 + sum(c.num_nodes for c in self.children_specs)
        self.num_leaves = 1 if self.is_leaf() else sum(c.num_leaves for c in self.children_specs)
        self.num_children = len(self.children_specs)

    def is_leaf(self) -> bool:
        return self.type is None

    def children(self) -> list["TreeSpec"]:
        return self.children_specs.copy()

    def child(self, index: int) -> "TreeSpec":
        return self.children_specs[index]

    def flatten_up_to(self, tree: PyTree) -> list[PyTree]:
        """The parts of `tree` that stand where this spec has leaves."""
        if self.is_leaf():
            return [tree]
        kind = _node_type(tree)
        if kind is not self.type:
            raise ValueError(f"Type mismatch; expected {self.type!r}, but got {type(tree)!r}.")
        if kind in (dict, OrderedDict) and set(tree) == set(self.context):
            found, context = [tree[key] for key in self.context], self.context
        else:
            children, context = SUPPORTED_NODES[kind].flatten_fn(tree)
            found = list(children)
        if len(found) != self.num_children or context != self.context:
            raise ValueError(f"Node mismatch at {tree!r}: expected the structure {self!r}.")
        return [
            leaf
            for spec, child in zip(self.children_specs, found, strict=True)
            for leaf in spec.flatten_up_to(child)
        ]

    def unflatten(self, leaves: Iterable[Any]) -> PyTree:
        """The tree with these leaves."""
        given = list(leaves)
        if len(given) != self.num_leaves:
            raise ValueError(
                f"treespec.unflatten(leaves): `leaves` has length {len(given)} but the spec "
                f"refers to a pytree that holds {self.num_leaves} items ({self!r})."
            )
        return self._put_together(iter(given))

    def _put_together(self, leaves: Any) -> PyTree:
        if self.is_leaf():
            return next(leaves)
        parts = [child._put_together(leaves) for child in self.children_specs]
        return SUPPORTED_NODES[self.type].unflatten_fn(parts, self.context)

    def __hash__(self) -> int:
        return hash((self.type, str(self.context), tuple(self.children_specs)))

    def __repr__(self) -> str:
        if self.is_leaf():
            return "*"
        inner = ", ".join(map(repr, self.children_specs))
        return f"TreeSpec({self.type.__name__}, {self.context}, [{inner}])"

    def __str__(self) -> str:
        return self._text(*(["*"] * self.num_leaves))

    def _text(self, *leaves: str) -> str:
        if self.is_leaf():
            return leaves[0]
        parts, at = [], 0
        for child in self.children_specs:
            parts.append(child._text(*leaves[at : at + child.num_leaves]))
            at += child.num_leaves
        if self.type is dict:
            return (
                "{"
                + ", ".join(f"{k!r}: {p}" for k, p in zip(self.context, parts, strict=True))
                + "}"
            )
        if self.type is list:
            return f"[{', '.join(parts)}]"
        if self.type is tuple:
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        return f"{self.type.__name__}({self.context!r}, [{', '.join(parts)}])"


class LeafSpec(TreeSpec):
    """The spec of a leaf."""

    def __init__(self) -> None:
        super().__init__(None, None, [])

    __hash__ = TreeSpec.__hash__

    def __repr__(self) -> str:
        return "*"


SUPPORTED_NODES: dict[type, NodeDef] = {}


def register_pytree_node(
    cls: type,
    flatten_fn: FlattenFunc,
    unflatten_fn: UnflattenFunc,
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Callable[[Any], Any] | None = None,
    from_dumpable_context: Callable[[Any], Any] | None = None,
    flatten_with_keys_fn: Callable[[Any], tuple[list[tuple[Any, Any]], Context]] | None = None,
) -> None:
    """Makes objects of `cls` nodes: `flatten_fn(obj)` gives children and context, from which
    `unflatten_fn(children, context)` makes the object anew.

    >>> class Pair:
    ...     def __init__(self, a, b):
    ...         self.a, self.b = a, b
    >>> register_pytree_node(Pair, lambda p: ([p.a, p.b], None), lambda c, _: Pair(*c))
    >>> tree_leaves([Pair(1, 2), 3])
    [1, 2, 3]
    """
    if cls in SUPPORTED_NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")

    def keys(obj: Any) -> list[Any]:
        if flatten_with_keys_fn is not None:
            return [key for key, _ in flatten_with_keys_fn(obj)[0]]
        return [SequenceKey(i) for i, _ in enumerate(flatten_fn(obj)[0])]

    SUPPORTED_NODES[cls] = NodeDef(cls, flatten_fn, unflatten_fn, keys)


_register_pytree_node = register_pytree_node


def _sequence_keys(values: Any) -> list[Any]:
    return [SequenceKey(i) for i in range(len(values))]


def _mapping_keys(values: Any) -> list[Any]:
    return [MappingKey(key) for key in values]


def _defaultdict(values: Iterable[Any], context: Any) -> Any:
    return defaultdict(context[0], zip(context[1], values, strict=True))


def _add(
    cls: type, flatten: FlattenFunc, unflatten: UnflattenFunc, keys: Callable[[Any], list[Any]]
) -> None:
    SUPPORTED_NODES[cls] = NodeDef(cls, flatten, unflatten, keys)


_add(list, lambda v: (v, None), lambda c, _: list(c), _sequence_keys)
_add(tuple, lambda v: (v, None), lambda c, _: tuple(c), _sequence_keys)


def _dict_flatten(values: dict[Any, Any]) -> tuple[list[Any], Context]:
    return list(values.values()), list(values)


def _dict_flatten_with_keys(values: dict[Any, Any]) -> tuple[list[tuple[Any, Any]], Context]:
    return [(MappingKey(key), value) for key, value in values.items()], list(values)


def _dict_unflatten(values: Iterable[Any], keys: Context) -> dict[Any, Any]:
    return dict(zip(keys, values, strict=True))


_add(dict, _dict_flatten, _dict_unflatten, _mapping_keys)
_add(
    OrderedDict,
    lambda v: (list(v.values()), list(v)),
    lambda c, keys: OrderedDict(zip(keys, c, strict=True)),
    _mapping_keys,
)
_add(
    defaultdict,
    lambda v: (list(v.values()), [v.default_factory, list(v)]),
    _defaultdict,
    _mapping_keys,
)
_add(deque, lambda v: (list(v), v.maxlen), lambda c, n: deque(c, maxlen=n), _sequence_keys)


class _NamedTuple:
    """Stands for every class of named tuples, which the context names."""


_add(
    _NamedTuple,
    lambda v: (list(v), type(v)),
    lambda c, cls: cls(*c),
    lambda v: [GetAttrKey(name) for name in v._fields],
)


def is_namedtuple(obj: Any) -> bool:
    """Is it a named tuple, or a class of them?"""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


def is_namedtuple_class(cls: type) -> bool:
    """Is it a class of named tuples?"""
    return (
        isinstance(cls, type)
        and issubclass(cls, tuple)
        and isinstance(getattr(cls, "_fields", None), tuple)
        and callable(getattr(cls, "_make", None))
    )


def _node_type(tree: Any) -> Any:
    """The registered class of a node; None for a leaf."""
    cls = type(tree)
    if cls in SUPPORTED_NODES:
        return cls
    return _NamedTuple if is_namedtuple_class(cls) else None


_get_node_type = _node_type  # PyTorch's name of it

_IsLeaf = Callable[[PyTree], bool] | None


def _is_leaf(tree: PyTree, is_leaf: _IsLeaf = None) -> bool:
    return (is_leaf is not None and is_leaf(tree)) or _node_type(tree) is None


def tree_is_leaf(tree: PyTree, is_leaf: _IsLeaf = None) -> bool:
    """Has the tree no parts?"""
    return _is_leaf(tree, is_leaf)


def _collect(tree: PyTree, leaves: list[Any], is_leaf: _IsLeaf) -> TreeSpec:
    if _is_leaf(tree, is_leaf):
        leaves.append(tree)
        return LeafSpec()
    kind = _node_type(tree)
    children, context = SUPPORTED_NODES[kind].flatten_fn(tree)
    return TreeSpec(kind, context, [_collect(child, leaves, is_leaf) for child in children])


def tree_flatten(tree: PyTree, is_leaf: _IsLeaf = None) -> tuple[list[Any], TreeSpec]:
    """The leaves from left to right, and the tree without them.

    >>> tree_flatten({"a": 1, "b": (2, 3)})[0]
    [1, 2, 3]
    """
    leaves: list[Any] = []
    spec = _collect(tree, leaves, is_leaf)
    return leaves, spec


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> PyTree:
    """The tree of that spec with these leaves; ValueError if their number differs."""
    if not isinstance(treespec, TreeSpec):
        raise TypeError(
            "tree_unflatten(leaves, treespec): Expected `treespec` to be instance of TreeSpec but "
            f"got item of type {type(treespec)}."
        )
    return treespec.unflatten(leaves)


def tree_iter(tree: PyTree, is_leaf: _IsLeaf = None) -> Iterable[Any]:
    """The leaves one by one."""
    yield from tree_leaves(tree, is_leaf)


def tree_leaves(tree: PyTree, is_leaf: _IsLeaf = None) -> list[Any]:
    """The leaves from left to right."""
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree: PyTree, is_leaf: _IsLeaf = None) -> TreeSpec:
    """The tree without its leaves."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(
    func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: _IsLeaf = None
) -> PyTree:
    """The tree with `func(leaf)` for each leaf; with more trees, of their parts there, too.

    >>> tree_map(lambda a, b: a + b, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    others = [spec.flatten_up_to(rest) for rest in rests]
    return spec.unflatten([func(*each) for each in zip(leaves, *others, strict=True)])


def tree_map_(
    func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: _IsLeaf = None
) -> PyTree:
    """Calls `func` on each leaf for what it does; returns the tree itself."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


_Chosen = type | tuple[type, ...] | Callable[[Any], bool]


def _chooser(chosen: _Chosen) -> Callable[[Any], bool]:
    if isinstance(chosen, type | tuple):
        return lambda x: isinstance(x, chosen)
    if callable(chosen):
        return chosen
    raise TypeError("Argument must be a type, a tuple of types, or a callable.")


def map_only(chosen: _Chosen, /) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Decorator: applied to what is not chosen, the function returns it as it is."""
    wanted = _chooser(chosen)

    def decorate(func: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: func(x) if wanted(x) else x

    return decorate


def tree_map_only(
    chosen: _Chosen, /, func: Callable[[Any], Any], tree: PyTree, is_leaf: _IsLeaf = None
) -> PyTree:
    """tree_map for leaves of a type (or that a predicate chooses); the others stay."""
    return tree_map(map_only(chosen)(func), tree, is_leaf=is_leaf)


def tree_map_only_(
    chosen: _Chosen, /, func: Callable[[Any], Any], tree: PyTree, is_leaf: _IsLeaf = None
) -> PyTree:
    """tree_map_ for leaves of a type."""
    return tree_map_(map_only(chosen)(func), tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: PyTree, is_leaf: _IsLeaf = None) -> bool:
    """Does it hold for every leaf?"""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: PyTree, is_leaf: _IsLeaf = None) -> bool:
    """Does it hold for some leaf?"""
    return any(map(pred, tree_leaves(tree, is_leaf)))


def tree_all_only(
    chosen: _Chosen, /, pred: Callable[[Any], bool], tree: PyTree, is_leaf: _IsLeaf = None
) -> bool:
    """Does it hold for every leaf of the type?"""
    return all(pred(x) for x in tree_leaves(tree, is_leaf) if _chooser(chosen)(x))


def tree_any_only(
    chosen: _Chosen, /, pred: Callable[[Any], bool], tree: PyTree, is_leaf: _IsLeaf = None
) -> bool:
    """Does it hold for some leaf of the type?"""
    return any(pred(x) for x in tree_leaves(tree, is_leaf) if _chooser(chosen)(x))


def _broadcast_to_and_flatten(
    tree: PyTree, treespec: TreeSpec, is_leaf: _IsLeaf = None
) -> list[Any] | None:
    """The leaves of `tree` repeated where it is a prefix of the spec; None if it is not."""
    if _is_leaf(tree, is_leaf):
        return [tree] * treespec.num_leaves
    if treespec.is_leaf() or _node_type(tree) is not treespec.type:
        return None
    children, context = SUPPORTED_NODES[treespec.type].flatten_fn(tree)
    found = list(children)
    if len(found) != treespec.num_children or context != treespec.context:
        return None
    result: list[Any] = []
    for child, spec in zip(found, treespec.children_specs, strict=True):
        flat = _broadcast_to_and_flatten(child, spec, is_leaf)
        if flat is None:
            return None
        result += flat
    return result


def _collect_paths(
    tree: PyTree, path: KeyPath, is_leaf: _IsLeaf, found: list[tuple[KeyPath, Any]]
) -> None:
    if _is_leaf(tree, is_leaf):
        found.append((path, tree))
        return
    node = SUPPORTED_NODES[_node_type(tree)]
    children = node.flatten_fn(tree)[0]
    for key, child in zip(node.keys_fn(tree), children, strict=True):
        _collect_paths(child, (*path, key), is_leaf, found)


def tree_leaves_with_path(tree: PyTree, is_leaf: _IsLeaf = None) -> list[tuple[KeyPath, Any]]:
    """The leaves with the keys that lead to them."""
    found: list[tuple[KeyPath, Any]] = []
    _collect_paths(tree, (), is_leaf, found)
    return found


def tree_flatten_with_path(
    tree: PyTree, is_leaf: _IsLeaf = None
) -> tuple[list[tuple[KeyPath, Any]], TreeSpec]:
    """As tree_flatten, each leaf with the keys that lead to it."""
    return tree_leaves_with_path(tree, is_leaf), tree_structure(tree, is_leaf)


def tree_map_with_path(
    func: Callable[..., Any], tree: PyTree, *rests: PyTree, is_leaf: _IsLeaf = None
) -> PyTree:
    """As tree_map; `func` gets the path of the leaf first."""
    pairs, spec = tree_flatten_with_path(tree, is_leaf)
    others = [spec.flatten_up_to(rest) for rest in rests]
    paths = [path for path, _ in pairs]
    leaves = [leaf for _, leaf in pairs]
    return spec.unflatten([func(*each) for each in zip(paths, leaves, *others, strict=True)])


def keystr(path: KeyPath) -> str:
    """A path as text: `['a'][0].b`."""
    return "".join(map(str, path))


def key_get(obj: Any, path: KeyPath) -> Any:
    """What a path leads to."""
    for key in path:
        obj = key.get(obj)
    return obj
