"""Every node that an op can record, and every public function, has its derivatives checked by
test_gradcheck.py or stands in excluded.py with its reason."""

import functools
import re
import warnings
from pathlib import Path

import pytest
from torch.testing._internal.common_methods_invocations import op_db

import kagari
from kagari.kernels import define, table
from kagari.kernels.rows import VariantRow
from tests.gradients import excluded, own_samples
from tests.gradients.samples import Sample, lookup, operators, samples, sources, spread

CORE = Path(__file__).parents[2] / "csrc"
SPACES = ("", "nn.functional", "linalg", "fft", "special")


def nodes_of_sources() -> set[str]:
    """The names under which the core records."""
    texts = (path.read_text() for path in CORE.rglob("*.cpp"))
    return {name for text in texts for name in re.findall(r'"(\w+Backward\d*)"', text)}


def nodes_of_definitions(besides: set[str]) -> set[str]:
    """The names under which pointwise ops record, of those that are not in `besides`."""
    found: set[str] = set()
    for op in define.load().values():
        name = "".join(p.capitalize() for p in op.name.rstrip("_").split("_")) + "Backward0"
        if name not in besides:  # or else it need not be differentiated to know
            rows = [row for row in (VariantRow(op, v) for v in op.variants) if row.dtypes]
            found.update(filter(None, map(table.grad_name, rows)))
    return found - besides


def nodes_behind(tensors) -> set[str]:
    """The names of all nodes that the tensors' history leads to."""
    waiting, seen = [t.grad_fn for t in tensors if t.grad_fn is not None], set()
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting += [n for n, _ in node.next_functions if n is not None]
    return {node.name() for node in seen}


def recorded_by(sample: Sample) -> set[str]:
    """The nodes that a sample's call records, and those of its first derivative."""
    out = sample.function(*sample.tensors)
    out = [t for t in (out if isinstance(out, tuple | list) else [out])
           if isinstance(t, kagari.Tensor) and t.requires_grad]  # fmt: skip
    if not out:
        return set()
    seeds = [kagari.ones_like(t).requires_grad_() for t in out]
    first = kagari.autograd.grad(out, sample.tensors, seeds, create_graph=True, allow_unused=True)
    return nodes_behind([*out, *(g for g in first if g is not None)])


def recorded(cases) -> set[str]:
    """The nodes that the samples of some cases record."""
    found = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in cases:
            for sample in spread(samples(case), 2):
                found |= recorded_by(sample)
    return found


def test_every_node_is_checked():
    found = recorded(c for c in sources() if "complex128" not in c and ", " not in c)
    missing = (nodes_of_sources() - found) | nodes_of_definitions(found)
    missing -= excluded.NODES.keys()
    assert not missing, f"no sample of tests/gradients records {sorted(missing)}"


def test_a_node_without_sample_is_found():
    found = recorded(c for c in sources() if c.startswith("sin/"))
    assert "SinBackward0" in found
    assert "CosBackward0" in nodes_of_definitions(found)
    assert "MmBackward0" in nodes_of_sources() - found


@functools.cache
def checked_names() -> frozenset[str]:
    names = set(own_samples.SAMPLES)
    for op in op_db:
        names.update((op.name, *(alias.name for alias in op.aliases)))
    # the core's op of the same name, which the function calls
    names.update(n.rpartition(".")[2] for n in list(names) if n.startswith(("nn.", "linalg.")))
    return frozenset(names)


def unchecked_functions(names_of=dir) -> list[str]:
    """Public functions that are neither checked, nor the in-place form, another name or a copy of
    one that is, nor in the table."""
    known = {id(lookup(kagari, name)) for name in checked_names()} - {id(None)}
    found = []
    for space in SPACES:
        place = lookup(kagari, space) if space else kagari
        for name in names_of(place):
            full = f"{space}.{name}".lstrip(".")
            if name.startswith("_") or {full, full.rstrip("_")} & checked_names():
                continue
            if full in excluded.FUNCTIONS or (not space and name in kagari._LAZY):
                continue
            value = getattr(place, name, None)
            if callable(value) and not isinstance(value, type) and id(value) not in known:
                found.append(full)
    return found


def test_every_function_is_checked():
    assert not unchecked_functions()


def test_a_function_without_sample_is_found(monkeypatch):
    monkeypatch.setattr(kagari.linalg, "new_function", lambda x: x * x, raising=False)
    assert unchecked_functions() == ["linalg.new_function"]


@pytest.mark.parametrize("name", excluded.ENTRIES)
def test_what_is_excluded_exists(name):
    name, _, _ = name.partition("/")
    name, _, _ = name.partition(", ")
    assert name in {op.full_name for op in op_db}


def test_the_suite_covers_most_of_the_database():
    assert len(operators()) > 450
