"""Operands that ops refuse: numbers for tensors, dtypes without a meaning; beside PyTorch."""

import pytest
import torch

import kagari

LIBRARIES = (torch, kagari)
BINARY = (
    "add sub mul div floor_divide remainder fmod pow atan2 hypot maximum minimum fmax fmin "
    "eq ne lt le gt ge logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor gcd "
    "copysign lcm heaviside nextafter ldexp xlogy bitwise_left_shift rsub logaddexp"
).split()


def outcome(call, library):
    try:
        call(library)
    except TypeError:
        return "TypeError"
    except NotImplementedError:
        return "NotImplementedError"
    except (RuntimeError, ValueError) as error:
        return type(error).__name__
    return "result"


@pytest.mark.parametrize("which", ["both", "second", "first", "neither"])
@pytest.mark.parametrize("name", BINARY)
def test_numbers(name, which):
    def call(t):
        whole = name in ("gcd", "lcm") or name.startswith("bitwise")
        tensor = t.tensor([1, 2, 3] if whole else [1.0, 2.0, 3.0])
        number = 2 if whole else 2.0
        left = tensor if which in ("both", "second") else number
        right = tensor if which in ("both", "first") else number
        return getattr(t, name)(left, right)

    theirs, ours = (outcome(call, t) for t in LIBRARIES)
    assert ours == theirs


MEANINGLESS = {
    "neg": ["bool"], "relu": ["bool"], "sub": ["bool"], "rsub": ["bool"],
    "maximum": ["complex64"], "minimum": ["complex64"], "fmax": ["complex64"],
    "fmin": ["complex64"], "heaviside": ["complex64"], "isposinf": ["complex64"],
    "isneginf": ["complex64"], "deg2rad": ["complex64"], "rad2deg": ["complex64"],
    "complex": ["int64", "bool", "bfloat16", "complex64"], "polar": ["int64", "bfloat16"],
    "addcdiv": ["int64", "bool"], "floor": ["complex64"], "lt": ["complex64"],
}  # fmt: skip
COUNT = {"neg": 1, "relu": 1, "isposinf": 1, "isneginf": 1, "deg2rad": 1, "rad2deg": 1, "floor": 1,
         "addcdiv": 3}  # fmt: skip


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n in MEANINGLESS for d in MEANINGLESS[n]])
def test_dtypes(name, dtype):
    def call(t):
        return getattr(t, name)(*[t.ones(2, dtype=getattr(t, dtype))] * COUNT.get(name, 2))

    theirs, ours = (outcome(call, t) for t in LIBRARIES)
    assert ours == theirs != "result"


@pytest.mark.parametrize("name", ["complex", "polar", "heaviside"])
def test_no_promotion(name):
    with pytest.raises(RuntimeError, match="float32 and float64"):
        getattr(kagari, name)(kagari.ones(2), kagari.ones(2, dtype=kagari.float64))


def test_the_text_names_op_argument_and_remedy():
    with pytest.raises(TypeError, match=r"maximum\(\): argument 'other' must be Tensor, not int"):
        kagari.maximum(kagari.ones(2), 3)
    with pytest.raises(RuntimeError, match="neg: not supported for bool tensors; use ~"):
        kagari.neg(kagari.tensor([True]))


CREATED = {
    "step 0": lambda t: t.arange(0, 3, 0),
    "step 0 in integers": lambda t: t.arange(0, 3, 0.5, dtype=t.int64),
    "wrong way": lambda t: t.arange(3, 0, 1),
    "bool": lambda t: t.arange(0, 2, dtype=t.bool),
    "complex": lambda t: t.arange(0, 2, dtype=t.complex64),
    "endless": lambda t: t.arange(0.0, float("inf")),
    "steps": lambda t: t.linspace(0, 1, -1),
    "linspace bool": lambda t: t.linspace(0, 1, 2, dtype=t.bool),
    "linspace complex": lambda t: t.linspace(0, 1j, 2, dtype=t.float32),
    "other dtype": lambda t: t.arange(3, dtype=t.int64, out=t.empty(0)),
    "masked_fill": lambda t: t.ones(2).masked_fill(t.tensor(True), t.tensor(1j)),
    "masked_fill half": lambda t: t.ones(2, dtype=t.float16).masked_fill_(t.tensor(True), 1e10),
    "narrow": lambda t: t.narrow(t.ones(3), 0, t.tensor([0]), 1),
    "narrow_copy": lambda t: t.narrow_copy(t.ones(3), 1, 0, 1),
    "abs_": lambda t: t.ones(2, dtype=t.complex64).abs_(),
    "div": lambda t: t.div(t.ones(2), 2, rounding_mode="up"),
    "gelu": lambda t: t.nn.functional.gelu(t.ones(2), approximate="no"),
    "uint16": lambda t: t.promote_types(t.uint16, t.complex64),
    "cumsum": lambda t: t.cumsum(t.ones(2), 0, dtype=t.bool),
}


@pytest.mark.parametrize("name", CREATED)
def test_errors_of(name):
    theirs, ours = (outcome(CREATED[name], t) for t in LIBRARIES)
    assert ours == theirs != "result"


NUMBERS = {
    "arange": lambda t: [t.arange(0, 5, 1.5, dtype=t.int64), t.arange(0.5, 5.9, dtype=t.int64),
                         t.arange(0, 5, 1.5, dtype=t.int32)],
    "logspace": lambda t: [t.logspace(-1, 4.7, 5, 2.5, dtype=t.int64),
                           t.logspace(-3, 4.9, 4, 2.9, dtype=t.int32)],
    "square": lambda t: [t.square(t.tensor([True, False]))],
    "masked_fill": lambda t: [t.ones(2, dtype=t.int64).masked_fill(t.tensor([True, False]), 2.5)],
    "alone": lambda t: [t.add(2, 3), t.mul(2, 3.5), t.div(3, 2), t.floor_divide(7, 2)],
    "addr": lambda t: [t.addr(*(t.ones(s, dtype=t.bool) for s in ((2, 2), 2, 2)), beta=2)],
    "conv": lambda t: [t.conv1d(t.ones(1, 1, 5), t.ones(1, 1, 4), padding="same"),
                       t.conv2d(t.ones(1, 1, 5, 5), t.ones(1, 1, 2, 3), padding="same", dilation=2),
                       t.conv1d(t.ones(1, 1, 5), t.ones(1, 1, 3), padding="valid")],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", NUMBERS)
def test_values(name):
    for ours, theirs in zip(NUMBERS[name](kagari), NUMBERS[name](torch), strict=True):
        assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
        assert ours.tolist() == theirs.tolist()
