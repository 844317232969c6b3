"""Random numbers: the same bits as PyTorch from the same seed, and the generator's states."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import kagari
from tests.ops.beside_torch import ours, theirs

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
ALL = [*FLOATS, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool,
       torch.complex64]  # fmt: skip
SIZES = [0, 1, 15, 16, 17, 100, 5000]


def same_bits(draw: Callable[[Any], Any], seed: int = 3) -> None:
    """`draw(library)` twice in a row: the same tensors (or class of error), the same states."""
    for library in (torch, kagari):
        library.manual_seed(seed)
    for _ in range(2):
        results = []
        for library in (torch, kagari):
            try:
                results.append(draw(library))
            except Exception as error:
                results.append(error)
        expected, got = results
        if isinstance(expected, Exception) or isinstance(got, Exception):
            assert type(got).__name__ == type(expected).__name__, f"{got!r} against {expected!r}"
            return
        got = theirs(got)
        assert got.dtype == expected.dtype and got.shape == expected.shape
        assert torch.equal(torch.nan_to_num(got), torch.nan_to_num(expected))
        assert torch.equal(theirs(kagari.get_rng_state()), torch.get_rng_state())


def blank(library: Any, like: torch.Tensor) -> Any:
    return like.clone() if library is torch else ours(like.clone())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("code", [
    "t.uniform_()", "t.uniform_(-1, 3)", "t.uniform_(0.1, 0.7)", "t.normal_()", "t.normal_(2, 3)",
    "t.log_normal_()", "t.cauchy_(1, 2)", "t.exponential_()", "t.exponential_(2.5)",
    "t.geometric_(0.3)", "t.bernoulli_()", "t.bernoulli_(0.2)", "t.random_()", "t.random_(10)",
    "t.random_(3, 7)", "t.random_(-5, 100)", "t.random_(0, 1000)",
])  # fmt: skip
def test_filling(code: str, dtype: torch.dtype, size: int) -> None:
    if size == 0 and dtype not in FLOATS:
        return  # PyTorch does not look at the dtype of an empty tensor
    same_bits(lambda lib: eval(code, {"t": blank(lib, torch.zeros(size, dtype=dtype))}))


@pytest.mark.parametrize("code", [
    "t.uniform_(3, 1)", "t.normal_(0, -1)", "t.exponential_(-1)", "t.geometric_(2.0)",
    "t.bernoulli_(2)",
    "t.random_(7, 3)", "t.cauchy_(0, -1)", "t.log_normal_(0, 0)", "t.random_(0)",
])  # fmt: skip
def test_bad_parameters(code: str) -> None:
    same_bits(lambda lib: eval(code, {"t": lib.zeros(3)}))


@pytest.mark.parametrize(
    "code", ["t.uniform_()", "t.normal_()", "t.random_(9)", "t.exponential_()"]
)
@pytest.mark.parametrize("layout", ["transposed", "strided", "dense"])
def test_memory_order_of_other_layouts(code: str, layout: str) -> None:
    def make(lib):
        t = lib.zeros(6, 8, 4)
        match layout:
            case "transposed":
                return t.permute(2, 0, 1)
            case "strided":
                return t.permute(2, 0, 1)[:, ::2]
        return t.transpose(0, 2).contiguous().transpose(0, 2)

    same_bits(lambda lib: eval(code, {"t": make(lib)}))


@pytest.mark.parametrize(
    "bound", [1, 2, 1000, 2**28 - 1, 2**28, 2**28 + 1, 2**32, 2**40, 2**63 - 1]
)
def test_ranges_of_randint(bound: int) -> None:
    same_bits(lambda lib: lib.randint(bound, (50,)))
    same_bits(lambda lib: lib.randint(-bound, bound // 2, (50,)))


def test_all_64_bits_and_floats_that_count_exactly() -> None:
    same_bits(lambda lib: lib.empty(9, dtype=lib.int64).random_(-(2**63), None))
    with pytest.warns(UserWarning):
        same_bits(lambda lib: lib.empty(9, dtype=lib.float32).random_(0, 2**26))
    same_bits(lambda lib: lib.empty(9, dtype=lib.float64).random_(0, 2**40))
    same_bits(lambda lib: lib.empty(9, dtype=lib.uint8).random_(0, 300))


@pytest.mark.filterwarnings("ignore:.*is out of bounds")
@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float64", "int64"])
@pytest.mark.parametrize(
    "bounds", [(-(2**62), 2**63 - 1), (-(2**63), 1 - 2**63), (2**62, 2**63 - 1)]
)
def test_ranges_at_the_ends(bounds: tuple[int, int], dtype: str) -> None:
    drawn = []
    for library in (torch, kagari):
        library.manual_seed(3)
        drawn.append(library.empty(5, dtype=getattr(library, dtype)).random_(*bounds).tolist())
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("code", [
    "lib.rand(3, 4)", "lib.rand((3, 4))", "lib.rand(2, 30, dtype=lib.float64)", "lib.rand([])",
    "lib.rand(0)",
    "lib.randn(3)", "lib.randn(3, 40)", "lib.randn(size=(5, 5))",
    "lib.randn(40, dtype=lib.bfloat16)",
    "lib.randn(30, dtype=lib.complex64)", "lib.rand(30, dtype=lib.complex128)", "lib.randn(-1)",
    "lib.randint(10, (3,))", "lib.randint(low=2, high=9, size=(3, 3))", "lib.randint(5, 3, (2,))",
    "lib.randint(3, (2,), dtype=lib.float32)", "lib.randperm(0)", "lib.randperm(1)",
    "lib.randperm(500)",
    "lib.randperm(30, dtype=lib.float32)", "lib.randperm(200, dtype=lib.int8)", "lib.randperm(-1)",
    "lib.rand_like(lib.ones(3, 4))", "lib.randn_like(lib.ones(8, 4).T)",
    "lib.rand(3, dtype=lib.int64)",
    "lib.randint_like(lib.ones(3, 4), 7)", "lib.randint_like(lib.ones(3, 4), 2, 7)",
    "lib.randn_like(lib.ones(30, dtype=lib.float64), dtype=lib.float32)",
    "lib.normal(0.0, 2.0, (20,))", "lib.normal(lib.ones(20), lib.arange(20.0))",
    "lib.normal(lib.ones(20), 3.0)", "lib.normal(1.0, lib.arange(20.0))",
    "lib.normal(1.0, -lib.ones(3))",
    "lib.rand(3, generator=lib.Generator().manual_seed(5))", "lib.bernoulli(lib.rand(50))",
    "lib.bernoulli(lib.rand(50), 0.3)", "lib.bernoulli(lib.ones(3) * 2)",
    "lib.poisson(lib.rand(50) * 30)",
    "lib.poisson(lib.rand(5, dtype=lib.float64))", "lib.poisson(-lib.ones(3))",
    "lib.zeros(50).bernoulli_(lib.rand(50))",
    "lib.zeros(50).bernoulli_(lib.rand(50, dtype=lib.float64))",
    "lib.zeros(4, 9, dtype=lib.int64).bernoulli_(lib.rand(9))",
])  # fmt: skip
def test_functions(code: str) -> None:
    same_bits(lambda lib: eval(code, {"lib": lib}))


@pytest.mark.parametrize("code", [
    "lib.multinomial(p, 3)", "lib.multinomial(p, 1)", "lib.multinomial(p, 20, True)",
    "lib.multinomial(p[0], 2)", "lib.multinomial(p.double(), 2)",
    "lib.multinomial(p.half(), 9, True)",
    "lib.multinomial(p, 99)", "lib.multinomial(-p, 2)", "lib.multinomial(-p, 9, True)",
    "lib.multinomial(p * 0, 2)", "lib.multinomial(p, 0)", "lib.multinomial(p[None], 2)",
    "lib.multinomial(p.T, 2)", "lib.multinomial(p.long(), 2)", "p[0].multinomial(2)",
])  # fmt: skip
def test_multinomial(code: str) -> None:
    weights = torch.rand(6, 5)
    same_bits(lambda lib: eval(code, {"lib": lib, "p": blank(lib, weights)}))


@pytest.mark.parametrize("name", ["dropout", "alpha_dropout", "feature_dropout",
                                  "feature_alpha_dropout"])  # fmt: skip
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0, 1.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_dropout(name: str, p: float, dtype: torch.dtype) -> None:
    x = torch.randn(4, 6, 5).to(dtype)
    same_bits(lambda lib: getattr(lib, name)(blank(lib, x), p, True))
    same_bits(lambda lib: getattr(lib, name)(blank(lib, x).transpose(0, 2), p, True))
    same_bits(lambda lib: getattr(lib, name + "_")(blank(lib, x), p, True))
    same_bits(lambda lib: getattr(lib, name)(blank(lib, x), p, False))


def test_gradient_of_dropout_is_its_mask() -> None:
    x = kagari.randn(100, dtype=kagari.float64).requires_grad_()
    y = kagari.dropout(x, 0.5, True)
    y.sum().backward()
    assert ((x.grad == 2) == (y != 0)).all() and ((x.grad == 0) == (y == 0)).all()


# ---- generators ----


def test_states_travel_between_the_libraries() -> None:
    torch.manual_seed(7)
    torch.rand(1000)
    torch.empty(3).normal_()  # leaves a second normal number waiting
    kagari.set_rng_state(ours(torch.get_rng_state()))
    assert theirs(kagari.randn(5)).tolist() == torch.randn(5).tolist()
    kagari.rand(77)
    torch.set_rng_state(theirs(kagari.get_rng_state()))
    assert theirs(kagari.rand(700)).tolist() == torch.rand(700).tolist()


@pytest.mark.parametrize("seed", [0, 1, -1, 2**63 - 1, 2**64 - 1, -(2**63)])
def test_seeds(seed: int) -> None:
    assert torch.manual_seed(seed).initial_seed() == kagari.manual_seed(seed).initial_seed()
    same_bits(lambda lib: lib.rand(3), seed)


def test_wrong_seeds_and_states() -> None:
    with pytest.raises(RuntimeError, match="Overflow"):
        kagari.manual_seed(2**64)
    with pytest.raises(RuntimeError, match="5056"):
        kagari.set_rng_state(kagari.zeros(10, dtype=kagari.uint8))
    with pytest.raises(RuntimeError, match="state is wrong"):
        kagari.set_rng_state(kagari.zeros(5056, dtype=kagari.uint8))
    with pytest.raises(TypeError, match="ByteTensor"):
        kagari.set_rng_state(kagari.zeros(5056))


def test_generators_are_independent() -> None:
    a, b = kagari.Generator().manual_seed(1), kagari.Generator().manual_seed(1)
    kagari.rand(5, generator=a)
    kagari.rand(100)
    assert kagari.rand(5, generator=a).tolist() != kagari.rand(5, generator=b).tolist()
    copy = a.clone_state()
    assert kagari.rand(5, generator=a).tolist() == kagari.rand(5, generator=copy).tolist()
    assert kagari.Generator().initial_seed() == torch.Generator().initial_seed()


def test_fork_rng_leaves_no_trace() -> None:
    state = kagari.get_rng_state().tolist()
    with kagari.random.fork_rng():
        kagari.rand(5)
    assert kagari.get_rng_state().tolist() == state


def test_seed_is_new_every_time() -> None:
    assert kagari.seed() != kagari.seed()


def test_philox_matches_its_published_vectors() -> None:
    # known answers of Random123 for philox4x32-10: counter and key all ones
    generator = kagari._C._philox(0, 0)
    words = kagari.empty(4, dtype=kagari.int64).random_(0, 2**27, generator=generator)
    published = [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert words.tolist() == [w % 2**27 for w in published]
    other = kagari.rand(9, generator=kagari._C._philox(0, 1)).tolist()
    assert other != kagari.rand(9, generator=kagari._C._philox(0, 0)).tolist()


def test_in_place_draws_respect_autograd() -> None:
    with pytest.raises(RuntimeError, match="leaf"):
        kagari.ones(3, requires_grad=True).uniform_()
    x = kagari.ones(3, requires_grad=True)
    y = (x * 2).normal_()
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 0]
