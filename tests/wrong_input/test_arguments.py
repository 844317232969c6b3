"""Wrong kinds of arguments, for every op there is: an error of PyTorch's classes, never a crash."""

import inspect
import random
import subprocess
import sys
import warnings

import pytest

import kagari

FINE = (
    RuntimeError,
    TypeError,
    ValueError,
    IndexError,
    NotImplementedError,
    OverflowError,
    AttributeError,
    BufferError,
)

# what changes the process, or asks for a callable
LEFT_OUT = {
    "set_num_threads", "set_default_dtype", "set_default_device", "set_printoptions",
    "set_default_tensor_type", "set_grad_enabled", "set_num_interop_threads", "show_threads",
    "manual_seed", "seed", "set_rng_state",
}  # fmt: skip


def functions():
    """Every public function on tensors and every method that is an op."""
    for name, function in sorted(vars(kagari).items()):
        plain = callable(function) and not inspect.isclass(function)
        if plain and not name.startswith("_") and name not in LEFT_OUT:
            yield name, function
    for name, op in sorted(kagari._C.places["ops"].items()):
        yield f"ops.{name}", op


FUNCTIONS = dict(functions())

TENSORS = [
    lambda: kagari.ones(()),
    lambda: kagari.ones(0),
    lambda: kagari.ones(3),
    lambda: kagari.ones(2, 0, 3),
    lambda: kagari.ones(2, 3),
    lambda: kagari.ones(2, 3, 4),
    lambda: kagari.ones(2, 3).t(),
    lambda: kagari.ones(1).expand(3),
    lambda: kagari.tensor([5, -7, 100]),
    lambda: kagari.tensor([True, False, True]),
    lambda: kagari.tensor([1j, 2.0, 3.0]),
    lambda: kagari.ones(3, dtype=kagari.bfloat16),
    lambda: kagari.ones(3, dtype=kagari.uint64),
    lambda: kagari.ones(2, 3, device="meta"),
    lambda: kagari.ones(3, requires_grad=True),
    lambda: kagari.tensor([float("nan"), float("inf"), -1.0]),
]
NUMBERS = [0, 1, -1, 2, 3, -100, 2**31, 2**62, 2**63 - 1, -(2**63), 2**64]
OTHERS = [
    None, True, 0.5, float("nan"), float("inf"), 1j, "", "mean", "bogus", b"x", {}, object(),
    kagari.float32, kagari.int64, slice(None), [], [0, 1], [2, 3], [-1], [2**62, 2**62], [None],
    ["a"], (1, 1, 1),
]  # fmt: skip


def argument(pick):
    kind = pick.random()
    if kind < 0.5:
        return pick.choice(TENSORS)()
    if kind < 0.55:
        return [pick.choice(TENSORS)() for _ in range(2)]
    return pick.choice(NUMBERS if kind < 0.75 else OTHERS)


@pytest.fixture(autouse=True)
def little_memory():
    kagari.cpu.empty_cache()
    kagari.cpu.set_memory_limit(kagari.cpu.memory_allocated() + (256 << 20))
    yield
    kagari.cpu.set_memory_limit(0)


# where PyTorch asserts, so does kagari
ASSERTED = dict.fromkeys(("sym_ite", "sym_max", "sym_min"), (AssertionError,))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_arguments(name):
    pick = random.Random(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(25):
            arguments = [argument(pick) for _ in range(pick.randrange(5))]
            try:
                FUNCTIONS[name](*arguments)
            except (*FINE, *ASSERTED.get(name, ())) as error:
                assert str(error), arguments
                assert "std::" not in str(error) and "variant" not in str(error), arguments


def test_wrong_kinds_name_the_argument():
    with pytest.raises(TypeError, match="input"):
        kagari.exp("a")
    with pytest.raises(TypeError, match="dim"):
        kagari.sum(kagari.ones(2), dim="a")
    with pytest.raises(TypeError, match="unexpected keyword"):
        kagari.exp(kagari.ones(2), bogus=1)
    with pytest.raises(TypeError, match="missing"):
        kagari.exp()


def test_shapes_are_named():
    with pytest.raises(RuntimeError, match=r"2.*3|\(2,\).*\(3,\)"):
        kagari.ones(2) + kagari.ones(3)
    with pytest.raises(RuntimeError, match="2x3 and 4x5|shapes"):
        kagari.ones(2, 3) @ kagari.ones(4, 5)


def test_devices_do_not_mix():
    here, nowhere = kagari.ones(3, 3), kagari.ones(3, 3, device="meta")
    for mix in (
        lambda: here + nowhere,
        lambda: here @ nowhere,
        lambda: kagari.inner(here, nowhere),
        lambda: kagari.cat([here, nowhere]),
        lambda: here.copy_(nowhere),
        lambda: kagari.where(here > 0, here, nowhere),
    ):
        with pytest.raises((RuntimeError, NotImplementedError)):
            mix()


def test_values_of_meta_tensors_are_errors():
    t = kagari.ones(2, device="meta")
    for use in (
        lambda: t.tolist(),
        lambda: t[0].item(),
        lambda: t.numpy(),
        lambda: bool(t[0]),
        lambda: float(t[0]),
        lambda: memoryview(t),
        lambda: t.nonzero(),
    ):
        with pytest.raises((RuntimeError, NotImplementedError, TypeError, BufferError)):
            use()


def test_objects_that_raise_while_they_are_read():
    class Bad:
        def __float__(self):
            raise KeyError("mine")

        __index__ = __len__ = __float__

    with pytest.raises(KeyError, match="mine"):
        kagari.tensor([Bad()], dtype=kagari.float32)
    with pytest.raises(KeyError, match="mine"):
        kagari.tensor([1, Bad()], dtype=kagari.int64)


def test_deep_graphs_are_freed_without_recursion():
    program = """
import kagari
x = kagari.ones(1, requires_grad=True)
y = x
for _ in range(100_000):
    y = y + 1
y.backward()
assert x.grad.item() == 1
y = x
for _ in range(100_000):
    y = y * 1.0
del y
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
