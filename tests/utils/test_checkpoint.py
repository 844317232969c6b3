"""Checkpointing beside PyTorch's: two derivatives, random numbers, memory, errors."""

import doctest
import warnings
import weakref
from typing import Any

import pytest
import torch
import torch.utils.checkpoint

import kagari
from tests.ops.pairs import close, compare, ours, same_error


def make(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()


def block(lib: Any, x: Any, w: Any) -> Any:
    y = (x @ w).tanh()
    return y.exp() * x + y, y.sin()


@pytest.mark.parametrize("early_stop", [True, False])
def test_derivatives(early_stop: bool) -> None:
    """Two derivatives are those of the function itself."""

    def run(lib: Any, x: Any, w: Any) -> Any:
        if lib is torch:
            return block(lib, x, w)
        call = lib.utils.checkpoint.checkpoint
        return call(lambda x, w: block(lib, x, w), x, w, use_reentrant=False, early_stop=early_stop)

    compare(run, make(3, 3), make(3, 3), scale=10)


def test_reentrant() -> None:
    found = []
    for lib in (kagari, torch):
        x, w = (make(3, 3), make(3, 3)) if lib is torch else ours([make(3, 3), make(3, 3)])
        call = lib.utils.checkpoint.checkpoint
        out = call(lambda x, lib=lib, w=w: block(lib, x, w), x, use_reentrant=True)
        (out[0].sum() + out[1].sum()).backward()
        found.append([x.grad, w.grad])
    close(*found, scale=10)


def test_nested() -> None:
    def run(lib: Any, x: Any) -> Any:
        if lib is torch:
            return x.sin().exp().sin().cos()
        call = lib.utils.checkpoint.checkpoint

        def inner(x: Any) -> Any:
            return x.sin().exp()

        def outer(x: Any) -> Any:
            return call(lambda x: x.sin().cos(), call(inner, x, use_reentrant=False),
                        use_reentrant=False)  # fmt: skip

        return call(outer, x, use_reentrant=False)

    compare(run, make(4), scale=10)


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_random_numbers(use_reentrant: bool) -> None:
    x = kagari.ones(100, requires_grad=True)
    kagari.manual_seed(0)
    out = kagari.utils.checkpoint.checkpoint(
        lambda x: kagari.nn.functional.dropout(x * 1, 0.5), x, use_reentrant=use_reentrant
    )
    state = kagari.get_rng_state()
    out.sum().backward()
    assert kagari.equal(x.grad, out)
    assert kagari.equal(state, kagari.get_rng_state())


def test_keywords_and_structures() -> None:
    x, w = ours([make(3), make(3)])

    def run(pair: Any, *, names: Any) -> Any:
        return {"sum": pair[0] * names["w"], "other": 3}

    out = kagari.utils.checkpoint.checkpoint(run, (x, 2), names={"w": w}, use_reentrant=False)
    assert out["other"] == 3
    out["sum"].sum().backward()
    assert kagari.equal(x.grad, w)
    assert kagari.equal(w.grad, x)


def test_what_lies_between_is_not_kept() -> None:
    seen: list[Any] = []

    def run(x: Any) -> Any:
        y = x.exp()
        seen.append(weakref.ref(y))
        return y.sin().exp()

    x = kagari.ones(3, requires_grad=True)
    out = kagari.utils.checkpoint.checkpoint(run, x, use_reentrant=False)
    assert seen[0]() is None
    out.sum().backward(retain_graph=True)
    first = x.grad.clone()
    x.grad = None
    out.sum().backward()
    assert kagari.equal(first, x.grad)
    assert len(seen) >= 2


def test_memory_of_a_deep_network() -> None:
    """A hundred layers in ten segments keep far less than the layers' results."""
    size = 1 << 16
    layers = [lambda x: (x * 1.01).sin()] * 100

    def peak(run: Any) -> int:
        x = kagari.ones(size, requires_grad=True)
        kagari.cpu.reset_peak_memory_stats()
        before = kagari.cpu.memory_allocated()
        run(x).sum().backward()
        return kagari.cpu.max_memory_allocated() - before

    def plain(x: Any) -> Any:
        for layer in layers:
            x = layer(x)
        return x

    def segments(x: Any) -> Any:
        call = kagari.utils.checkpoint.checkpoint_sequential
        return call(layers, 10, x, use_reentrant=False)

    assert peak(segments) < 0.5 * peak(plain)


def test_contexts() -> None:
    entered = []

    class Context:
        def __init__(self, name: str) -> None:
            self.name = name

        def __enter__(self) -> None:
            entered.append(self.name)

        def __exit__(self, *exception: Any) -> None:
            pass

    x = kagari.ones(3, requires_grad=True)
    kagari.utils.checkpoint.checkpoint(
        lambda x: x.exp().sin(), x, use_reentrant=False,
        context_fn=lambda: (Context("first"), Context("second")),
    ).sum().backward()  # fmt: skip
    assert entered == ["first", "second"]


def test_without_gradients() -> None:
    x = kagari.ones(3, requires_grad=True)
    with kagari.no_grad():
        out = kagari.utils.checkpoint.checkpoint(kagari.exp, x, use_reentrant=False)
    assert not out.requires_grad


def test_saved_tensors_keep_their_history() -> None:
    """A derivative of a derivative goes through what hooks give back."""

    def run(lib: Any, x: Any) -> Any:
        with lib.autograd.graph.saved_tensors_hooks(lambda t: t.detach(), lambda t: t):
            return x.exp() * (x * 2).sin() * x

    compare(run, make(4), scale=10)


def changing(lib: Any, first: Any, second: Any) -> None:
    """A function whose second run is another one."""
    runs = iter([first, second])
    x = lib.ones(4, requires_grad=True)
    call = lib.utils.checkpoint.checkpoint
    call(lambda x: next(runs)(x), x, use_reentrant=False).sum().backward()


ERRORS = {
    "fewer": lambda lib: changing(lib, lambda x: x.exp().sin(), lambda x: x.sin()),
    "shapes": lambda lib: changing(lib, lambda x: x.sin(), lambda x: x[:2].sin()),
    "keywords": lambda lib: lib.utils.checkpoint.checkpoint(
        lib.sin, lib.ones(1, requires_grad=True), use_reentrant=True, foo=1
    ),
    "context": lambda lib: lib.utils.checkpoint.checkpoint(
        lib.sin, lib.ones(1, requires_grad=True), use_reentrant=True, context_fn=lambda: 1
    ),
    "sequence": lambda lib: lib.utils.checkpoint.checkpoint_sequential(
        [lib.sin], 1, lib.ones(1), use_reentrant=False, foo=1
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    same_error(ERRORS[name])


def test_choice_has_to_be_said() -> None:
    with pytest.warns(UserWarning, match="use_reentrant"):
        kagari.utils.checkpoint.checkpoint(kagari.sin, kagari.ones(1, requires_grad=True))
    with pytest.warns(UserWarning, match="None of the inputs"):
        kagari.utils.checkpoint.checkpoint(kagari.sin, kagari.ones(1), use_reentrant=True)


def test_debug_says_where() -> None:
    x = kagari.ones(4, requires_grad=True)
    runs = iter([lambda x: x.exp().sin(), lambda x: x.sin()])
    with kagari.utils.checkpoint.set_checkpoint_debug_enabled(True):
        out = kagari.utils.checkpoint.checkpoint(lambda x: next(runs)(x), x, use_reentrant=False)
    with pytest.raises(RuntimeError, match="test_checkpoint.py"):
        out.sum().backward()


def test_examples() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = doctest.testmod(kagari.utils.checkpoint, extraglobs={"kagari": kagari})
    assert found.attempted
    assert not found.failed
