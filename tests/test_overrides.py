"""__torch_function__: subclasses, foreign classes, their order, the ways to switch it off."""

import pytest

import kagari
from kagari import overrides
from kagari.utils.logging import log_ops


class Kept(kagari.Tensor):
    """Results of ops on this class are of this class."""


class Logged(kagari.Tensor):
    seen: list[str] = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.seen.append(func.__name__)
        return super().__torch_function__(func, types, args, kwargs)


class Meters:
    """Not a tensor at all."""

    def __init__(self, value):
        self.value = value

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        plain = [a.value if isinstance(a, Meters) else a for a in args]
        return "meters", func(*plain, **(kwargs or {}))


class Refusing(kagari.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return NotImplemented


def test_results_keep_the_subclass():
    kept = kagari.ones(2).as_subclass(Kept)
    for made in (kept + 1, 1 + kept, kept.exp(), kagari.add(kept, 1), kagari.exp(kept), kept[0]):
        assert type(made) is Kept
    assert all(type(part) is Kept for part in kept.split(1))
    assert type(kept.as_subclass(kagari.Tensor)) is kagari.Tensor
    assert type(kagari.ones(2) + kept) is Kept


def test_gradients_pass_through_subclasses():
    leaf = kagari.ones(2, requires_grad=True)
    (leaf.as_subclass(Kept) * 3).sum().backward()
    assert leaf.grad.tolist() == [3, 3]


def test_every_way_to_call_an_op_is_seen():
    logged = kagari.ones(2).as_subclass(Logged)
    calls = {
        "exp": lambda: logged.exp(),
        "add": lambda: kagari.add(1, logged),
        "sum": lambda: kagari.sum(logged),
        "clamp": lambda: kagari.clamp(kagari.ones(2), logged),
        "__repr__": lambda: repr(logged),
    }
    for name, call in calls.items():
        Logged.seen.clear()
        call()
        assert Logged.seen[:1] == [name]
    for operation in (lambda: logged + 1, lambda: 1 - logged, lambda: logged == 1, lambda: -logged):
        Logged.seen.clear()
        operation()
        assert len(Logged.seen) == 1


def test_foreign_classes():
    kind, value = kagari.add(kagari.ones(1), Meters(kagari.ones(1)))
    assert kind == "meters" and value.tolist() == [2]


def test_nobody_answers():
    with pytest.raises(TypeError, match="no implementation found"):
        kagari.ones(1).as_subclass(Refusing).exp()


def test_parameters_are_not_overridden():
    parameter = kagari.nn.Parameter(kagari.ones(1))
    assert type(parameter + 1) is kagari.Tensor
    assert not overrides.has_torch_function((parameter,))


def test_switching_off():
    kept = kagari.ones(2).as_subclass(Kept)
    with overrides.DisableTorchFunctionSubclass():
        assert type(kept + 1) is kagari.Tensor
    assert type(kept + 1) is Kept
    off = type("Off", (Kept,), {"__torch_function__": overrides._disabled_torch_function_impl})
    assert type(kept.as_subclass(off) + 1) is kagari.Tensor


def test_questions():
    kept, plain = kagari.ones(1).as_subclass(Kept), kagari.ones(1)
    assert overrides.has_torch_function((plain, kept))
    assert not overrides.has_torch_function((plain, 3, None))
    assert overrides.has_torch_function_unary(kept)
    assert overrides.has_torch_function_variadic(1, Meters(1))
    assert overrides.is_tensor_like(Meters(1)) and not overrides.is_tensor_like(3)
    assert kagari.exp in overrides.get_overridable_functions()[kagari]
    assert overrides.resolve_name(kagari.exp) == "torch.exp"


def test_subclasses_are_asked_first():
    order = []

    def kind(name, base):
        def function(cls, func, types, args=(), kwargs=None):
            order.append(name)
            return NotImplemented

        return type(name, (base,), {"__torch_function__": classmethod(function)})

    base = kind("Base", kagari.Tensor)
    derived = kind("Derived", base)
    other = kind("Other", kagari.Tensor)
    a, b, c = (kagari.ones(1).as_subclass(k) for k in (base, other, derived))
    with pytest.raises(TypeError):
        overrides.handle_torch_function(kagari.add, (a, b, c), a, b, c)
    assert order == ["Derived", "Base", "Other"]


def test_wrap_torch_function():
    @overrides.wrap_torch_function(lambda x, y=0: (x,))
    def double(x, y=0):
        return x * 2

    assert double(kagari.ones(1)).tolist() == [2]
    kind, value = double(Meters(kagari.ones(1)))
    assert kind == "meters" and value.tolist() == [2]


def test_log_of_ops():
    lines = []
    with log_ops(lines.append) as log:
        (kagari.ones(2).exp() + 1).split(1)
    kagari.ones(2).exp()
    assert log.names == ["_full", "exp", "add", "split_with_sizes"]
    assert lines == log.lines and lines[1] == "exp(float32(2,)) -> float32(2,)"


def test_errors_inside_an_interceptor_pass_through():
    def broken(op, args):
        raise KeyError("mine")

    kagari._C._push_interceptor(broken)
    try:
        with pytest.raises(KeyError, match="mine"):
            kagari.exp(kagari.Tensor.__new__(kagari.Tensor))
    finally:
        kagari._C._pop_interceptor()
    with pytest.raises(RuntimeError, match="empty"):
        kagari._C._pop_interceptor()


def test_interceptors_may_change_arguments_and_results():
    def twice(op, args):
        if op.name != "exp":
            return op.run(args)
        return [op.run([args[0] + 1])[0] * 2]

    zeros = kagari.zeros(1)
    kagari._C._push_interceptor(twice)
    try:
        made = zeros.exp()
    finally:
        kagari._C._pop_interceptor()
    assert abs(made.item() - 2 * 2.718281828) < 1e-5


def test_modes_see_every_op():
    class Doubled(overrides.TorchFunctionMode):
        def __init__(self):
            self.names = []

        def __torch_function__(self, func, types, args=(), kwargs=None):
            self.names.append(func.__name__)
            result = func(*args, **(kwargs or {}))
            return result * 2 if func.__name__ == "exp" else result

    with Doubled() as mode:
        made = kagari.zeros(2).exp()
        top = made.sort(descending=True)
        parts = made.split(1)
    assert made.tolist() == [2, 2] and top.values.tolist() == [2, 2] and len(parts) == 2
    assert mode.names[1:3] == ["exp", "sort"]
    assert kagari.zeros(1).exp().item() == 1


def test_modes_nest():
    order = []

    class Noted(overrides.TorchFunctionMode):
        def __init__(self, name):
            self.name = name

        def __torch_function__(self, func, types, args=(), kwargs=None):
            order.append(self.name)
            return func(*args)

    with Noted("outer"), Noted("inner"):
        kagari.exp(kagari.Tensor([1.0]))
    assert order[-2:] == ["inner", "outer"]
    with pytest.raises(NotImplementedError), overrides.TorchFunctionMode():
        kagari.ones(1)
    kagari.ones(1)
