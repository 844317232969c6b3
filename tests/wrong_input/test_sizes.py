"""Sizes, strides, offsets that are negative, huge or overflow: errors, and nothing is written."""

import pytest

import kagari

HUGE = [2**31, 2**40, 2**62, 2**63 - 1]
ERRORS = (RuntimeError, ValueError, TypeError, IndexError, OverflowError)


def ones():
    return kagari.ones(2, 3)


NEGATIVE = {
    "empty": lambda: kagari.empty(-1),
    "zeros": lambda: kagari.zeros(2, -3),
    "full": lambda: kagari.full((-1, 2), 1.0),
    "empty_strided": lambda: kagari.empty_strided((-1,), (1,)),
    "empty_strided_stride": lambda: kagari.empty_strided((2,), (-1,)),
    "view": lambda: ones().view(-2, 3),
    "view_two_unknown": lambda: ones().view(-1, -1),
    "reshape": lambda: ones().reshape(-2, -3),
    "expand": lambda: ones().expand(-2, 3),
    "expand_new": lambda: ones().expand(-1, 2, 3),
    "repeat": lambda: ones().repeat(-1, 1),
    "resize": lambda: ones().resize_(-1),
    "as_strided_size": lambda: ones().as_strided((-1,), (1,)),
    "as_strided_stride": lambda: ones().as_strided((2,), (-1,)),
    "as_strided_offset": lambda: ones().as_strided((2,), (1,), -1),
    "narrow": lambda: ones().narrow(0, 0, -1),
    "split": lambda: ones().split(-1),
    "split_sizes": lambda: ones().split([-1, 3]),
    "chunk": lambda: ones().chunk(-1),
    "chunk_zero": lambda: ones().chunk(0),
    "unfold": lambda: ones().unfold(0, -1, 1),
    "unfold_step": lambda: ones().unfold(0, 1, 0),
    "eye": lambda: kagari.eye(-1),
    "linspace": lambda: kagari.linspace(0, 1, -1),
    "arange_step": lambda: kagari.arange(0, 5, 0),
    "arange_sign": lambda: kagari.arange(0, 5, -1),
    "arange_nan": lambda: kagari.arange(0, float("nan")),
    "arange_inf": lambda: kagari.arange(0, float("inf")),
    "topk": lambda: ones().topk(-1),
    "randint": lambda: kagari.randint(0, 5, (-1,)),
    "randperm": lambda: kagari.randperm(-1),
    "tile": lambda: ones().tile((-1,)),
    "new_zeros": lambda: ones().new_zeros(-1),
    "broadcast_to": lambda: kagari.broadcast_to(ones(), (-2, 3)),
    "unflatten": lambda: ones().unflatten(0, (-1, -1)),
}


@pytest.mark.parametrize("name", NEGATIVE)
def test_negative(name):
    with pytest.raises(ERRORS) as error:
        NEGATIVE[name]()
    assert str(error.value)


OVERFLOW = {
    "empty": lambda n: kagari.empty(n, n),
    "empty_bytes": lambda n: kagari.empty(n // 2 + 1, 2, dtype=kagari.float64),
    "zeros": lambda n: kagari.zeros(n, n, n),
    "full": lambda n: kagari.full((n, n), 1),
    "empty_strided": lambda n: kagari.empty_strided((2, 2), (n, n)),
    "as_strided": lambda n: ones().as_strided((n, n), (n, n)),
    "as_strided_reach": lambda n: ones().as_strided((2,), (n,)),
    "as_strided_offset": lambda n: ones().as_strided((1,), (1,), n),
    "expand": lambda n: kagari.ones(1, 1, 1).expand(n, n, n).sum(),
    "repeat": lambda n: ones().repeat(n, n),
    "resize": lambda n: ones().resize_(n, n),
    "reshape": lambda n: ones().reshape(n, n),
    "view": lambda n: ones().view(n, n),
    "arange": lambda n: kagari.arange(0, n * 1000, dtype=kagari.float64),
    "linspace": lambda n: kagari.linspace(0, 1, n),
    "eye": lambda n: kagari.eye(n),
    "outer": lambda n: kagari.ones(1).expand(2**31).reshape(-1, 1) * kagari.ones(1).expand(n),
    "narrow": lambda n: ones().narrow(0, n, n),
    "narrow_length": lambda n: ones().narrow(0, 1, n),
    "unfold": lambda n: ones().unfold(0, n, 1),
    "randint": lambda n: kagari.randint(0, 5, (n, n)),
    "pad": lambda n: kagari.nn.functional.pad(ones(), (n, n)),
    "tile": lambda n: ones().tile((n, n)),
    "one_hot": lambda n: kagari.nn.functional.one_hot(kagari.tensor([1]), n),
    "repeat_interleave": lambda n: ones().repeat_interleave(n),
    "repeat_interleave_wraps": lambda n: kagari.ones(8).repeat_interleave(max(n, 2**61) & -8),
    "storage": lambda n: kagari.UntypedStorage(n),
    "frombuffer": lambda n: kagari.frombuffer(bytearray(8), dtype=kagari.int8, count=n),
    "frombuffer_offset": lambda n: kagari.frombuffer(bytearray(8), dtype=kagari.int8, offset=n),
    "topk": lambda n: ones().topk(n),
    "split": lambda n: ones().split([n, n]),
    "split_wraps": lambda n: ones().split([2**63 - 1, 2**63 - 1, 4]),
    "split_0d": lambda n: kagari.tensor(1.0).split([1]),
}


@pytest.fixture
def little_memory():
    kagari.cpu.empty_cache()
    kagari.cpu.set_memory_limit(kagari.cpu.memory_allocated() + (64 << 20))
    yield
    kagari.cpu.set_memory_limit(0)


@pytest.mark.parametrize("size", HUGE)
@pytest.mark.parametrize("name", OVERFLOW)
def test_overflow(name, size, little_memory):
    with pytest.raises(ERRORS) as error:
        OVERFLOW[name](size)
    assert str(error.value)


@pytest.mark.parametrize("size", [2**63, 2**64, -(2**63) - 1, 2**200])
@pytest.mark.parametrize(
    "use",
    [
        lambda n: kagari.empty(n),
        lambda n: kagari.zeros((n,)),
        lambda n: ones().view(n),
        lambda n: ones().sum(n),
        lambda n: ones()[n],
        lambda n: ones().narrow(0, n, 1),
        lambda n: ones().expand(n, 2, 3),
        lambda n: kagari.arange(n, dtype=kagari.int64),
        lambda n: ones().select(0, n),
    ],
)
def test_more_than_64_bits(use, size):
    with pytest.raises(ERRORS):
        use(size)


def test_slices_clamp_as_in_python():
    t = kagari.arange(5)
    for big in (2**63 - 1, 2**64, 2**200):
        assert t[:big].tolist() == [0, 1, 2, 3, 4]
        assert t[-big:].tolist() == [0, 1, 2, 3, 4]
        assert t[big:].tolist() == []
    with pytest.raises(ValueError):
        t[::-1]
    with pytest.raises(ValueError):
        t[::0]


def test_failed_resize_leaves_the_tensor_alone():
    t = kagari.arange(4)
    for bad in ((-1,), (2**62, 2**62), (2**61,)):
        with pytest.raises(ERRORS):
            t.resize_(bad)
        assert t.tolist() == [0, 1, 2, 3]


def test_many_dimensions():
    t = kagari.ones((1,) * 60)
    assert (t + t).sum().item() == 2
    assert t.transpose(0, 59).contiguous().dim() == 60
    assert kagari.ones(2).expand((3,) * 10 + (2,)).sum().item() == 2 * 3**10


def test_sums_and_steps_that_overflow():
    with pytest.raises(RuntimeError, match="fewer than 2\\^63"):
        kagari.repeat_interleave(kagari.tensor([2**62] * 4))
    with pytest.raises(RuntimeError, match="below 2\\^63"):
        kagari.bincount(kagari.tensor([2**63 - 1]))
    assert kagari.ones(2, 3).unfold(0, 2, 2**62 + 5).shape == (1, 3, 2)
    far = kagari.tensor([-1.7e308, 0.0, 1.0, 1.7e308], dtype=kagari.float64)
    assert far.histc(2).tolist() == [1, 3]
