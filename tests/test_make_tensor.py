"""testing.make_tensor gives PyTorch's numbers; assert_allclose; what overrides says of itself."""

import inspect
import itertools

import pytest
import torch

import kagari

DTYPES = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128"
OPTIONS = [
    {},
    {"low": 2, "high": 7},
    {"low": -1},
    {"high": 5.5, "low": 0.5},
    {"low": float("-inf"), "high": float("inf")},
    {"noncontiguous": True},
    {"exclude_zero": True, "low": 0, "high": 2},
]
CASES = list(itertools.product(DTYPES.split(), OPTIONS))


def make(module, dtype, *shape, **options):
    module.manual_seed(7)
    return module.testing.make_tensor(*shape, dtype=getattr(module, dtype), device="cpu", **options)


@pytest.mark.parametrize(("dtype", "options"), CASES, ids=str)
def test_numbers_are_those_of_torch(dtype, options):
    for shape in ((3, 5), (40,), (), (2, 0)):
        try:
            theirs = make(torch, dtype, *shape, **options)
        except Exception as error:
            with pytest.raises(type(error)):
                make(kagari, dtype, *shape, **options)
            continue
        ours = make(kagari, dtype, *shape, **options)
        assert ours.stride() == theirs.stride() and str(ours.dtype) == str(theirs.dtype)
        assert str(ours.tolist()) == str(theirs.tolist())


@pytest.mark.parametrize(
    "options",
    [
        {"low": float("nan")},
        {"low": 5, "high": 5},
        {"low": 7, "high": 5},
        {"noncontiguous": True, "memory_format": "channels_last"},
        {"requires_grad": True},
    ],
    ids=str,
)
def test_wrong_input(options):
    given = dict(options)
    for module in (kagari, torch):
        if "memory_format" in options:
            given["memory_format"] = module.channels_last
        with pytest.raises(ValueError):
            make(module, "int32", 2, 2, 2, 2, **given)


def test_layout_and_gradient():
    made = make(kagari, "float32", (2, 3, 4, 5), memory_format=kagari.channels_last)
    assert made.is_contiguous(memory_format=kagari.channels_last)
    assert make(kagari, "float32", 3, requires_grad=True).is_leaf


def test_assert_allclose():
    for module in (kagari, torch):
        x = module.ones(3)
        with pytest.warns(FutureWarning, match="deprecated"):
            module.testing.assert_allclose(x, x.double() + 5e-5)
        for bad in (x + 1e-3, x[:2]):
            with pytest.warns(FutureWarning), pytest.raises(AssertionError):
                module.testing.assert_allclose(x, bad)
        with pytest.warns(FutureWarning):
            module.testing.assert_allclose(x * float("nan"), x * float("nan"))


def test_what_can_be_overridden():
    ignored = kagari.overrides.get_ignored_functions()
    overridable = set().union(*map(set, kagari.overrides.get_overridable_functions().values()))
    assert kagari.zeros in ignored and kagari.tensor in ignored and kagari.manual_seed in ignored
    assert kagari.zeros_like not in ignored and not ignored & (overridable - ignored)
    stand_ins = kagari.overrides.get_testing_overrides()
    assert set(kagari.overrides.get_overridable_functions()[kagari]) <= set(stand_ins)
    assert list(inspect.signature(stand_ins[kagari.add]).parameters) == ["input", "other", "alpha"]
    assert stand_ins[kagari.sum](1, dim=2) == -1
    with pytest.raises(TypeError):
        stand_ins[kagari.exp]()
    assert kagari.overrides.resolve_name(f=kagari.add) == "torch.add"


def test_redispatch_goes_past_the_class_once():
    class Logged(kagari.Tensor):
        seen: list = []

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            cls.seen.append(func.__name__)
            return kagari.overrides.redispatch_function(func, types, args, kwargs)

    x = kagari.ones(2).as_subclass(Logged)
    assert kagari.exp(x).shape == (2,) and Logged.seen == ["exp"]
    x.type_as(kagari.ones(1))  # a method in Python
    assert Logged.seen[1] == "type_as"
