"""Random numbers: the default generator, and tensors of random numbers.

The same seed gives the same numbers as PyTorch's on CPU, bit for bit.
"""

import contextlib
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import kagari
from kagari import _C, Tensor
from kagari._C import Generator, default_generator
from kagari._layouts import only_strided

__all__ = [
    "Generator", "default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed",
    "normal", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm",
    "seed", "set_rng_state", "thread_safe_generator",
]  # fmt: skip


def thread_safe_generator() -> Generator | None:
    """The generator of a data loader's worker thread; None, the default one, anywhere else.

    Loading has no worker threads so far, so it is None.
    """
    return None


def manual_seed(seed: int) -> Generator:
    """Seeds the default generator and returns it. Negative seeds count from 2**64 down."""
    return default_generator.manual_seed(operator.index(seed))


def seed() -> int:
    """Seeds the default generator from the operating system and returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default generator: the bytes that PyTorch's function returns."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Restores a state of `get_rng_state`, PyTorch's or kagari's."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True, **_: Any) -> Iterator[None]:
    """Restores the default generator's state at the end of the `with` block."""
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)


# ---- tensors ----

_rand, _randn = _C.places["ops"]["_rand"], _C.places["ops"]["_randn"]
_default_device = _C.get_default_device


def _sizes(size: tuple[Any, ...]) -> Sequence[int]:
    return size[0] if len(size) == 1 and not hasattr(size[0], "__index__") else size


def _new(
    size: Sequence[int],
    fill: str,
    arguments: tuple[Any, ...],
    generator: Any,
    out: Tensor | None,
    dtype: Any,
    requires_grad: bool,
    options: dict[str, Any],
) -> Tensor:
    """A new tensor, or `out`, filled by its in-place method `fill`."""
    if out is None:
        target = kagari.empty(size, dtype=dtype, **options)
    else:
        if dtype is not None and dtype != out.dtype:
            raise RuntimeError(f"dtype {dtype} does not match dtype of out parameter ({out.dtype})")
        target = out.resize_(size)
    with kagari.no_grad():
        getattr(target, fill)(*arguments, generator=generator)
    return target.requires_grad_() if requires_grad else target


@_C._front
def rand(
    *size: Any,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Tensor:
    """Numbers uniform in [0, 1)."""
    if out is None and not options:
        return _rand(_sizes(size), generator, dtype, _default_device(), requires_grad)
    size = options.pop("size", size)
    return _new(_sizes(size), "uniform_", (), generator, out, dtype, requires_grad, options)


@_C._front
def randn(
    *size: Any,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Tensor:
    """Numbers of the standard normal distribution."""
    if out is None and not options:
        return _randn(_sizes(size), generator, dtype, _default_device(), requires_grad)
    size = options.pop("size", size)
    return _new(_sizes(size), "normal_", (), generator, out, dtype, requires_grad, options)


@_C._front
def randint(
    *bounds: Any,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Tensor:
    """`randint(low=0, high, size)`: integers uniform in [low, high)."""
    names = ("low", "high", "size")
    given = list(bounds) + [options.pop(name) for name in names if name in options]
    if len(given) == 2:
        given.insert(0, 0)
    if len(given) != 3:
        raise TypeError(f"randint() takes low (optional), high and size, got {len(given)} of them")
    low, high, size = given
    dtype = dtype or (kagari.int64 if out is None else None)
    return _new(size, "random_", (low, high), generator, out, dtype, requires_grad, options)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    layout: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """The numbers 0 .. n-1 in random order."""
    only_strided("randperm", layout)
    dtype = dtype or (kagari.int64 if out is None else out.dtype)
    device = "cpu" if device is None else device
    made = _C.places["ops"]["_randperm"](n, generator, dtype, device)
    if out is not None:
        return out.resize_([n]).copy_(made)
    return made.requires_grad_() if requires_grad else made


def _like(
    input: Tensor,
    fill: str,
    arguments: tuple[Any, ...],
    generator: Any,
    requires_grad: bool,
    options: dict[str, Any],
) -> Tensor:
    target = kagari.empty_like(input, **options)
    with kagari.no_grad():
        getattr(target, fill)(*arguments, generator=generator)
    return target.requires_grad_() if requires_grad else target


@_C._front
def rand_like(
    input: Tensor, *, generator: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """Like `rand`, with the sizes, dtype and layout of `input`."""
    return _like(input, "uniform_", (), generator, requires_grad, options)


@_C._front
def randn_like(
    input: Tensor, *, generator: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """Like `randn`, with the sizes, dtype and layout of `input`."""
    return _like(input, "normal_", (), generator, requires_grad, options)


def randint_like(
    input: Tensor, *bounds: int, generator: Any = None, requires_grad: bool = False, **options: Any
) -> Tensor:
    """`randint_like(input, low=0, high)`: integers in [low, high), in the layout of `input`."""
    given = list(bounds) + [options.pop(name) for name in ("low", "high") if name in options]
    if len(given) == 1:
        given.insert(0, 0)
    return _like(input, "random_", tuple(given), generator, requires_grad, options)


def _shares_memory(a: Tensor, b: Tensor) -> bool:
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """Normal numbers; `mean` and `std` are numbers (with `size`) or tensors, one number each."""
    tensors = [p for p in (mean, std) if isinstance(p, Tensor)]
    if not tensors:
        if size is None:
            raise TypeError("normal(): mean and std are numbers, so size is needed")
        dtype, requires_grad = options.pop("dtype", None), options.pop("requires_grad", False)
        return _new(size, "normal_", (mean, std), generator, out, dtype, requires_grad, options)
    if isinstance(std, Tensor):
        if std.is_complex():
            raise RuntimeError("normal expects standard deviation to be non-complex")
        if std.numel() and not std.is_meta and bool((_C._all_samples(std) < 0).any()):
            raise RuntimeError("normal expects all elements of std >= 0.0")
    shape = kagari.broadcast_shapes(*[t.shape for t in tensors])
    drawn_into_out = out is not None and not any(_shares_memory(out, t) for t in tensors)
    if out is not None and drawn_into_out:
        target = out.resize_(shape)
    else:
        dtype = tensors[0].dtype if out is None else out.dtype
        target = kagari.empty(shape, dtype=dtype, device=tensors[0].device)
    with kagari.no_grad():
        target.normal_(0, 1 if isinstance(std, Tensor) else std, generator=generator)
        if _C._intercepted():
            from .func.levels import spread_like

            target = spread_like(target, *tensors, writable=True)
        if isinstance(std, Tensor):
            target.mul_(std)
        target.add_(mean)
    if out is not None:
        return out if drawn_into_out else out.resize_(shape).copy_(target)
    return _C.places["ops"]["_normal_of"](target, tensors)
