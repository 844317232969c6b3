"""Trees beside torch.utils._pytree."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest
import torch.utils._pytree as theirs

import kagari.utils._pytree as ours

Point = namedtuple("Point", "x y")
TREES = [
    1,
    None,
    [],
    (1, [2, {"b": 3, "a": (4, None)}]),
    Point(1, [2, Point(3, 4)]),
    OrderedDict(z=1, a=[2]),
    defaultdict(list, k=[1, 2]),
    deque([1, (2, 3)], maxlen=5),
    {1: "a", "b": {}},
]


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_leaves_and_back(tree):
    leaves, spec = ours.tree_flatten(tree)
    expected, their_spec = theirs.tree_flatten(tree)
    assert leaves == expected
    assert (spec.num_leaves, spec.num_nodes, spec.num_children) == (
        their_spec.num_leaves,
        their_spec.num_nodes,
        their_spec.num_children,
    )
    again = ours.tree_unflatten(leaves, spec)
    assert again == tree and type(again) is type(tree)
    paths = [theirs.keystr(path) for path, _ in theirs.tree_leaves_with_path(tree)]
    assert [ours.keystr(path) for path, _ in ours.tree_leaves_with_path(tree)] == paths
    for path, leaf in ours.tree_leaves_with_path(tree):
        assert ours.key_get(tree, path) is leaf


def test_map():
    tree, other = {"a": 1, "b": (2, "x")}, {"b": (20, "y"), "a": 10}
    expected = theirs.tree_map(lambda a, b: (a, b), tree, other)
    assert ours.tree_map(lambda a, b: (a, b), tree, other) == expected
    assert ours.tree_map_only(int, lambda a: a + 1, tree) == {"a": 2, "b": (3, "x")}
    assert ours.tree_map_only((int, str), str, tree) == {"a": "1", "b": ("2", "x")}
    assert ours.tree_all_only(int, lambda a: a > 0, tree)
    assert not ours.tree_any_only(int, lambda a: a > 2, tree)
    named = ours.tree_map_with_path(lambda path, leaf: ours.keystr(path), tree)
    assert named == {"a": "['a']", "b": ("['b'][0]", "['b'][1]")}


def test_a_prefix_is_broadcast():
    spec = ours.tree_structure([1, (2, 3)])
    assert ours._broadcast_to_and_flatten([0, 1], spec) == [0, 1, 1]
    assert ours._broadcast_to_and_flatten(7, spec) == [7, 7, 7]
    assert ours._broadcast_to_and_flatten([0], spec) is None


def test_registered_class():
    class Pair:
        def __init__(self, a, b):
            self.a, self.b = a, b

    ours.register_pytree_node(Pair, lambda p: ([p.a, p.b], None), lambda c, _: Pair(*c))
    doubled = ours.tree_map(lambda v: 2 * v, Pair(1, [2]))
    assert (doubled.a, doubled.b) == (2, [4])
    with pytest.raises(ValueError, match="already registered"):
        ours.register_pytree_node(Pair, lambda p: ([], None), lambda c, _: None)


def test_errors():
    spec = ours.tree_structure([1, 2])
    with pytest.raises(ValueError):
        ours.tree_unflatten([1], spec)
    with pytest.raises(TypeError):
        ours.tree_unflatten([1, 2], "no spec")
    with pytest.raises(ValueError):
        ours.tree_map(lambda a, b: a, [1, 2], (1, 2))
    with pytest.raises(ValueError):
        ours.tree_map(lambda a, b: a, {"a": 1}, {"b": 1})


def test_equality_of_specs():
    assert ours.tree_structure({"a": 1}) == ours.tree_structure({"a": [2][0]})
    assert ours.tree_structure({"a": 1}) != ours.tree_structure({"b": 1})
    assert ours.tree_structure((1,)) != ours.tree_structure([1])
